"""On data from which little can be learnt every method gives codes or says why it cannot."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from brief import FAST, brief, fit
from degenerate import CASES, N_FEATURES, plain

from benchmark.registry import methods
from methods import Task
from methods.unsuitable import Unsuitable

#: Cases of the short form: those that were failed cells, or not told from them.
SHORT = (
    *("equal items", "two distinct items", "one tag for all items", "tags on one image"),
    *("no tags", "no labels", "one label for all items", "labels on one item"),
)


def outcome(name, case):
    """Codes of the data, or the reason why there are none."""
    data = CASES[case]()
    hasher = brief(name)
    n, d = data.X.shape
    reason = "needs at least two training items" if n < 2 else None
    reason = reason or hasher.skip(Task(n, d, has_tags=True, has_labels=True, has_images=True))
    if reason:
        return reason
    try:
        fit(hasher, *data)
    except Unsuitable as error:
        return str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(hasher.encode_queries(data.X)).all()
        return hasher.encode(data.X)


def check(name, case):
    found = outcome(name, case)
    if isinstance(found, str):
        # A reason is one sentence for a reader who does not know the code.
        assert len(found) > 15 and "\n" not in found and "Error" not in found, found
    else:
        data = CASES[case]()
        assert len(found) == len(data.X)
        _, first, copy_of = np.unique(data.X, axis=0, return_index=True, return_inverse=True)
        assert (found == found[first][copy_of.ravel()]).all(), "equal items have other codes"


@pytest.mark.parametrize("case", SHORT)
def test_fast_methods(case):
    for name in FAST:
        check(name, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", methods.names())
def test_all_methods(name, case):
    check(name, case)


def test_plain_data_are_learnt_from():
    """The cases ask something: without what is wrong with them there is nothing to say."""
    data = plain()
    for name in FAST:
        assert len(fit(brief(name), *data).encode(data.X)) == len(data.X)


def test_what_needs_over_six_gigabytes_is_skipped():
    task = Task(5000, N_FEATURES, has_tags=True)
    wsdhq = methods.find("wsdhq").load()
    assert wsdhq(n_bits=256).skip(task) is None
    assert "256" in wsdhq(n_bits=512).skip(task)


@pytest.fixture
def folder(tmp_path):
    """Write a data set of given features; returns the arguments that run it."""

    def write(X, n_train, tags):
        place = tmp_path / "odd"
        (place / "features").mkdir(parents=True)
        np.save(place / "features/given.npy", X.astype(np.float32))
        split = np.where(np.arange(len(X)) < n_train, "train+database", "database")
        split[-5:] = "query"
        frame = pd.DataFrame({"image": "", "tags": tags, "split": split})
        frame["labels"] = [f"class{i % 2}" for i in range(len(X))]
        frame.to_csv(place / "manifest.csv", index=False)
        return place

    return write


def records(results):
    return [json.loads(p.read_text()) for p in (results / "cells").glob("*/*/*/run.json")]


def test_a_cell_that_cannot_be_learnt_is_skipped_and_not_failed(run, folder, tmp_path):
    place = folder(np.ones((60, 6)), 40, "beach")
    status, out, err = run("--methods", "dsh", "sh", "lsh", "--bits", "4", dataset=place)
    assert status == 0, err
    assert "do not vary" in out + err and "distinct groups" in out + err
    assert [r["method"] for r in records(tmp_path / "results")] == ["lsh"]
    summary = pd.read_csv(tmp_path / "results/odd/summary.csv")
    assert set(summary[summary.method == "dsh"].status) == {"skipped"}


def test_one_training_item_is_a_reason(run, folder, tmp_path):
    X = np.random.default_rng(0).standard_normal((60, 6))
    status, out, err = run("--methods", "lsh", "itq", "--bits", "4", dataset=folder(X, 1, "beach"))
    assert status == 0, err
    assert "needs at least two training items" in out + err
    assert records(tmp_path / "results") == []
