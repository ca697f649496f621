"""Features as feature.bin, id.txt and shape.txt, on miniature files."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.copies.binary import given_features, read_binary_features
from benchmark.errors import InputError


def write(folder, ids, X):
    folder.mkdir(parents=True)
    np.asarray(X, dtype="<f4").tofile(folder / "feature.bin")
    (folder / "id.txt").write_text(" ".join(ids))
    (folder / "shape.txt").write_text(f"{len(X)} {len(X[0])}")
    return folder


@pytest.mark.parametrize("ids", [["30", "10", "40"], ["im30", "im10", "im40"]])
def test_rows_are_brought_into_the_order_of_the_items(tmp_path, ids):
    X = np.array([[3, 3.5], [1, 1.5], [4, 4.5]])
    write(tmp_path / "vgg16", ids, X)
    names = ["a/1_10.jpg", "a/2_20.jpg", "im30.jpg"]
    notes = []
    features, covered = given_features(tmp_path, names, tmp_path / "cache", notes)
    assert covered.tolist() == [True, False, True]
    stored = np.load(features["vgg16"])
    np.testing.assert_array_equal(stored[[0, 2]], X[[1, 0]])
    assert np.isnan(stored[1]).all()
    assert "2 of 3 items" in notes[0]


def test_a_changed_file_is_converted_again(tmp_path):
    folder = write(tmp_path / "vgg16", ["1", "2"], [[1.0], [2.0]])
    first, _ = given_features(tmp_path, ["1", "2"], tmp_path / "cache", [])
    np.asarray([[5.0], [6.0]], dtype="<f4").tofile(folder / "feature.bin")
    second, _ = given_features(tmp_path, ["1", "2"], tmp_path / "cache", [])
    assert np.load(first["vgg16"]).ravel().tolist() == [1, 2]
    assert np.load(second["vgg16"]).ravel().tolist() == [5, 6]


def test_files_that_do_not_fit_together(tmp_path):
    folder = write(tmp_path / "vgg16", ["1", "2"], [[1.0], [2.0]])
    (folder / "id.txt").write_text("1 2 3")
    with pytest.raises(InputError, match=r"id\.txt has 3 ids, but shape\.txt 2 rows"):
        read_binary_features(folder)
    (folder / "id.txt").write_text("1 2")
    (folder / "feature.bin").write_bytes(b"1234567")
    with pytest.raises(InputError, match=r"7 bytes, but 2 x 1 values of float32 take 8"):
        read_binary_features(folder)
    (folder / "shape.txt").write_text("2, 1")
    with pytest.raises(InputError, match=r"numbers of rows and of columns, not '2, 1'"):
        read_binary_features(folder)
    (folder / "shape.txt").unlink()
    with pytest.raises(InputError, match=r"shape\.txt is missing"):
        read_binary_features(folder)
