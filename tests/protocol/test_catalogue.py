"""The catalogue of metrics: what captions, tables and the evaluation read from its rows."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

from benchmark import evaluate
from benchmark.protocol import metrics
from benchmark.protocol.catalogue import (
    COSTS,
    DIAGNOSTICS,
    METRICS,
    describe,
    find_metric,
    format_value,
    has_ties,
    is_of_ball,
    is_ranked,
    table_metrics,
)
from benchmark.protocol.diagnostics import diagnose
from benchmark.protocol.protocol import Protocol


def test_every_radius_has_words():
    assert "radius 3" in describe("P@r3") and "empty ball counts 0" in describe("P@r3")
    assert "radius 1" in describe("empty@r1") and "lower is better" in describe("empty@r1")
    assert describe("P@100") == "Precision among the first 100 items"
    assert "first 5,000 items" in describe("mAP@5000") and "whole" in describe("mAP@all")


def test_a_name_that_is_no_metric_stands_for_itself():
    for name in ("mAP@", "mAP@5k", "P@r", "P@2x", "xP@2", ""):
        assert find_metric(name) is None and describe(name) == name
        assert not (is_ranked(name) or has_ties(name) or is_of_ball(name))


@pytest.mark.parametrize(
    ("name", "ranked", "ties", "ball"),
    [
        ("mAP@5000", True, True, False),
        ("mAP@all", True, True, False),
        ("P@500", True, True, False),
        ("P@r2", True, False, True),
        ("empty@r2", False, False, True),
        ("base_rate", False, False, False),
        ("fit_seconds", False, False, False),
        ("code_entropy", False, False, False),
    ],
)
def test_what_is_known_of_each_kind(name, ranked, ties, ball):
    assert (is_ranked(name), has_ties(name), is_of_ball(name)) == (ranked, ties, ball)


def test_tables_of_a_protocol():
    protocol = Protocol(map_at=(10, 5000), precision_at=(50, 100, 500), radius=3)
    head, tail = ["mAP@10"], ["mAP@all", "P@r3", "empty@r3", "P@100", "P@500", *COSTS]
    assert table_metrics(protocol, 5000) == head + tail
    assert table_metrics(protocol, 5001) == [*head, "mAP@5000", *tail]


def test_numbers_of_each_kind():
    assert format_value("mAP@all", 0.12345) == "0.1235" == format_value("unknown", 0.12345)
    assert format_value("distinct_codes", 12.0) == "12"
    costs = [format_value("fit_seconds", v) for v in (0.01234, 1.234, 12.34, 123.4)]
    assert costs == ["0.0123", "1.23", "12.3", "123"]
    # A deviation is printed like its mean.
    assert format_value("peak_mb", 0.5, like=100.0) == "0"


def test_every_row_is_one_metric_and_evaluation_measures_what_rows_say():
    rng = np.random.default_rng(0)
    codes, labels = rng.random((40, 8)) < 0.5, rng.integers(0, 3, 40)
    protocol = Protocol(map_at=(5,), precision_at=(3,), radius=1)
    result = evaluate(codes[:9], codes[9:], labels[:9], labels[9:], protocol)
    expected = {name for row in METRICS if row.function for name, _ in row.named(protocol)}
    assert set(result) == expected
    for row in METRICS:
        for name, cut_off in row.named(protocol):
            assert find_metric(name) == (row, *(cut_off or (0,)))
    assert set(diagnose(codes, np.packbits(codes, axis=1))) == set(DIAGNOSTICS)


@pytest.mark.parametrize("row", [r for r in METRICS if r.function], ids=lambda r: r.pattern)
def test_rows_name_functions_that_take_their_conventions(row):
    parameters = inspect.signature(getattr(metrics, row.function)).parameters
    assert set(row.conventions) == {
        name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY
    }
    assert set(row.conventions) | ({row.at} if row.at else set()) <= set(vars(Protocol()))


def test_captions_load_no_compiled_code():
    script = "import sys, benchmark.protocol.catalogue as c; c.describe('mAP@5'); "
    script += "sys.exit(any(m in sys.modules for m in ('numba', 'numpy', 'torch')))"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
