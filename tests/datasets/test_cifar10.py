"""CIFAR-10 on miniature batches in the official format."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError
from benchmark.study.session import Session

#: Images of a class; 60 of 6,000, so that splits are a hundredth of the published ones.
N = 60


def build(root, folder="cifar10"):
    """Sixty images of each class over six batches; returns pixels and classes in their order."""
    home = root / folder / "cifar-10-batches-py"
    home.mkdir(parents=True)
    rng = np.random.default_rng(0)
    classes = rng.permutation(np.repeat(np.arange(10), N))
    pixels = rng.integers(0, 256, (10 * N, 3072), dtype=np.uint8)
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    for name, rows in zip(names, np.split(np.arange(10 * N), 6), strict=True):
        batch = {"data": pixels[rows], "labels": classes[rows].tolist(), "batch_label": name}
        (home / name).write_bytes(pickle.dumps(batch, protocol=2))
    meta = {"label_names": [f"kind{k}" for k in range(10)], "num_vis": 3072}
    (home / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    return pixels, classes


def of_a_class(data, part):
    counts = data.labels[getattr(data.split, part)].sum(axis=0)
    assert len(set(counts.tolist())) == 1
    return int(counts[0])


@pytest.mark.parametrize(
    ("split", "queries", "training", "database"),
    [("I", 1, 5, 59), ("I'", 1, 5, 54), ("II", 10, 5, 50), ("III", 10, 50, 50)],
)
def test_the_drawn_splits(tmp_path, split, queries, training, database):
    build(tmp_path)
    data = open_dataset(f"cifar10[split={split}]", tmp_path, tmp_path / "cache")
    sizes = [of_a_class(data, part) for part in ("query", "train", "database")]
    assert sizes == [queries, training, database]
    apart = not np.intersect1d(data.split.train, data.split.database).size
    assert apart == (split == "I'")
    other = open_dataset(f"cifar10[split={split},split_seed=1]", tmp_path, tmp_path / "cache")
    assert other.split.checksum != data.split.checksum
    assert other.fingerprint == data.fingerprint


@pytest.mark.parametrize("folder", ["cifar10", "."])
def test_images_and_the_official_split(tmp_path, folder):
    pixels, classes = build(tmp_path, folder)
    data = open_dataset("cifar10[split=official]", tmp_path, tmp_path / "cache")
    assert data.split.query.tolist() == list(range(500, 600))
    assert data.split.train.tolist() == data.split.database.tolist() == list(range(500))
    np.testing.assert_array_equal(data.labels.argmax(axis=1), classes)
    image = np.asarray(data.images.load(7))
    np.testing.assert_array_equal(image[..., 2].ravel(), pixels[7, 2048:])
    assert list(data.label_names)[3] == "kind3"


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(InputError, match=r"data_batch_1, .*test_batch missing.*--download"):
        open_dataset("cifar10", tmp_path, tmp_path / "cache")
    build(tmp_path)
    with pytest.raises(InputError, match="split must be one of I, I', II, III, official"):
        open_dataset("cifar10[split=IV]", tmp_path, tmp_path / "cache")
    batch = tmp_path / "cifar10" / "cifar-10-batches-py" / "data_batch_2"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:200])
    with pytest.raises(InputError, match="data_batch_2 is not a readable pickle"):
        open_dataset("cifar10", tmp_path, tmp_path / "cache")
    batch.write_bytes(pickle.dumps({"data": np.zeros((2, 3), np.uint8), "labels": [0, 1]}))
    with pytest.raises(InputError, match=r"uint8 of shape \(2, 3072\)"):
        open_dataset("cifar10", tmp_path, tmp_path / "cache")


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_a_pickle_runs_nothing(tmp_path, monkeypatch):
    build(tmp_path)
    monkeypatch.chdir(tmp_path)
    batch = tmp_path / "cifar10" / "cifar-10-batches-py" / "data_batch_2"
    batch.write_bytes(pickle.dumps({"data": Harmful(), "labels": []}))
    with pytest.raises(InputError, match=r"names posix\.mkdir"):
        open_dataset("cifar10", tmp_path, tmp_path / "cache")
    assert not (tmp_path / "harm").exists()


def test_files_are_fetched_on_request_only(tmp_path, monkeypatch):
    fetched = []

    def fetch(root, *, download):
        fetched.append((root, download))
        build(tmp_path)

    monkeypatch.setattr("torchvision.datasets.CIFAR10", fetch)
    with pytest.raises(InputError, match="missing"):
        Session(data_root=tmp_path, results=tmp_path / "r").open_dataset("cifar10")
    assert fetched == []
    session = Session(data_root=tmp_path, results=tmp_path / "r", download=True)
    assert len(session.open_dataset("cifar10")) == 600
    assert fetched == [(str(tmp_path / "cifar10"), True)]
    with pytest.raises(InputError, match="demo cannot be fetched"):
        session.open_dataset("demo[n=60]")
