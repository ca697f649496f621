"""Feature files that came with the data: read once, checked and hashed."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmark.datasets import given as module
from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.given import check_given_features
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
    assert found.checksum == hashlib.blake2b(content, digest_size=16).hexdigest()
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
            assert check_given_features(data, "fc").rows is rows
            return
        with pytest.raises(InputError, match=rf"row {wrong[0]} \(counted from 0\)"):
            check_given_features(data, "fc")
