"""Diagnostics of codes, against numbers worked out by hand; their table; training curves."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmark.execution.cell import training_curves
from benchmark.protocol.diagnostics import diagnose
from benchmark.reporting.diagnostics import diagnostic_rows, diagnostics_grid
from benchmark.reporting.render import write_grid
from benchmark.store.record import CellResult, Value
from benchmark.store.store import Store


def bits(*rows):
    codes = np.array([[c == "1" for c in row] for row in rows])
    return diagnose(codes, np.packbits(codes, axis=1, bitorder="little"))


def test_diagnostics_of_four_codes_by_hand():
    found = bits("101", "101", "011", "010")
    # |1/2-1/2|, |1/2-1/2|, |3/4-1/2|.
    assert found["bit_balance"] == pytest.approx(0.25 / 3)
    # Bits 0 and 1 are opposites; bit 2: covariance with bit 0 is 2/4 - 3/8 = 1/8, over
    # sqrt(1/4 * 3/16) = sqrt(3)/8.
    assert found["bit_correlation"] == pytest.approx((1 + 2 / np.sqrt(3)) / 3)
    # Half of the items have one code, a quarter each of two others.
    assert found["code_entropy"] == pytest.approx(1.5)
    assert found["distinct_codes"] == 3
    assert found["bytes_per_item"] == 1


def test_fixed_bits_are_unbalanced_and_correlate_with_nothing():
    found = bits("11", "11", "11")
    assert found["bit_balance"] == 0.5 and "bit_correlation" not in found
    assert found["code_entropy"] == 0 and str(found["code_entropy"]) == "0.0"
    assert "bit_correlation" not in bits("10", "11")
    assert bits("001", "110", "001", "110")["bit_correlation"] == 1


def test_correlation_agrees_with_numpy_also_over_several_blocks(monkeypatch):
    monkeypatch.setattr("benchmark.protocol.diagnostics.BLOCK", 100)
    rng = np.random.default_rng(0)
    codes = rng.random((950, 20)) < rng.uniform(0.1, 0.9, 20)
    codes[:, 3] = codes[:, 4]
    found = diagnose(codes, np.packbits(codes, axis=1))
    expected = np.abs(np.corrcoef(codes.T))[np.triu_indices(20, 1)].mean()
    assert found["bit_correlation"] == pytest.approx(expected)
    assert found["bit_balance"] == pytest.approx(np.abs(codes.mean(axis=0) - 0.5).mean())
    assert found["distinct_codes"] == len(np.unique(codes, axis=0))


def test_code_words_have_an_entropy_but_no_balance():
    words = np.array([[1, 200], [1, 200], [0, 7], [0, 7]], dtype=np.uint8)
    assert diagnose(words, words) == {
        "code_entropy": 1.0,
        "distinct_codes": 2.0,
        "bytes_per_item": 2.0,
    }


def test_training_curves_are_what_a_history_lists():
    history = SimpleNamespace(training=[3.0, 2.0], validation=[])
    curves = training_curves(SimpleNamespace(history_=history))
    assert {name: losses.tolist() for name, losses in curves.items()} == {"training": [3.0, 2.0]}
    assert training_curves(SimpleNamespace()) == {}


def cell(method, n_bits, seed, *, status="done", **values):
    metrics = {name: Value(value, value, value) for name, value in values.items()}
    reason = "" if status == "done" else "needs tags"
    return CellResult("d", "gist", method, n_bits, seed, status, reason, metrics=metrics)


@pytest.fixture
def cells():
    shared = {"fit_seconds": 1.0, "encode_us": 2.0, "peak_mb": 100.0, "distinct_codes": 7.0}
    ball = {"empty@r2": 0.25}
    return [
        cell("lsh", 24, 0, bit_balance=0.1, **ball, **shared),
        cell("lsh", 12, 0, bit_balance=0.1, **ball, **shared),
        cell("lsh", 12, 1, bit_balance=0.3, **ball, **shared),
        cell("pq", 12, 0, **shared),
        cell("wdht", 12, 0, status="skipped"),
    ]


def test_table_has_means_over_seeds_and_a_reason_for_each_dash(cells, tmp_path):
    rows = diagnostic_rows(cells, 2)
    assert [(row.method, row.bits) for row in rows] == [
        ("lsh", 12),
        ("lsh", 24),
        ("pq", 12),
        ("wdht", 12),
    ]
    page, *_ = write_grid(diagnostics_grid(cells, rows), tmp_path, "diagnostics")
    table = pd.read_csv(tmp_path / "diagnostics.csv", index_col=["method", "bits"])
    assert table.loc[("lsh", 12), "bit_balance"] == pytest.approx(0.2)
    assert table.loc[("lsh", 24), "empty@r2"] == 0.25
    assert np.isnan(table.loc[("pq", 12), "bit_balance"])
    text = page.read_text()
    assert "| lsh | 12 | 0.2000 |" in text and "| 7 |" in text
    assert "skipped: needs tags" in text and "code words in place of bits" in text


def test_times_of_a_busy_machine_have_a_note(tmp_path):
    cells = [
        cell("lsh", 12, 0, fit_seconds=1.0, peak_mb=3.0, load=0.9),
        cell("itq", 12, 0, fit_seconds=1.0, peak_mb=3.0, load=1.9),
    ]
    grid = diagnostics_grid(cells, diagnostic_rows(cells, 2))
    write_grid(grid, tmp_path, "diagnostics")
    notes = pd.read_csv(tmp_path / "diagnostics.csv", index_col="method").notes
    assert "fit_seconds" in notes["itq"] and "the machine was busy" in notes["itq"]
    assert "busy" not in notes["lsh"] and "peak_mb: the machine" not in notes["itq"]


def test_store_gives_training_curves_back(tmp_path):
    store = Store(tmp_path)
    arrays = {"profile": {"history:training": np.array([3.0, 2.0]), "query:P@5": np.zeros(3)}}
    store.write(replace(cell("wdht", 12, 0), folder="d/wdht/12b"), {}, arrays)
    assert store.training_curves("d/wdht/12b")["training"].tolist() == [3.0, 2.0]
    assert list(store.per_query("d/wdht/12b")) == ["P@5"]
    assert store.training_curves("d/absent/12b") == {}
