"""List data sets on miniature trees in the formats that circulate, with their faults."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmark.cli.main import main
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError

C = 4
RNG = np.random.default_rng(1)
#: Photo ids, and labels with one empty row for a query and one for a training item.
IDS = [1000 + 7 * i for i in range(16)]
LABELS = np.eye(C, dtype=int)[RNG.integers(0, C, 16)]
LABELS[RNG.random((16, C)) < 0.2] = 1
LABELS[[1, 12]] = 0
DATABASE, TRAIN, QUERY = range(12), range(6), range(12, 16)
PARTS = {"train": TRAIN, "test": QUERY, "database": DATABASE}
TAGS = [("sky", "sea")[: i % 3] for i in range(16)]


def nuswide_name(i):
    return f"images/{i:04d}_{IDS[i]}.jpg"


def flickr_name(i):
    return f"im{i + 1}.jpg"


def photos(folder, name=nuswide_name, rows=range(16)):
    for i in rows:
        file = folder / name(i)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (10 * i, 0, 0)).save(file)


def lines(rows, name=nuswide_name, prefix="", separator=" "):
    row = [separator.join([prefix + name(i), *map(str, LABELS[i])]) for i in rows]
    return "\n".join(row) + "\n"


def all_tags(folder):
    words = "".join(f"{IDS[i]}      {' '.join(TAGS[i])} \n" for i in reversed(range(16)))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "All_Tags.txt").write_text(f"999 other\n{words}")


def opened(folder, root=None, parameters=""):
    return open_dataset(f"{folder}{parameters}", root or folder / "none", folder / "cache")


def check(data, name=nuswide_name):
    """The items and parts that every form has in common."""
    names = [data.images.name(i).rpartition("/")[2] for i in range(len(data))]
    rows = [next(i for i in range(16) if name(i).endswith(f"{given}")) for given in names]
    assert sorted(rows) == list(range(16))
    np.testing.assert_array_equal(data.labels, LABELS[rows] > 0)
    split = data.split
    for part, expected in (("train", TRAIN), ("database", DATABASE), ("query", QUERY)):
        assert {rows[i] for i in getattr(split, part)} == set(expected)
    for item, i in enumerate(rows):
        assert data.images.load(item).getpixel((0, 0))[0] == pytest.approx(10 * i, abs=6)


def deep_hash(home):
    for part, rows in PARTS.items():
        (home / f"{part}.txt").write_text(lines(rows))


def prefixes(home):
    for part, rows in PARTS.items():
        (home / f"{part}.txt").write_text(lines(rows, prefix="/home/me/dataset/nuswide/"))


def dhd(home):
    for part, rows in {"Train": TRAIN, "Query": QUERY, "DB": DATABASE}.items():
        (home / f"nuswide_m_{part}.txt").write_text(lines(rows).replace("images/", ""))


def csv(home):
    for part, rows in {"train": TRAIN, "test": QUERY, "db": DATABASE}.items():
        (home / f"{part}.csv").write_text(lines(rows, separator=","))


def treezzz(home):
    for part, rows in PARTS.items():
        (home / f"{part}_img.txt").write_text("".join(f"{nuswide_name(i)}\n" for i in rows))
        hot = "".join(" ".join(map(str, LABELS[i])) + "\n" for i in rows)
        (home / f"{part}_label_onehot.txt").write_text(hot)
        classes = "".join(" ".join(map(str, np.flatnonzero(LABELS[i]))) + "\n" for i in rows)
        if part != "train":
            (home / f"{part}_label.txt").write_text(classes)


def treezzz_classes(home):
    treezzz(home)
    for part in ("test", "database"):
        (home / f"{part}_label_onehot.txt").unlink()


def index_files(home):
    (home / "images_name.txt").write_text("".join(f"{nuswide_name(i)}\n" for i in range(16)))
    rows = "".join(" ".join(map(str, row)) + "\n" for row in LABELS)
    (home / "label_hot.txt").write_text(rows)
    for part, rows in PARTS.items():
        (home / f"{part}_ind.txt").write_text("".join(f"{i + 1}\n" for i in rows))


def json_split(home):
    (home / "allannots.txt").write_text(lines(range(16)))
    parts = {"train": TRAIN, "db": DATABASE, "query": QUERY}
    split = {part: [nuswide_name(i) for i in rows] for part, rows in parts.items()}
    (home / "hash_split_for_nus.json").write_text(json.dumps(split))


def json_numbers(home):
    json_split(home)
    parts = {"train": TRAIN, "db": DATABASE, "query": QUERY}
    split = {part: list(rows) for part, rows in parts.items()}
    (home / "hash_split_for_nus.json").write_text(json.dumps(split))


FORMS = [
    *(deep_hash, prefixes, dhd, csv, treezzz, treezzz_classes, index_files, json_split),
    json_numbers,
]


@pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)
def test_every_form_gives_the_same_items_and_split(tmp_path, write):
    home = tmp_path / "nus21"
    home.mkdir()
    write(home)
    photos(home)
    all_tags(home)
    data = opened(home)
    check(data)
    assert data.name == "nus21"
    rows = [IDS.index(int(data.images.name(i)[-8:-4])) for i in range(16)]
    assert list(data.tags) == [TAGS[i] for i in rows]
    notes = " / ".join(data.notes)
    assert "without any label: 1 of 4 queries, 1 of 6 training items, 1 of 12 database" in notes
    assert "read as lists" in notes


def test_photos_below_the_data_root_matched_by_photo_id(tmp_path):
    home = tmp_path / "nus21"
    home.mkdir()
    deep_hash(home)
    root = tmp_path / "data"
    photos(root / "nuswide", lambda i: f"Flickr/sea/9{i:04d}_{IDS[i]}_0a1b_m.jpg")
    all_tags(root / "nuswide" / "NUS_WID_Tags")
    data = opened(home, root)
    assert len(data) == 16
    assert data.images.name(0) == "nuswide/Flickr/sea/90000_1000_0a1b_m.jpg"
    assert data.images.load(2).getpixel((0, 0))[0] == pytest.approx(20, abs=6)
    assert data.has_tags


def test_missing_photos_leave_every_part(tmp_path):
    home = tmp_path / "nus21"
    home.mkdir()
    deep_hash(home)
    photos(home, rows=[i for i in range(16) if i not in (3, 9, 15)])
    data = opened(home)
    sizes = [len(part) for part in (data.split.train, data.split.database, data.split.query)]
    assert sizes == [5, 10, 3]
    assert set(data.missing) == {nuswide_name(i) for i in (3, 9, 15)}
    assert any("3 of 16 images" in note for note in data.notes)


def test_features_in_place_of_photos(tmp_path):
    home = tmp_path / "nus21"
    (home / "features").mkdir(parents=True)
    deep_hash(home)
    with pytest.raises(InputError, match=r"none of the 16 images .*images/0000_1000\.jpg"):
        opened(home)
    np.save(home / "features" / "vgg.npy", np.zeros((16, 3), dtype=np.float32))
    data = opened(home)
    assert data.default_features == "vgg"
    assert data.n_rows == 16


def test_queries_inside_the_database_are_taken_out(tmp_path, capsys):
    home = tmp_path / "cifar"
    home.mkdir()
    for part, rows in {"train": [0, 1, 2, 13], "test": QUERY, "database": range(14)}.items():
        (home / f"{part}.txt").write_text(lines(rows, flickr_name) + lines([rows[0]], flickr_name))
    photos(home, flickr_name)
    data = opened(home)
    assert sorted(map(len, (data.split.train, data.split.query, data.split.database))) == [3, 4, 12]
    results = str(tmp_path / "results")
    assert main(["--dataset", str(home), "--lint", "--results", results]) == 0
    sheet = " ".join(capsys.readouterr().out.split())
    assert "queries inside the database list, which were taken out of it: 2" in sheet
    assert "queries inside the train list, which were taken out of it: 1" in sheet
    assert "images listed twice for database: 1" in sheet
    assert "without any label: 1 of 4 queries" in sheet


def test_lists_without_a_split_get_a_drawn_one(tmp_path):
    home = tmp_path / "mir"
    home.mkdir()
    (home / "img.txt").write_text("".join(f"{flickr_name(i)}\n" for i in range(16)))
    (home / "targets.txt").write_text("".join(" ".join(map(str, row)) + "\n" for row in LABELS))
    photos(home / "deeper", flickr_name)
    data = opened(home, parameters="[n_query=3,n_train=5]")
    assert data.name == "mir[n_query=3,n_train=5]"
    assert (len(data.split.query), len(data.split.train), len(data.split.database)) == (3, 5, 13)
    tags = home / "mirflickr" / "meta" / "tags"
    tags.mkdir(parents=True)
    (tags / "tags3.txt").write_text("sky\nme\n")
    (tags / "tags4.txt").write_text("")
    tagged = opened(home)
    assert [given for given in tagged.tags if given] == [("sky", "me")]


def test_two_sets_of_lists_need_a_choice(tmp_path):
    home = tmp_path / "nus"
    home.mkdir()
    for name in ("sett1", "sett2"):
        for part, rows in PARTS.items():
            (home / f"{part}_{name}.txt").write_text(lines(rows))
    photos(home)
    with pytest.raises(InputError, match=r"2 sets of lists: sett1 .* and sett2 .*lists=sett1"):
        opened(home)
    data = opened(home, parameters="[lists=sett2]")
    check(data)
    assert data.name == "nus[lists=sett2]"
    with pytest.raises(InputError, match="no lists sett3"):
        opened(home, parameters="[lists=sett3]")


def test_21_columns_of_nuswide_have_names(tmp_path):
    home = tmp_path / "nus"
    home.mkdir()
    for part, rows in PARTS.items():
        text = lines(rows).replace("\n", " 0" * 17 + "\n")
        (home / f"{part}.txt").write_text(text)
    photos(home)
    assert list(opened(home).label_names)[:3] == ["sky", "clouds", "person"]


def test_tags_of_a_file_are_joined(tmp_path, capsys):
    home = tmp_path / "nus"
    home.mkdir()
    deep_hash(home)
    photos(home)
    all_tags(tmp_path / "elsewhere")
    arguments = ["--dataset", str(home), "--results", str(tmp_path / "results"), "--lint"]
    assert main([*arguments, "--tags", str(tmp_path / "elsewhere" / "All_Tags.txt")]) == 0
    assert "joined by photo id: 16 of 16 items" in " ".join(capsys.readouterr().out.split())
    (tmp_path / "wrong.txt").write_text("999 sky\n")
    assert main([*arguments, "--tags", str(tmp_path / "wrong.txt")]) == 2
    assert "but of none of the 16" in capsys.readouterr().err
    assert main([*arguments, "--tags", str(tmp_path / "no.txt")]) == 2


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "train.txt",
            "images/a.jpg 1 0 0 0\n" * 60 + "images/b.jpg 1 0 0\n",
            "line 61: .* 3 words",
        ),
        ("train.txt", "images/a.jpg 1 0 0 0\n" * 60 + "images/b.jpg 1 0 0 2\n", "line 61"),
    ],
)
def test_a_bad_line_is_named(tmp_path, file, text, message):
    home = tmp_path / "nus"
    home.mkdir()
    deep_hash(home)
    photos(home)
    (home / file).write_text(text)
    with pytest.raises(InputError, match=message):
        opened(home)


def test_files_of_different_lengths(tmp_path):
    home = tmp_path / "nus"
    home.mkdir()
    index_files(home)
    photos(home)
    (home / "test_ind.txt").write_text("13\n17\n")
    with pytest.raises(InputError, match=r"test_ind\.txt: item numbers go beyond the 16 items"):
        opened(home)
    (home / "label_hot.txt").write_text("1 0 0 0\n1 0 1 0\n")
    with pytest.raises(InputError, match=r"label_hot\.txt has 2 rows, but images_name\.txt 16"):
        opened(home)


def test_coco_by_its_lists(tmp_path):
    def name(i):
        return f"{'train' if i % 2 else 'val'}2014/COCO_train2014_{i:012d}.jpg"

    home = tmp_path / "coco"
    home.mkdir()
    with pytest.raises(InputError, match=r"no lists in .*coco; put train\.txt"):
        open_dataset("coco", tmp_path, tmp_path / "cache")
    for part, rows in PARTS.items():
        (home / f"{part}.txt").write_text(lines(rows, name, prefix="/data/coco/"))
    photos(home / "images", name)
    data = open_dataset("coco", tmp_path, tmp_path / "cache")
    check(data, lambda i: name(i))
    assert data.name == "coco"
    assert not data.has_tags
