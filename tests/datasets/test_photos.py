"""Photos found by name and photo id, on miniature trees."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.copies.photos import Found, PhotoIndex, photo_id
from benchmark.errors import InputError


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("actor/0001_2124494179.jpg", "2124494179"),
        ("images/83796_799247112_276c55a843_m.jpg", "799247112"),
        ("8228_2275882321_a4bf6754ba_m.jpg", "2275882321"),
        ("799247112_276c55a843_m.jpg", "799247112"),
        ("799247112_276c55a843.jpg", "799247112"),
        ("799247112_2765558431_m.jpg", "799247112"),
        ("2124494179.jpg", "2124494179"),
        ("2124494179", "2124494179"),
        ("im13368.jpg", ""),
    ],
)
def test_photo_id(name, number):
    assert photo_id(name) == number


def tree(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return PhotoIndex(folder)


def test_the_exact_path_then_the_longest_tail_then_the_photo_id(tmp_path):
    index = tree(tmp_path, "train/cat/1.png", "test/cat/1.png", "flat/7_99.jpg", "m/3_55_ab_m.jpg")
    assert index.find("test/cat/1.png") == "test/cat/1.png"
    assert index.find("/home/me/data/train/cat/1.png") == "train/cat/1.png"
    assert index.find("sea/7_99.jpg") == "flat/7_99.jpg"
    assert index.find("sea/0001_55.jpg") == "m/3_55_ab_m.jpg"
    assert index.find("99") == "flat/7_99.jpg"
    assert index.find("sea/0001_77.jpg") is None
    assert index.find("im7.jpg") is None


def test_two_files_that_fit_equally_well_are_named(tmp_path):
    index = tree(tmp_path, "a/7.jpg", "b/7.jpg", "a/1_55.jpg", "a/2_55.jpg")
    with pytest.raises(InputError, match=r"c/7\.jpg may be a/7\.jpg or b/7\.jpg"):
        index.find("c/7.jpg")
    with pytest.raises(InputError, match=r"may be a/1_55\.jpg or a/2_55\.jpg"):
        index.find("c/3_55.jpg")


def test_a_link_to_a_folder_is_followed_and_a_circle_is_not(tmp_path):
    tree(tmp_path / "elsewhere", "1_5.jpg")
    home = tmp_path / "home"
    home.mkdir()
    (home / "images").symlink_to(tmp_path / "elsewhere")
    (home / "again").symlink_to(home)
    assert PhotoIndex(home).find("x/1_5.jpg") == "images/1_5.jpg"


def test_missing_photos_are_counted_and_named(tmp_path):
    names = ["a/1_10.jpg", *(f"a/{k}_{k}0.jpg" for k in range(2, 9))]
    found = Found(names, tree(tmp_path, "1_10.jpg", "a/3_30.jpg"))
    notes = []
    assert found.present(np.arange(8), notes).tolist() == [0, 2]
    assert "6 of 8 images: a/2_20.jpg, a/4_40.jpg" in notes[0]
    assert "a/7_70.jpg and 1 more" in notes[0]
    assert "by file name or photo id" in notes[1]
    assert notes[1].endswith(": 1")
    assert found.missing(np.arange(3)) == ["a/2_20.jpg"]
