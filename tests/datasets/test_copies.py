"""NUS-WIDE and MIRFLICKR-25K as they are obtained now: without image list, flat, incomplete."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from test_binary_features import write as write_binary
from test_mirflickr import build as build_mirflickr
from test_nuswide import PHOTOS, build, photos

from benchmark.cli.main import main
from benchmark.datasets.given import check_given_features
from benchmark.datasets.opening import open_dataset


def flatten(home, name="images/{index}_{photo}.jpg"):
    """Take the image list away and put all photos into one folder."""
    (home / "ImageList" / "Imagelist.txt").unlink()
    for file in sorted((home / "Flickr").rglob("*.jpg"), key=lambda file: file.stem):
        index, photo = file.stem.split("_")
        target = home / name.format(index=index, photo=photo)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not any(target.parent.glob(f"*_{photo}*")):
            file.rename(target)
    shutil.rmtree(home / "Flickr")


@pytest.mark.parametrize("name", ["images/{index}_{photo}.jpg", "a/b/9{index}_{photo}_1b_m.jpg"])
def test_nuswide_without_image_list(tmp_path, name):
    build(tmp_path / "whole")
    whole = open_dataset("nuswide", tmp_path / "whole", tmp_path / "a")
    flatten(build(tmp_path / "flat"), name)
    flat = open_dataset("nuswide", tmp_path / "flat", tmp_path / "b")
    names = [flat.images.name(i).removesuffix(".jpg") for i in range(len(flat))]
    assert [int(name.split("_")[1]) for name in names] == photos(whole)
    np.testing.assert_array_equal(flat.labels, whole.labels)
    assert list(flat.tags) == list(whole.tags)
    assert flat.split.checksum == whole.split.checksum
    for i in range(len(flat)):
        assert flat.images.load(i).tobytes() == whole.images.load(i).tobytes()
    assert any("order of All_Tags.txt" in note for note in flat.notes)


def test_nuswide_from_archives_without_folders(tmp_path):
    home = build(tmp_path)
    flatten(home)
    (home / "NUS_WID_Tags" / "All_Tags.txt").rename(home / "All_Tags.txt")
    (home / "ConceptsList" / "Concepts81.txt").rename(home / "Concepts81.txt")
    assert len(open_dataset("nuswide[labels=81]", tmp_path, tmp_path / "cache")) == 9


def test_missing_photos_are_named_or_an_error(tmp_path, capsys):
    home = build(tmp_path)
    flatten(home)
    (home / "images" / "0000_11.jpg").unlink()
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert data.missing == ["11"]
    assert any("1 of 7 images: 11" in note for note in data.notes)
    arguments = ["--dataset", "nuswide", "--data-root", str(tmp_path), "--lint"]
    arguments += ["--results", str(tmp_path / "results")]
    assert main([*arguments, "--on-missing-image", "error"]) == 2
    assert "1 images are missing, the first is 11" in capsys.readouterr().err
    assert main(arguments) == 0
    assert "1 of 7 images: 11" in " ".join(capsys.readouterr().out.split())


def test_nuswide_with_binary_features_of_some_photos(tmp_path):
    home = build(tmp_path, images=False)
    ids = [str(photo) for photo, *_ in reversed(PHOTOS) if photo != 12]
    X = np.array([[int(i), 1.0] for i in ids])
    write_binary(home / "vgg16fc7", ids, X)
    data = open_dataset("nuswide", tmp_path, tmp_path / "cache")
    assert data.default_features == "vgg16fc7"
    given = check_given_features(data, "vgg16fc7")
    assert np.load(given.path)[given.rows][:, 0].tolist() == [11, 70, 15, 16, 17, 18]


def test_mirflickr_photos_in_another_folder(tmp_path):
    build_mirflickr(tmp_path / "whole")
    whole = open_dataset("mirflickr25k", tmp_path / "whole", tmp_path / "a")
    home = build_mirflickr(tmp_path / "other")
    (home / "photos").mkdir()
    for file in (home / "mirflickr").glob("*.jpg"):
        file.rename(home / "photos" / file.name)
    other = open_dataset("mirflickr25k", tmp_path / "other", tmp_path / "b")
    assert [other.images.name(i) for i in range(6)][:2] == ["photos/im1.jpg", "photos/im2.jpg"]
    np.testing.assert_array_equal(other.labels, whole.labels)
    assert other.fingerprint == whole.fingerprint
