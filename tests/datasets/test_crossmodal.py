"""MATLAB and HDF5 files with features, labels and tags, on miniature files of each form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from benchmark.datasets.given import check_given_features
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError

N, D, C, V = 30, 6, 4, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype(np.float32)
L = np.eye(C)[RNG.integers(0, C, N)]
T = (RNG.random((N, V)) < 0.4).astype(float)


def matlab73(path, **variables):
    """An HDF5 file as MATLAB 7.3 writes it: a header of 512 bytes, axes reversed."""
    h5py = pytest.importorskip("h5py", reason="needs h5py (extra hdf5)")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            file[name] = np.asarray(value).T
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" "))


def python_hdf5(path, **variables):
    h5py = pytest.importorskip("h5py", reason="needs h5py (extra hdf5)")
    with h5py.File(path, "w") as file:
        for name, value in variables.items():
            file[name] = value


def matlab5(path, **variables):
    savemat(path, variables)


def vectors(data):
    given = check_given_features(data, data.default_features)
    return np.load(given.path)[given.rows]


def check_items(data, order=slice(None)):
    np.testing.assert_array_equal(vectors(data), X[order])
    np.testing.assert_array_equal(data.labels, L[order] > 0)
    words = [f"tag{k + 1}" for k in range(V)]
    assert list(data.tags) == [
        tuple(w for w, on in zip(words, row, strict=True) if on) for row in T[order]
    ]


@pytest.mark.parametrize("write", [matlab5, matlab73, python_hdf5])
def test_three_files(tmp_path, write):
    home = tmp_path / "mirflickr25k"
    home.mkdir()
    write(home / "mirflickr25k-iall-vgg.mat", XAll=X)
    write(home / "mirflickr25k-lall.mat", LAll=L)
    write(home / "mirflickr25k-yall.mat", YAll=T)
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    check_items(data)
    assert data.name == "mirflickr25k[layout=matrices]"
    assert data.default_features == "mirflickr25k-iall-vgg"
    assert (len(data.split.query), len(data.split.database)) == (3, 27)
    folder = open_dataset(str(home), tmp_path, tmp_path / "cache")
    check_items(folder)
    assert any("mirflickr25k-yall.mat" in note for note in folder.notes)


def test_words_of_the_columns(tmp_path):
    home = tmp_path / "mir"
    home.mkdir()
    matlab5(home / "all.mat", XAll=X, LAll=L, YAll=T)
    (home / "common_tags.txt").write_text("sky 5\nsea 4\nsun 3\ntree 2\nme 1\n")
    data = open_dataset(str(home), tmp_path, tmp_path / "cache")
    words = ["sky", "sea", "sun", "tree", "me"]
    assert data.tags[0] == tuple(np.compress(T[0], words))
    (home / "common_tags.txt").write_text("sky 5\n")
    data = open_dataset(str(home), tmp_path, tmp_path / "cache")
    assert any("has 1 words, but there are 5 columns" in note for note in data.notes)
    assert set().union(*data.tags) <= {f"tag{k}" for k in range(1, 6)}


@pytest.mark.parametrize("write", [matlab5, matlab73, python_hdf5])
def test_a_split_in_one_file(tmp_path, write):
    parts = {"db": slice(0, 18), "tr": slice(18, 26), "te": slice(26, 30)}
    variables = {}
    for part, rows in parts.items():
        variables |= {f"I_{part}": X[rows], f"L_{part}": L[rows], f"T_{part}": T[rows]}
    write(tmp_path / "raw_mir.mat", **variables)
    data = open_dataset(str(tmp_path / "raw_mir.mat"), tmp_path, tmp_path / "cache")
    check_items(data)
    assert data.name == "raw_mir"
    assert data.split.database.tolist() == list(range(18))
    assert data.split.train.tolist() == list(range(18, 26))
    assert data.split.query.tolist() == list(range(26, 30))


@pytest.mark.parametrize(("write", "axes"), [(python_hdf5, (0, 3, 1, 2)), (matlab73, (1, 2, 3, 0))])
def test_images_in_place_of_features(tmp_path, write, axes):
    pixels = RNG.integers(0, 256, (N, 5, 7, 3), dtype=np.uint8)
    parts = {"data_set": slice(0, 18), "train_data": slice(18, 26), "test_data": slice(26, 30)}
    labels = {"data_set": "dataset_L", "train_data": "train_L", "test_data": "test_L"}
    variables = {}
    for part, rows in parts.items():
        variables |= {part: pixels[rows].transpose(axes), labels[part]: L[rows]}
    write(tmp_path / "nus.h5", **variables)
    data = open_dataset(str(tmp_path / "nus.h5"), tmp_path, tmp_path / "cache")
    assert not data.has_tags
    assert data.features == {}
    np.testing.assert_array_equal(np.asarray(data.images.load(27)), pixels[27])
    np.testing.assert_array_equal(np.asarray(data.images.load(3)), pixels[3])


def test_class_numbers(tmp_path):
    classes = L.argmax(axis=1)
    savemat(tmp_path / "a.mat", {"XAll": X, "LAll": classes[:, None]})
    data = open_dataset(str(tmp_path / "a.mat"), tmp_path, tmp_path / "cache")
    np.testing.assert_array_equal(data.labels, L > 0)
    savemat(tmp_path / "b.mat", {"XAll": X, "LAll": classes[None]})
    with pytest.raises(InputError, match=r"no variable XAll or .* with 1 items"):
        open_dataset(str(tmp_path / "b.mat"), tmp_path, tmp_path / "cache")


def test_two_numbers_of_labels_need_a_choice(tmp_path):
    home = tmp_path / "nuswide"
    home.mkdir()
    matlab5(home / "nus-wide-tc21-all.mat", XAll=X, LAll=L)
    matlab5(home / "nus-wide-tc10-all.mat", XAll=X[:20], LAll=L[:20, :2])
    with pytest.raises(InputError, match=r"tc10-all\.mat with 2 labels and .*tc21.* \[labels=2\]"):
        open_dataset("nuswide", tmp_path, tmp_path / "cache")
    data = open_dataset("nuswide[labels=4]", tmp_path, tmp_path / "cache")
    assert data.name == "nuswide[labels=4,layout=matrices]"
    np.testing.assert_array_equal(vectors(data), X)
    assert len(open_dataset("nuswide[labels=2]", tmp_path, tmp_path / "cache")) == 20
    with pytest.raises(InputError, match="no 3 labels"):
        open_dataset("nuswide[labels=3]", tmp_path, tmp_path / "cache")


def test_official_files_beside_matrices_need_a_choice(tmp_path):
    home = tmp_path / "nuswide"
    (home / "Groundtruth").mkdir(parents=True)
    matlab5(home / "nus-wide-tc21-all.mat", XAll=X, LAll=L)
    with pytest.raises(InputError, match=r"in two ways: .*Groundtruth.* matrices .*tc21.*layout="):
        open_dataset("nuswide", tmp_path, tmp_path / "cache")
    with pytest.raises(InputError, match=r"in 2 ways: as nuswide .* as matrices .*layout=matrices"):
        open_dataset(str(home), tmp_path, tmp_path / "cache")
    assert len(open_dataset("nuswide[layout=matrices]", tmp_path, tmp_path / "cache")) == N
    assert len(open_dataset(f"{home}[layout=matrices]", tmp_path, tmp_path / "cache")) == N


def test_the_split_is_drawn_as_asked_and_kept(tmp_path):
    matlab5(tmp_path / "a.mat", XAll=X, LAll=L, YAll=T)
    text = f"{tmp_path / 'a.mat'}[n_query=4,n_train=10]"
    data = open_dataset(text, tmp_path, tmp_path / "cache")
    sizes = [len(part) for part in (data.split.query, data.split.train, data.split.database)]
    assert sizes == [4, 10, 26]
    assert np.isin(data.split.train, data.split.database).all()
    again = open_dataset(text, tmp_path, tmp_path / "cache")
    assert again.split.checksum == data.split.checksum
    other = open_dataset(text[:-1] + ",split_seed=1]", tmp_path, tmp_path / "cache")
    assert other.split.checksum != data.split.checksum


def test_what_is_missing_or_wrong_is_named(tmp_path, monkeypatch):
    matlab5(tmp_path / "a.mat", XAll=X)
    with pytest.raises(
        InputError, match=r"a\.mat: there is no variable of labels .*there are XAll"
    ):
        open_dataset(str(tmp_path / "a.mat"), tmp_path, tmp_path / "cache")
    (tmp_path / "b.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(InputError, match=r"b\.mat is not a readable MATLAB file"):
        open_dataset(str(tmp_path / "b.mat"), tmp_path, tmp_path / "cache")
    (tmp_path / "c.mat").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(
        InputError, match=r"c\.mat is an HDF5 file.*pip install 'hashbench\[hdf5\]'"
    ):
        open_dataset(str(tmp_path / "c.mat"), tmp_path, tmp_path / "cache")
    with pytest.raises(InputError, match="no parameter 'label'"):
        open_dataset(f"{tmp_path / 'a.mat'}[label=3]", tmp_path, tmp_path / "cache")


def test_tags_that_are_no_counts_are_left_out(tmp_path):
    matlab5(tmp_path / "a.mat", XAll=X, LAll=L, YAll=RNG.normal(size=(N, V)))
    data = open_dataset(str(tmp_path / "a.mat"), tmp_path, tmp_path / "cache")
    assert not data.has_tags
    assert any("YAll holds no counts of tags" in note for note in data.notes)
