"""The audit: the same codes under every convention, against evaluate() and by hand."""

import io

import numpy as np
import pandas as pd
import pytest

from benchmark.protocol.evaluate import evaluate, evaluate_scores
from benchmark.protocol.protocol import PRESETS, Protocol
from benchmark.protocol.search import search_of_stored
from benchmark.reporting.audit import COLUMNS, audit_cells, conventions
from benchmark.reporting.audit_tables import audit_markdown, audit_text, write_audit
from benchmark.store.record import CellResult
from benchmark.store.store import Store

BITS = 6


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Two methods, two seeds; the labels follow the first bits of `good` and are noise to `bad`."""
    store = Store(tmp_path_factory.mktemp("audit"))
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 4, n) for n in (20, 150)]
    cells, codes = [], {}
    for method, flips in (("good", 0.1), ("bad", 0.5)):
        for seed in range(2):
            pair = []
            for ids in labels:
                truth = (ids[:, None] >> np.arange(BITS) % 2) & 1 == 1
                pair.append(truth ^ (rng.random(truth.shape) < flips))
            codes[method, seed] = pair
            folder = f"d/{method}/{BITS}b-s{seed}-x"
            cell = CellResult("d[n=1]", "f", method, BITS, seed, "done", folder=folder)
            packed = {
                name: np.packbits(c, axis=1, bitorder="little")
                for name, c in zip(("query", "database"), pair, strict=True)
            }
            store.write(cell, {}, {"codes": packed})
            cells.append(cell)
    frame = audit_cells(cells, store, *labels)
    return frame, codes, labels, (cells, store)


def value(frame, method, convention, metric):
    found = frame.query("method == @method and convention == @convention and metric == @metric")
    assert len(found) == 1
    return found["value"].iloc[0]


def test_codes_come_back_as_they_were(audited):
    _, codes, _, (cells, store) = audited
    for cell in cells:
        stored = store.codes(cell.folder)
        search = search_of_stored(stored[0])
        for ours, true in zip(stored, codes[cell.method, cell.seed], strict=True):
            bits = search.restored(ours, BITS)
            assert bits.dtype == bool and np.array_equal(bits, true)


def test_every_preset_appears_and_equal_ones_share_a_row(audited):
    names = [convention.name for convention in conventions()]
    assert {n for name in names for n in name.split(", ")} >= set(PRESETS)
    assert "wsdhq, hashnet" in names and len(names) == len(set(names))
    assert set(audited[0]["convention"]) >= set(names)


def test_values_are_means_over_seeds_of_evaluate(audited):
    frame, codes, labels, _ = audited
    for method in ("good", "bad"):
        for name in PRESETS:
            label = "wsdhq, hashnet" if name in ("wsdhq", "hashnet") else name
            runs = [evaluate(*codes[method, seed], *labels, name) for seed in range(2)]
            for metric in (*PRESETS[name].map_names, "P@r2"):
                expected = np.mean([run[metric] for run in runs])
                assert value(frame, method, label, metric) == pytest.approx(expected, rel=1e-12)
    assert list(frame.columns) == list(COLUMNS) and (frame["seeds"] == 2).all()


def test_single_changes_and_orders_of_ties(audited):
    frame, codes, labels, _ = audited
    runs = [
        evaluate(*codes["good", s], *labels, Protocol(map_at=(5000,), empty="skip"))
        for s in range(2)
    ]
    skip = value(frame, "good", "wdht, empty=skip", "P@r2")
    assert skip == pytest.approx(np.mean([run["P@r2"] for run in runs]))
    worst = value(frame, "good", "wdht, ties in the worst order", "mAP@all")
    best = value(frame, "good", "wdht, ties in the best order", "mAP@all")
    assert worst < value(frame, "good", "wdht", "mAP@all") < best
    assert worst == pytest.approx(np.mean([run.bounds["mAP@all"].low for run in runs]))


def test_span_covers_the_presets_and_no_order_of_ties(audited):
    frame = audited[0]
    text = audit_text(frame)
    block = text.split("Audit: ")[2]
    line = next(line for line in block.splitlines() if line.startswith("good"))
    low, high = map(float, line.split()[1::2])
    values = [value(frame, "good", c, "mAP@all") for c in frame["convention"].unique()
              if "order" not in c and not c.startswith("wdht,")]  # fmt: skip
    assert (low, high) == (round(min(values), 4), round(max(values), 4))


def test_markdown_names_the_leader_and_every_value(audited):
    frame = audited[0]
    text = audit_markdown(frame)
    assert "| deephash-pytorch | mAP@5000 | good |" in text
    printed = f"{value(frame, 'bad', 'trec', 'mAP@1000'):.4f}"
    assert f"| trec | mAP@1000 | {printed} |" in text.split("### bad")[1]
    assert r"d\[n=1\]" in text and "### good" in text
    widths = {}
    for line in text.splitlines():
        if line.startswith("|:"):
            widths[len(widths)] = line.count("|")
    assert set(widths.values()) == {3, 4}


def test_files(audited, tmp_path):
    write_audit(audited[0], tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["audit.csv", "audit.md", "audit.txt"]
    again = pd.read_csv(io.StringIO((tmp_path / "audit.csv").read_text()))
    pd.testing.assert_frame_equal(again, audited[0], check_exact=True)


def test_quantisers_are_audited_by_their_scores(audited, tmp_path):
    _, _, labels, _ = audited
    rng = np.random.default_rng(1)
    words = rng.integers(0, 8, (150, 2)).astype(np.uint8)
    tables = rng.normal(size=(20, 2, 8)).astype(np.float32)
    cell = CellResult("d", "f", "words", BITS, 0, "done", folder="d/words/x")
    store = Store(tmp_path)
    store.write(cell, {}, {"codes": {"query": tables, "database": words}})
    frame = audit_cells([cell], store, *labels)
    for name in ("wdht", "trec"):
        expected = evaluate_scores(tables, words, *labels, name)["mAP@all"]
        assert value(frame, "words", name, "mAP@all") == pytest.approx(expected, rel=1e-12)
    assert not frame["metric"].str.startswith("P@r").any()
    both = pd.concat([audited[0], frame], ignore_index=True)
    assert "words" in audit_text(both) and "### words" in audit_markdown(both)
    assert "words" in audit_text(frame) and "### words" in audit_markdown(frame)


def test_cells_without_codes_are_left_out(audited, tmp_path):
    """Not done, or stored without codes."""
    _, _, labels, _ = audited
    store = Store(tmp_path)
    cells = [
        CellResult("d", "f", f"m{i}", BITS, 0, status, folder=f"d/m{i}/x")
        for i, status in enumerate(("done", "skipped"))
    ]
    store.write(cells[0], {}, {})
    frame = audit_cells(cells, store, *labels)
    assert frame.empty and list(frame.columns) == list(COLUMNS)
    assert "no cell" in audit_text(frame) and "No cell" in audit_markdown(frame)
