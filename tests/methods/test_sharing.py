from __future__ import annotations

import subprocess
import sys
import time
import weakref
from typing import NamedTuple

import numpy as np
import pytest

from methods import sharing as module
from methods.sharing import fingerprint, seconds_spared, shared, sharing

calls: list[float] = []


class Scaled(NamedTuple):
    values: np.ndarray
    total: np.ndarray


@shared
def scaled(X: np.ndarray, *, factor: float) -> Scaled:
    calls.append(factor)
    return Scaled(X * factor, np.array(X.sum() * factor))


@shared
def shifted(X: np.ndarray, *, factor: float) -> Scaled:
    return Scaled(X + factor, np.array(0.0))


@pytest.fixture(autouse=True)
def no_calls():
    calls.clear()


@pytest.fixture
def X() -> np.ndarray:
    return np.arange(6.0).reshape(3, 2)


def test_outside_a_block_every_call_computes(X):
    assert scaled(X, factor=2).values.tolist() == (2 * X).tolist()
    scaled(X, factor=2)
    assert calls == [2, 2]


def test_inside_a_block_equal_calls_compute_once(X, tmp_path):
    with sharing(tmp_path):
        first = scaled(X, factor=2)
        again = scaled(X.copy(), factor=2)
    assert calls == [2]
    assert isinstance(again, Scaled)
    assert (again.values == first.values).all()
    assert again.total == 30


@pytest.mark.parametrize(
    "other", [{"factor": 3}, {"X": np.ones((3, 2))}, {"X": np.arange(6.0).reshape(2, 3)},
              {"X": np.arange(6, dtype=np.float32).reshape(3, 2)}]
)  # fmt: skip
def test_other_parameters_or_features_compute_anew(X, other, tmp_path):
    with sharing(tmp_path):
        scaled(X, factor=2)
        scaled(**{"X": X, "factor": 2, **other})
    assert len(calls) == 2


def test_functions_do_not_share_with_each_other(X, tmp_path):
    with sharing(tmp_path):
        assert (scaled(X, factor=2).values != shifted(X, factor=2).values).any()


def test_a_later_block_reads_the_folder(X, tmp_path):
    with sharing(tmp_path):
        first = scaled(X, factor=2)
    with sharing(tmp_path):
        again = scaled(X, factor=2)
    with sharing(tmp_path / "elsewhere"):
        scaled(X, factor=2)
    assert calls == [2, 2]
    assert again.values.tolist() == first.values.tolist()
    assert again.total == first.total


def test_nobody_can_alter_what_others_will_get(X, tmp_path):
    with sharing(tmp_path):
        for _ in range(3):
            result = scaled(X, factor=2)
            assert result.values.tolist() == (2 * X).tolist()
            result.values[:] = -1
    assert calls == [2]


def test_an_interrupted_computation_leaves_nothing_behind(X, tmp_path):
    @shared
    def fails(X: np.ndarray, *, factor: float) -> Scaled:
        raise KeyboardInterrupt

    with sharing(tmp_path), pytest.raises(KeyboardInterrupt):
        fails(X, factor=1)
    assert not list(tmp_path.glob("*.npz"))


def test_a_block_ends_with_an_exception(X, tmp_path):
    with pytest.raises(KeyError), sharing(tmp_path):
        raise KeyError
    scaled(X, factor=2)
    scaled(X, factor=2)
    assert len(calls) == 2


def test_altered_features_have_another_fingerprint(X):
    before = fingerprint(X)
    assert fingerprint(X.copy(order="F")) == before
    X[2, 1] += 1
    assert fingerprint(X) != before
    assert fingerprint(np.zeros(4, dtype=np.int64)) != fingerprint(np.zeros(4))


def test_the_fingerprint_of_read_only_features_is_remembered_per_array(X, monkeypatch):
    X.setflags(write=False)
    first = fingerprint(X)
    monkeypatch.setattr(module, "_digest", lambda X: "computed again")
    assert fingerprint(X) == first
    other = X.copy()
    other.setflags(write=False)
    assert fingerprint(other) == "computed again"


def test_the_fingerprint_of_an_array_that_is_gone_is_not_used(X, monkeypatch):
    X.setflags(write=False)
    gone = weakref.ref(np.zeros(3))
    view = (X.ctypes.data, X.shape, X.strides, X.dtype.str)
    monkeypatch.setitem(module._digests, view, (gone, "of another array in the same place"))
    assert fingerprint(X) == module._digest(X)


PROCESS = """
import sys, time
import numpy as np
from methods import sharing
from methods.algebra import pca
real = pca.eigh
def slow(*args, **options):
    print("computed")
    time.sleep(0.5)
    return real(*args, **options)
pca.eigh = slow
with sharing.sharing(sys.argv[1]):
    print(pca.principal_axes(np.random.default_rng(0).standard_normal((50, 4)), 3).variances.sum())
"""


def test_processes_wait_for_each_other(tmp_path):
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = [process.communicate(timeout=60)[0].split() for process in started]
    assert sorted(map(len, lines)) == [1, 2]
    assert lines[0][-1] == lines[1][-1]


class Slept(NamedTuple):
    value: np.ndarray


@shared
def sleep_once(X: np.ndarray, *, seconds: float) -> Slept:
    time.sleep(seconds)
    return Slept(X[:1])


@shared
def sleep_after(X: np.ndarray, *, seconds: float) -> Slept:
    time.sleep(seconds)
    return sleep_once(X, seconds=seconds)


def test_what_is_read_counts_as_if_it_were_computed(tmp_path):
    X = np.ones((3, 2))

    def price(function):
        spared, start = seconds_spared(), time.perf_counter()
        function(X, seconds=0.2)
        return time.perf_counter() - start, seconds_spared() - spared

    with sharing(tmp_path):
        took, spared = price(sleep_once)
        assert took > 0.2 and abs(spared) < 0.1
        took, spared = price(sleep_once)
        assert took < 0.15 and took + spared == pytest.approx(0.2, abs=0.1)
        # The outer function reads the inner one's result, and yet its price holds both.
        took, spared = price(sleep_after)
        assert took + spared == pytest.approx(0.4, abs=0.15)
        took, spared = price(sleep_after)
        assert took < 0.15 and took + spared == pytest.approx(0.4, abs=0.15)
