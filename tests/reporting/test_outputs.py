"""What a run leaves, and what it removes: only files that an earlier run wrote."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmark.datasets.base import Dataset, Split
from benchmark.protocol.protocol import Protocol
from benchmark.reporting.outputs import WRITTEN, copy_outputs, write_outputs
from benchmark.reporting.render import FORMATS
from benchmark.reporting.report import make_report
from benchmark.store.record import CellResult, Value
from benchmark.store.store import Store


def report_of(tmp_path, metric, status="done"):
    value = Value(0.5, 0.5, 0.5)
    cell = CellResult("d", "f", "itq", 8, 0, status, metrics={metric: value})
    items = np.arange(200)
    split = Split(items, items, items)
    dataset = Dataset("d", np.ones((200, 1), bool), ["l"], [()] * 200, split, "x")
    return make_report([cell], Store(tmp_path), Protocol("p", precision_at=(100,)), dataset)


def files(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_tables_of_an_earlier_run_go(tmp_path):
    write_outputs(report_of(tmp_path, "mAP@all"), tmp_path)
    before = files(tmp_path)
    assert "tables/mAP@all.md" in before and "figures/map_vs_bits-all.png" in before
    write_outputs(report_of(tmp_path, "P@100"), tmp_path)
    after = files(tmp_path)
    assert "tables/P@100.md" in after
    assert not {name for name in after if "mAP@all." in name or "map_vs_bits" in name}


def test_files_of_somebody_else_stay(tmp_path):
    for name in ("tables/mine.md", "figures/photo.png", "figures/deep/photo.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = files(tmp_path)
    for metric in ("mAP@all", "P@100"):
        write_outputs(report_of(tmp_path, metric), tmp_path)
    assert before <= files(tmp_path)


def test_a_copy_has_the_same_files_and_loses_those_of_an_earlier_copy(tmp_path):
    report, dataset = tmp_path / "d" / "f", tmp_path / "d"
    (dataset / "tables").mkdir(parents=True)
    (dataset / "tables" / "paper-3.md").write_text("a paper's")
    for metric in ("mAP@all", "P@100"):
        write_outputs(report_of(tmp_path, metric), report)
        (report / "report.html").write_text(metric)
        copy_outputs(report, dataset)
        copied = {name for name in files(dataset) if not name.startswith("f/")}
        assert copied == files(report) | {"tables/paper-3.md"}
        assert (dataset / "report.html").read_text() == metric


def test_a_link_is_not_followed(tmp_path):
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    write_outputs(report_of(tmp_path, "mAP@all"), results)
    (results / "figures").rename(elsewhere)
    (results / "figures").symlink_to(elsewhere)
    before = files(elsewhere)
    write_outputs(report_of(tmp_path, "P@100", status="skipped"), results)
    assert files(elsewhere) == before


def test_a_new_format_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "typ", lambda grid: f"= {grid.title}\n")
    write_outputs(report_of(tmp_path, "mAP@all"), tmp_path)
    stems = {path.stem for path in (tmp_path / "tables").glob("*.csv")}
    assert {path.stem for path in (tmp_path / "tables").glob("*.typ")} == stems
    assert (tmp_path / "tables" / "mAP@all.typ").read_text() == "= mAP@all on d, f features\n"


def test_a_results_folder_behind_a_link_is_cleared_too(tmp_path):
    (tmp_path / "disk").mkdir()
    results = tmp_path / "results"
    results.symlink_to(tmp_path / "disk")
    write_outputs(report_of(tmp_path, "mAP@all"), results / "d")
    write_outputs(report_of(tmp_path, "P@100"), results / "d")
    assert not [name for name in files(tmp_path / "disk") if "mAP@all." in name]


@pytest.mark.parametrize(
    "names", ['["../keep", "/etc/hosts", "tables/../keep", 3]', "[", '{"a": 1}', "3"]
)
def test_a_forged_list_removes_nothing(tmp_path, names):
    folder = tmp_path / "results"
    (tmp_path / "keep").write_text("mine")
    (folder).mkdir()
    (folder / "keep").write_text("mine")
    (folder / WRITTEN).write_text(names)
    write_outputs(report_of(tmp_path, "mAP@all"), folder)
    assert (tmp_path / "keep").exists() and (folder / "keep").exists()
    assert "tables/all.md" in json.loads((folder / WRITTEN).read_text())
