"""Codes are the same for any number of threads, and for any number of jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from brief import FAST, brief, fit, supervision
from threadpoolctl import threadpool_limits

from benchmark.registry import methods
from methods.algebra.threads import single_threaded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data():
    """Wide enough that BLAS divides its work among threads, (500, 300), of an odd last block."""
    n = 500
    tags, labels = supervision(n)
    rng = np.random.default_rng(0)
    X = labels @ rng.standard_normal((labels.shape[1], 300)) + rng.standard_normal((n, 300))
    return np.maximum(X, 0).astype(np.float32), tags, labels


def learnt(hasher, data, n_threads):
    """Codes, tables and scores of a method that is fitted with so many threads."""
    X = data[0]
    before = torch.get_num_threads()
    with threadpool_limits(n_threads):
        torch.set_num_threads(n_threads)
        try:
            fit(hasher, *data)
            found = [hasher.encode(X), hasher.encode_queries(X)]
        finally:
            torch.set_num_threads(before)
    if found[0].dtype == bool:
        # Scores tell a difference that has not flipped a sign yet.
        with single_threaded():
            found.append(np.asarray(hasher.project(X.astype(np.float64))))
    return found


def assert_same(make, data):
    one, two = (learnt(make(), data, n_threads) for n_threads in (1, 2))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", FAST)
def test_threads_change_nothing_that_a_fast_method_learns(name, data):
    assert_same(lambda: brief(name, 16), data)


@pytest.mark.slow
@pytest.mark.parametrize("name", methods.names())
def test_threads_change_nothing_that_a_method_learns(name, data):
    make = methods.find(name).load()
    assert_same(lambda: make(n_bits=16, random_state=0), data)


def test_what_is_compared_would_tell(data, monkeypatch):
    """Without the one thread of the base class what methods learn does differ."""
    monkeypatch.setattr("methods.supervision.in_one_thread", lambda X: nullcontext())
    differ = []
    for name in ("itq", "wmh", "dih", "sph", "lsh"):
        one, two = (learnt(brief(name, 16), data, n_threads)[-1] for n_threads in (1, 2))
        differ += [name] * bool((one != two).any())
    assert differ


@pytest.mark.slow
def test_jobs_and_threads_change_no_code_and_no_metric_of_any_method(tmp_path):
    """The whole command on demo[n=600]: one job with one and two threads, and two jobs."""

    def stored(jobs, n_threads):
        results = tmp_path / f"{jobs}-{n_threads}"
        command = [sys.executable, "run_benchmark.py", "--dataset", "demo[n=600]", "--bits", "16"]
        command += ["--results", str(results), "--jobs", str(jobs), "--save-codes"]
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, str(n_threads))}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = {}
        for path in results.glob("cells/*/*/*/*.npz"):
            with np.load(path) as arrays:
                place = path.relative_to(results / "cells").as_posix()
                found |= {f"{place} {name}": arrays[name] for name in arrays.files}
        return found

    one, *others = stored(1, 1), stored(1, 2), stored(2, 1)
    assert sum(name.endswith("codes.npz database") for name in one) == len(methods.names())
    for other in others:
        assert other.keys() == one.keys()
        differ = [
            name for name in one if not np.array_equal(one[name], other[name], equal_nan=True)
        ]
        assert not differ, differ
