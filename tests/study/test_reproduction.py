"""A stored cell is made again, and every difference is said."""

import json

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.digests import value_digest


@pytest.fixture
def reproduce(capsys, tmp_path):
    """Make the only cell of the results again; returns (exit status, the lines it prints, err)."""

    def call(folder=None):
        if folder is None:
            (path,) = (tmp_path / "results" / "cells").glob("*/*/*/run.json")
            folder = path.parent
        status = main(["--reproduce", str(folder)])
        captured = capsys.readouterr()
        return status, captured.out.splitlines(), captured.err

    return call


def altered(tmp_path, change):
    """Change the record of the only cell, as somebody would who wants other numbers."""
    (path,) = (tmp_path / "results" / "cells").glob("*/*/*/run.json")
    record = json.loads(path.read_text())
    record.pop("checksum")
    change(record)
    path.write_text(json.dumps({**record, "checksum": value_digest(record, 64)}))


def test_a_cell_is_reproduced_from_another_folder(run, reproduce, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--methods", "itq[n_iter=7]", "--bits", 8, "--l2-normalize", dataset="blobs")[0] == 0
    monkeypatch.chdir("/")
    status, (line,), err = reproduce()
    assert (status, err) == (0, "") and "reproduced: codes and" in line


def test_a_plug_in_is_loaded_and_its_change_is_said(run, plugin, reproduce):
    path = plugin("mine")
    assert run("--plugin", path, "--methods", "mine[shift=0.5]", "--bits", 8)[0] == 0
    assert reproduce()[0] == 0


def test_other_numbers_are_not_reproduced(run, reproduce, tmp_path):
    run("--methods", "lsh", "--bits", 8)

    def change(record):
        record["metrics"]["mAP@all"]["value"] += 1e-15
        record["codes"] = "0"

    altered(tmp_path, change)
    status, (line,), _ = reproduce()
    assert status == 1 and "NOT reproduced: other codes; mAP@all" in line
    assert "P@r2" not in line


def test_other_data_are_not_reproduced(run, reproduce, data_folder):
    run("--methods", "lsh", "--bits", 8)
    path = data_folder / "features" / "blobs.npy"
    X = np.load(path)
    X[0, 0] += 1
    np.save(path, X)
    status, (line,), _ = reproduce()
    assert status == 1 and "NOT reproduced" in line and "features_identity" in line


def test_what_is_no_cell_is_refused(run, reproduce, tmp_path):
    run("--methods", "lsh", "--bits", 8)
    (path,) = (tmp_path / "results" / "cells").glob("*/*/*/run.json")
    for folder in (tmp_path, path.parent.with_name("absent")):
        status, out, err = reproduce(folder)
        assert (status, out) == (2, []) and str(folder) in err
    path.write_text("{}")
    assert reproduce(path.parent)[0] == 2


def test_a_cell_says_on_what_machine_it_ran(run, tmp_path):
    run("--methods", "lsh", "--bits", 8)
    (path,) = (tmp_path / "results" / "cells").glob("*/*/*/run.json")
    record = json.loads(path.read_text())
    assert record["machine"]["cores"] >= 1 and record["machine"]["threads"] >= 1
    assert record["metrics"]["load"]["value"] >= 0
    assert record["request"]["dataset"] == str(tmp_path / "blobs")
