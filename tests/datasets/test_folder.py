"""Folder data sets: what is read, and what each mistake is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets.folder import multi_hot, read_folder
from benchmark.datasets.given import check_given_features, read_given_features
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError

COREL = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "corel5k"
HEADER = "image,tags,labels,split"


def write(folder, rows, header=HEADER, images=True, encoding="utf-8"):
    """A folder with a manifest and a small image for each name in its first column."""
    folder.mkdir(exist_ok=True)
    text = "\n".join([header, *rows]) + "\n"
    (folder / "manifest.csv").write_bytes(text.encode(encoding))
    for name in {row.split(",")[0] for row in rows} if images else ():
        if name and not name.startswith(("/", "..")):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4), (len(name), 0, 0)).save(file)
    return folder


GOOD = [
    "a/1.png,sea sun sea,beach water,train+database",
    "a/2.png,,city,database",
    "a/3.png,Straße,,train",
    "4.png,sun,water,query",
]


def test_a_small_folder(tmp_path):
    data = read_folder(write(tmp_path / "mine", GOOD))
    assert data.name == "mine"
    assert list(data.label_names) == ["beach", "city", "water"]
    np.testing.assert_array_equal(
        data.labels.astype(int), [[1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    )
    assert data.tags == [("sea", "sun"), (), ("Straße",), ("sun",)]
    assert data.split.train.tolist() == [0, 2]
    assert data.split.database.tolist() == [0, 1]
    assert data.split.query.tolist() == [3]
    assert data.split.seed is None
    assert data.default_features == "alexnet-fc7"
    assert data.images.name(3) == "4.png"
    assert data.images.load(0).size == (4, 4)
    assert data.notes == []


def test_column_order_extra_columns_and_a_byte_order_mark_do_not_matter(tmp_path):
    rows = [",".join([*reversed(row.split(",")), "x"]) for row in GOOD]
    folder = write(tmp_path / "a", rows, "split,labels,tags,image,note", False, "utf-8-sig")
    write(folder, GOOD)
    plain = read_folder(folder)
    (folder / "manifest.csv").write_text(
        "\n".join(["split,labels,tags,image,note", *rows]), encoding="utf-8-sig"
    )
    turned = read_folder(folder)
    np.testing.assert_array_equal(turned.labels, plain.labels)
    assert turned.split.checksum == plain.split.checksum
    assert turned.tags == plain.tags


def test_words_that_look_like_missing_values_stay_words(tmp_path):
    rows = ["1.png,NA null 007,nan,database+train", "2.png,None,NaN,query"]
    data = read_folder(write(tmp_path / "a", rows))
    assert data.tags == [("NA", "null", "007"), ("None",)]
    assert list(data.label_names) == ["NaN", "nan"]


def test_the_fingerprint_follows_manifest_and_image_sizes(tmp_path):
    folder = write(tmp_path / "a", GOOD)
    first = read_folder(folder).fingerprint
    assert read_folder(folder).fingerprint == first
    Image.effect_noise((32, 32), 50).save(folder / "4.png")
    second = read_folder(folder).fingerprint
    write(folder, [*GOOD[:3], "4.png,sun,city,query"], images=False)
    assert len({first, second, read_folder(folder).fingerprint}) == 3


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        ([row.rsplit(",", 1)[0] for row in GOOD], "image,tags,labels", ["lacks", "column split"]),
        (GOOD, "image,tags,labels", ["lacks", "column split"]),
        (GOOD, "image,tags,split,labels,split", ["two columns split"]),
        (["", "", *GOOD[:2], "", "5.png,,city,test"], HEADER, ["line 7", "'test'"]),
        (['1.png,"a,city,train', *GOOD[1:]], HEADER, ["line 2", "quotation"]),
        (GOOD, "file,tags,class,split", ["lacks", "image and labels"]),
        ([*GOOD, "5.png,,city,test"], HEADER, ["line 6", "'test'", "query"]),
        ([*GOOD, "5.png,,city,"], HEADER, ["line 6", "empty"]),
        ([*GOOD, "5.png,,city,train+query"], HEADER, ["line 6", "train+query", "must not"]),
        ([*GOOD, "5.png,,city,query+database"], HEADER, ["line 6", "must not"]),
        ([*GOOD, "a/2.png,,sea,train"], HEADER, ["line 6", "a/2.png", "line 3"]),
        ([*GOOD, "./a/../a/2.png,,sea,train"], HEADER, ["line 6", "line 3"]),
        ([*GOOD, "../5.png,,sea,train"], HEADER, ["line 6", "inside the folder"]),
        ([*GOOD, "/tmp/5.png,,sea,train"], HEADER, ["line 6", "inside the folder"]),
        ([*GOOD, ",,sea,train"], HEADER, ["line 6", "no image", "features"]),
        ([*GOOD, "5.png,,sea"], HEADER, ["line 6", "split is empty"]),
        ([*GOOD, "5.png,,sea,train,x"], HEADER, ["line 6", "5 cells"]),
        ([row + ",x" for row in GOOD], HEADER, ["line 2", "5 cells"]),
        ([r.replace("beach water", "").replace("city", "").replace("water", "") for r in GOOD],
         HEADER, ["labels", "empty"]),
        (GOOD[:3], HEADER, ["no row has query"]),
        ([GOOD[1], GOOD[3]], HEADER, ["no row has train"]),
        ([GOOD[2], GOOD[3]], HEADER, ["no row has database"]),
    ],
)  # fmt: skip
def test_mistakes_in_the_manifest(tmp_path, rows, header, words):
    folder = write(tmp_path / "mine", rows, header)
    with pytest.raises(InputError) as error:
        open_dataset(str(folder), tmp_path, tmp_path)
    message = str(error.value)
    assert "\n" not in message
    for word in [str(folder / "manifest.csv"), *words]:
        assert word in message


def test_missing_images_are_counted(tmp_path):
    folder = write(tmp_path / "mine", GOOD)
    (folder / "a" / "2.png").unlink()
    (folder / "4.png").unlink()
    with pytest.raises(InputError, match=r"missing image files: 2 of 4.*a/2\.png \(line 3\)"):
        read_folder(folder)


def test_no_manifest_no_folder_not_utf8(tmp_path):
    with pytest.raises(InputError, match=r"manifest\.csv is missing.*image,tags,labels,split"):
        open_dataset(str(tmp_path), tmp_path, tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        open_dataset(f"{tmp_path}/nowhere", tmp_path, tmp_path)
    with pytest.raises(InputError, match="UTF-8"):
        read_folder(write(tmp_path / "mine", GOOD, encoding="latin-1"))
    (tmp_path / "mine" / "manifest.csv").write_text("")
    with pytest.raises(InputError, match="is empty"):
        read_folder(tmp_path / "mine")


def test_names_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r"did you mean nuswide.*manifest\.csv"):
        open_dataset("nuswid", tmp_path, tmp_path)
    with pytest.raises(InputError, match="no parameter"):
        open_dataset("demo[size=3]", tmp_path, tmp_path)


def test_multi_hot_with_repeats():
    matrix, names = multi_hot([["b", "b"], [], ["a", "c"]])
    assert names == ["a", "b", "c"]
    assert matrix.astype(int).tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 1]]


class TestGivenFeatures:
    @pytest.fixture
    def folder(self, tmp_path):
        rows = [",," + row.split(",", 2)[2] for row in GOOD]
        folder = write(tmp_path / "mine", rows)
        (folder / "features").mkdir()
        return folder

    def save(self, folder, array, name="fc"):
        np.save(folder / "features" / f"{name}.npy", array)
        return read_folder(folder)

    def test_features_instead_of_images(self, folder):
        X = np.arange(12, dtype=np.float32).reshape(4, 3)
        data = self.save(folder, X)
        assert data.images is None
        assert data.default_features == "fc"
        given = check_given_features(data, "fc")
        assert given.path == folder / "features" / "fc.npy" and given.n_features == X.shape[1]
        np.testing.assert_array_equal(np.load(given.path)[given.rows], X)

    def test_several_files_without_images_are_noted(self, folder):
        self.save(folder, np.ones((4, 2)), "b")
        data = self.save(folder, np.ones((4, 2)), "a")
        assert data.default_features == "a"
        assert "several" in data.notes[0]

    def test_features_beside_images(self, tmp_path):
        folder = write(tmp_path / "both", GOOD)
        (folder / "features").mkdir()
        data = self.save(folder, np.ones((4, 2)))
        assert data.images is not None
        assert data.default_features == "alexnet-fc7"
        assert check_given_features(data, "fc").n_features == 2

    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.ones((4, 3), dtype=int), "int64, not floats"),
            (np.ones(4), r"shape \(4,\)"),
            (np.ones((4, 3, 2)), "shape"),
            (np.ones((3, 3)), "3 rows.*needs 4"),
            (np.ones((5, 3)), "5 rows.*needs 4"),
            (np.array([[1.0], [2], [np.nan], [3]]), "row 2 .*NaN"),
            (np.array([[1.0], [np.inf], [0], [3]]), "row 1 .*infinite"),
            (np.array([{}, {}], dtype=object), r"not a readable \.npy file"),
        ],
    )
    def test_mistakes(self, folder, array, words):
        data = self.save(folder, array)
        with pytest.raises(InputError, match=rf"fc\.npy.*{words}") as error:
            read_given_features(check_given_features(data, "fc"), folder / "cache")
        assert "\n" not in str(error.value)

    def test_not_an_array_at_all(self, folder):
        (folder / "features" / "fc.npy").write_bytes(b"no array")
        data = read_folder(folder)
        with pytest.raises(InputError, match=r"not a readable \.npy file"):
            check_given_features(data, "fc")
        with (folder / "features" / "fc.npy").open("wb") as file:
            np.savez(file, a=np.ones(3))
        with pytest.raises(InputError, match="archive"):
            check_given_features(data, "fc")
        with pytest.raises(InputError, match="it has fc"):
            check_given_features(data, "fc8")


@pytest.mark.skipif(not COREL.is_dir(), reason="needs the shared folder with Corel5k")
def test_corel5k(tmp_path):
    data = open_dataset(str(COREL), tmp_path, tmp_path)
    assert data.name == "corel5k"
    assert len(data) == 4999
    assert len(data.split.query) == 499
    assert len(data.split.database) == len(data.split.train) == 4500
    assert data.labels.shape == (4999, 50)
    assert (data.labels.sum(axis=1) == 1).all()
    assert len({word for given in data.tags for word in given}) == 374
    assert sum(map(len, data.tags)) / 4999 == pytest.approx(3.52, abs=0.005)
    assert data.tags[0] == ("bear", "polar", "snow", "tundra")
    assert data.images.load(0).size == (128, 192)
