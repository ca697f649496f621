"""Feature files that came with the data: read once, checked and hashed."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmark.datasets import given as module
from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.given import check_given_features, has_been_read, read_given_features
from benchmark.errors import InputError


def dataset(path, n, rows=None, n_rows=None):
    labels, every = np.ones((n, 1), bool), np.arange(n)
    split, tags = Split(every, every, every), [()] * n
    features = {"fc": path}
    return Dataset(
        "d", labels, ["l"], tags, split, "f", features=features, rows=rows, n_rows=n_rows
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float16", "float32", ">f8"])
def test_the_digest_is_that_of_the_file(tmp_path, monkeypatch, order, dtype):
    # Blocks of three lines, and a last one that is shorter.
    monkeypatch.setattr(module, "BLOCK_VALUES", 15)
    X = np.asarray(np.random.default_rng(0).normal(size=(20, 5)), dtype=dtype, order=order)
    np.save(tmp_path / "fc.npy", X)
    found = check_given_features(dataset(tmp_path / "fc.npy", 20), "fc")
    content = (tmp_path / "fc.npy").read_bytes()
    digest = read_given_features(found, tmp_path / "cache")
    assert digest == hashlib.blake2b(content, digest_size=16).hexdigest()
    assert found.n_features == 5 and found.rows.tolist() == list(range(20))


@given(
    bad=arrays.arrays(bool, (11, 3)),
    order=st.sampled_from("CF"),
    block=st.integers(1, 40),
    chosen=st.sets(st.integers(0, 10), min_size=1),
)
@settings(max_examples=60)
def test_the_first_bad_row_of_the_items_is_named(tmp_path_factory, bad, order, block, chosen):
    path = tmp_path_factory.mktemp("given") / "fc.npy"
    np.save(path, np.asarray(np.where(bad, np.nan, 1.0), order=order))
    rows = np.array(sorted(chosen))
    data = dataset(path, len(rows), rows, n_rows=11)
    wrong = [row for row in rows if bad[row].any()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_VALUES", block)
        if not wrong:
            found = check_given_features(data, "fc")
            assert found.rows is rows and read_given_features(found, path.parent)
            return
        with pytest.raises(InputError, match=rf"row {wrong[0]} \(counted from 0\)"):
            read_given_features(check_given_features(data, "fc"), path.parent)


def test_a_file_is_read_once_for_as_long_as_it_is_left_alone(tmp_path, monkeypatch):
    path, cache, rng = tmp_path / "fc.npy", tmp_path / "cache", np.random.default_rng(0)
    np.save(path, rng.normal(size=(20, 5)))
    given = check_given_features(dataset(path, 20), "fc")
    fresh = read_given_features(given, cache)
    # Just written: another change could fall into the same tick of the clock.
    assert not has_been_read(given, cache)
    long_ago = path.stat().st_mtime_ns - 10**11
    os.utime(path, ns=(long_ago, long_ago))
    assert read_given_features(given, cache) == fresh
    assert has_been_read(given, cache)
    monkeypatch.setattr(module, "BLOCK_VALUES", None)  # A second pass would fail.
    assert read_given_features(given, cache) == fresh
    monkeypatch.undo()
    X = rng.normal(size=(20, 5))
    X[3, 2] = np.inf
    np.save(path, X)
    assert not has_been_read(given, cache)
    for _ in range(2):
        os.utime(path, ns=(long_ago + 10**9, long_ago + 10**9))
        with pytest.raises(InputError, match="row 3"):
            read_given_features(given, cache)
