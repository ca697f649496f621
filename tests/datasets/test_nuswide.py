"""The NUS-WIDE reader on miniature trees in the official formats."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets.collection import PaperSetting
from benchmark.datasets.given import check_given_features
from benchmark.datasets.nuswide import FREQUENT
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError

CONCEPTS = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "nuswide"

#: Some of the 81; the others are made up in the miniature tree.
OTHERS = ("airport", "bear", "zebra")

#: Photo number, concepts, tags.  The numbers 70 and 80 occur twice: 70 with equal labels, 80 with
#: different ones.
PHOTOS = [
    (11, ["lake", "water"], "portrait man actor"),
    (12, ["sky"], ""),
    (70, ["sky", "clouds"], "sky blue sky"),
    (13, ["zebra"], "zebra africa"),
    (80, ["person"], "me"),
    (14, [], "nothing"),
    (70, ["sky", "clouds"], "sky blue"),
    (15, ["lake"], "lake été"),
    (80, ["person", "sky"], "me sky"),
    (16, ["window"], "rare"),
    (17, ["tree"], "tree"),
    (18, ["beach"], "beach sand"),
]


#: What the setting wmh means.
WMH_SETTING = "benchmark.datasets.copies.published.WMH"


def build(root, folder="nuswide", *, halves=False, images=True):
    """Write the tree, with back-slashes, trailing blanks and carriage returns."""
    home = root / folder
    concepts = sorted({*FREQUENT, *OTHERS})
    names = [f"folder{k % 3}\\{k:04d}_{photo}.jpg" for k, (photo, _, _) in enumerate(PHOTOS)]
    for part in ("ConceptsList", "ImageList", "NUS_WID_Tags", "Groundtruth"):
        (home / part).mkdir(parents=True)
    (home / "ConceptsList" / "Concepts81.txt").write_text("\n".join(concepts) + "\n")
    (home / "ImageList" / "Imagelist.txt").write_text("".join(f"{n} \r\n" for n in names))
    tags = "".join(f"{photo}      {words} \n" for photo, _, words in PHOTOS)
    (home / "NUS_WID_Tags" / "All_Tags.txt").write_text(tags, encoding="utf-8")
    parts = {"Train": range(0, len(PHOTOS), 2), "Test": range(1, len(PHOTOS), 2)}
    for part, rows in parts.items() if halves else ():
        lines = [names[row] for row in rows]
        (home / "ImageList" / f"{part}Imagelist.txt").write_text("\n".join(lines) + "\n")
    for concept in concepts:
        column = [int(concept in given) for _, given, _ in PHOTOS]
        if not halves:
            save_column(home / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt", column)
        for part, rows in parts.items() if halves else ():
            file = home / "Groundtruth" / "TrainTestLabels" / f"Labels_{concept}_{part}.txt"
            save_column(file, [column[row] for row in rows])
    for k, name in enumerate(names if images else ()):
        file = home / "Flickr" / name.replace("\\", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 4), (20 * k, 0, 0)).save(file)
    return home


def save_column(file, column):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{value} \r\n" for value in column))


def photos(data):
    """Flickr numbers of the items."""
    return [int(data.images.name(i).rpartition("_")[2][:-4]) for i in range(len(data))]


@pytest.mark.parametrize("folder", ["nuswide", "NUS-WIDE", "nus-wide", "."])
def test_21_labels(tmp_path, folder):
    build(tmp_path, folder)
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    # Without a label of the 21: zebra, nothing; the second 70 and both 80 are duplicates.
    assert photos(data) == [11, 12, 70, 15, 16, 17, 18]
    assert data.label_names == FREQUENT
    assert data.rows.tolist() == [0, 1, 2, 7, 9, 10, 11]
    on = [{data.label_names[k] for k in np.flatnonzero(row)} for row in data.labels]
    assert on == [{"lake", "water"}, {"sky"}, {"sky", "clouds"}, {"lake"}, {"window"}, {"tree"},
                  {"beach"}]  # fmt: skip
    assert data.tags[:4] == [("portrait", "man", "actor"), (), ("sky", "blue"), ("lake", "été")]
    assert data.images.load(0).size == (5, 4)
    notes = " / ".join(data.notes)
    assert "1 whose labels agree" in notes
    assert "1 whose labels differ" in notes


def test_81_labels_take_all_images(tmp_path):
    build(tmp_path)
    data = open_dataset("nuswide[labels=81]", tmp_path, tmp_path / "cache")
    assert photos(data) == [11, 12, 70, 13, 14, 15, 16, 17, 18]
    assert list(data.label_names) == sorted({*FREQUENT, *OTHERS})
    assert data.labels[3, data.label_names.index("zebra")]
    assert data.name == "nuswide[labels=81]"
    assert set(data.split.query) | set(data.split.database) == set(range(9))


def test_the_split_is_drawn_as_asked_kept_and_used_again(tmp_path):
    build(tmp_path)
    text = "nuswide[n_query=2,n_database=4]"
    data = open_dataset(text, tmp_path, tmp_path / "cache")
    assert len(data) == 6
    assert len(data.split.query) == 2
    assert len(data.split.database) == 4
    again = open_dataset(text, tmp_path, tmp_path / "cache")
    assert again.split.checksum == data.split.checksum
    assert again.fingerprint == data.fingerprint
    other = open_dataset(text[:-1] + ",split_seed=1]", tmp_path, tmp_path / "cache")
    assert photos(other) != photos(data) or other.split.checksum != data.split.checksum


def test_a_small_tree_keeps_the_share_of_queries(tmp_path):
    build(tmp_path)
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert len(data.split.query) == 1
    assert len(data.split.database) == 6
    assert any("instead of 2,000 and 100,000" in note for note in data.notes)


def test_train_and_test_files_with_the_lake_bug(tmp_path):
    home = build(tmp_path / "halves", halves=True)
    file = home / "Groundtruth" / "TrainTestLabels" / "Labels_lake_Train.txt"
    lines = file.read_text().split()
    assert lines[1] == "0"
    lines[1] = "-1130179"
    file.write_text("\n".join(lines) + "\n")
    build(tmp_path / "whole")
    first = open_dataset("nuswide", tmp_path / "halves", tmp_path / "a")
    second = open_dataset("nuswide", tmp_path / "whole", tmp_path / "b")
    np.testing.assert_array_equal(first.labels, second.labels)
    assert photos(first) == photos(second)
    notes = [note for note in first.notes if "Labels_lake_Train.txt" in note]
    assert len(notes) == 1
    assert "read as 0: 1," in notes[0]
    assert "-1130179 in line 2" in notes[0]


def test_the_list_of_tags_limits_them(tmp_path):
    home = build(tmp_path)
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert any("Final_Tag_List" in note for note in data.notes)
    (home / "NUS_WID_Tags" / "Final_Tag_List.txt").write_text("sky\nman\n")
    limited = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert limited.tags[:3] == [("man",), (), ("sky",)]
    assert not any("Final_Tag_List" in note for note in limited.notes)


def test_images_that_are_missing(tmp_path):
    home = build(tmp_path)
    (home / "Flickr" / "folder0" / "0000_11.jpg").unlink()
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert 11 not in photos(data)
    assert any("1 of 7 images" in note for note in data.notes)
    shutil.rmtree(home / "Flickr")
    with pytest.raises(InputError, match=r"no image was found.*official NUS-WIDE page.*features"):
        open_dataset("nuswide", tmp_path, tmp_path / "cache")


def test_features_instead_of_images(tmp_path):
    home = build(tmp_path, images=False)
    (home / "features").mkdir()
    X = np.arange(len(PHOTOS) * 2, dtype=np.float32).reshape(-1, 2)
    np.save(home / "features" / "fc7.npy", X)
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert data.images is None
    assert data.default_features == "fc7"
    np.testing.assert_array_equal(check_given_features(data, "fc7").rows, data.rows)
    np.save(home / "features" / "fc7.npy", X[data.rows])
    with pytest.raises(InputError, match=r"7 rows.*needs 12"):
        check_given_features(data, "fc7")
    X[data.rows[3]] = np.nan
    np.save(home / "features" / "fc7.npy", X)
    with pytest.raises(InputError, match="row 7 "):
        check_given_features(data, "fc7")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"All_Tags.txt, .*AllLabels are missing"):
        open_dataset("nuswide", tmp_path, tmp_path)
    home = build(tmp_path)
    (home / "Groundtruth" / "AllLabels" / "Labels_sky.txt").unlink()
    (home / "Groundtruth" / "AllLabels" / "Labels_lake.txt").unlink()
    with pytest.raises(InputError, match=r"Labels_lake.txt, .*Labels_sky.txt are missing"):
        open_dataset("nuswide", tmp_path, tmp_path)
    shutil.rmtree(home / "Groundtruth")
    with pytest.raises(InputError, match=r"AllLabels is missing"):
        open_dataset("nuswide", tmp_path, tmp_path)


def test_files_that_do_not_fit_together(tmp_path):
    home = build(tmp_path)
    tags = home / "NUS_WID_Tags" / "All_Tags.txt"
    whole = tags.read_text(encoding="utf-8")
    tags.write_text(whole.replace("11  ", "99  ", 1), encoding="utf-8")
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert any(
        "All_Tags.txt: lines with the number of another photo: 1" in note for note in data.notes
    )
    tags.write_text(whole[:60], encoding="utf-8")
    with pytest.raises(InputError, match=r"All_Tags.txt has .* lines, but the image list 12"):
        open_dataset("nuswide", tmp_path, tmp_path / "cache")
    tags.write_text(whole, encoding="utf-8")
    column = home / "Groundtruth" / "AllLabels" / "Labels_sky.txt"
    column.write_text("0\n1\n")
    with pytest.raises(InputError, match=r"Labels_sky.txt has 2 lines"):
        open_dataset("nuswide", tmp_path, tmp_path / "cache")
    column.write_text("0\nyes\n")
    with pytest.raises(InputError, match=r"Labels_sky.txt.*0 or 1"):
        open_dataset("nuswide", tmp_path, tmp_path / "cache")


def test_setting_wmh_takes_images_with_a_label_and_a_frequent_tag(tmp_path, monkeypatch):
    build(tmp_path)
    monkeypatch.setattr(
        "benchmark.datasets.copies.published.WMH", PaperSetting((1, 5), min_images=1)
    )
    data = open_dataset("nuswide[setting=wmh]", tmp_path, tmp_path / "cache")
    # Not 12, which has no tags.
    assert photos(data) == [11, 70, 15, 16, 17, 18]
    assert (len(data.split.query), len(data.split.train)) == (1, 5)
    assert any("6 images have a label and a tag" in note for note in data.notes)
    # Tags of two images or more are sky, blue and me; one usable photo has any of them.
    monkeypatch.setattr(
        "benchmark.datasets.copies.published.WMH", PaperSetting((1, 5), min_images=2)
    )
    with pytest.raises(InputError, match="1 items can be chosen"):
        open_dataset("nuswide[setting=wmh]", tmp_path, tmp_path / "cache")
    with pytest.raises(InputError, match="setting must be default or wmh"):
        open_dataset("nuswide[setting=other]", tmp_path, tmp_path / "cache")


def test_parameters_out_of_range(tmp_path):
    build(tmp_path)
    with pytest.raises(InputError, match="21 or 81"):
        open_dataset("nuswide[labels=10]", tmp_path, tmp_path)
    with pytest.raises(InputError, match="n_query must be a whole number"):
        open_dataset("nuswide[n_query=0,n_database=3]", tmp_path, tmp_path)


@pytest.mark.skipif(not CONCEPTS.is_dir(), reason="needs the shared folder with NUS-WIDE's lists")
def test_the_21_concepts_are_in_the_official_order():
    official = (CONCEPTS / "Concepts81.txt").read_text().split()
    assert len(official) == 81
    assert [concept for concept in official if concept in FREQUENT] == list(FREQUENT)
    assert len(set(FREQUENT)) == 21
