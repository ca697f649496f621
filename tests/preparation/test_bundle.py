"""Features are mapped from one file: the given one where its rows lie right, else a copy."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.base import Split
from benchmark.preparation import bundle as module
from benchmark.preparation.bundle import FeatureRows, map_rows


@pytest.fixture
def X(tmp_path):
    array = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    np.save(tmp_path / "fc.npy", array)
    return array


def mapped(folder, rows, split, l2=False):
    features = FeatureRows("fc", folder / "fc.npy", rows, 4, {"file": "fc"}, l2)
    path, spans = map_rows(features, split, folder / "bundles")
    return path, [np.load(path, mmap_mode="r")[span] for span in spans]


def test_rows_that_follow_one_another_are_read_where_they_are(tmp_path, X):
    split = Split(np.arange(5, 20), np.arange(5, 20), np.arange(20, 25))
    path, parts = mapped(tmp_path, np.arange(1, 30), split)
    assert path == tmp_path / "fc.npy"
    assert not (tmp_path / "bundles").exists()
    for part, expected in zip(parts, (X[6:21], X[6:21], X[21:26]), strict=True):
        assert np.array_equal(part, expected)


@pytest.mark.parametrize("l2", [False, True])
@pytest.mark.parametrize("same", [False, True])
def test_other_rows_are_copied_once_and_in_blocks(tmp_path, monkeypatch, X, l2, same):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    train = np.arange(0, 20, 2)
    split = Split(train, train if same else np.arange(0, 20), np.array([25, 22, 29]))
    path, parts = mapped(tmp_path, np.arange(30), split, l2)
    written = path.stat().st_mtime_ns
    assert mapped(tmp_path, np.arange(30), split, l2)[0].stat().st_mtime_ns == written
    expected = X / np.linalg.norm(X, axis=1, keepdims=True) if l2 else X
    for part, items in zip(parts, (split.train, split.database, split.query), strict=True):
        assert np.array_equal(part, expected[items])
    assert len(np.load(path)) == (13 if same else 33)
