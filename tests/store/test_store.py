"""Cells on disk: what is written comes back, and what is damaged does not."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from benchmark.files import written_folder
from benchmark.protocol.evaluation import Curve
from benchmark.store.record import CellResult, TunedPoint, Tuning, Value
from benchmark.store.store import Store

FOLDER = "d[n=1]/itq/16b-s3-abc"


@pytest.fixture
def cell():
    """A result in which every field differs from its default."""
    trials = [
        TunedPoint({"n_iter": 5}, 0.5, 1.5),
        TunedPoint({"n_iter": 50}, None, 0.5, "ValueError: no"),
    ]
    return CellResult(
        *("d[n=1]", "gist", "itq", 16, 3, "done"),
        reason="none",
        fidelity="author-code",
        tags="skip-gram",
        backbone="alexnet",
        folder=FOLDER,
        tuned=Tuning("labels", 80, 20, trials),
        metrics={"mAP@all": Value(0.1 + 0.2, 0.25, 0.35)},
        curves={"PR": Curve(np.array([0.5, 1.0]), np.array([0.75, 0.25]))},
    )


@pytest.fixture
def stored(cell, tmp_path):
    """A store that holds the cell with codes and values of single queries."""
    store = Store(tmp_path)
    profile = {"x:PR": cell.curves["PR"].x, "y:PR": cell.curves["PR"].y}
    profile["query:mAP@all"] = np.array([0.1, np.nan])
    codes = {"query": np.zeros((2, 2), np.uint8), "database": np.ones((5, 2), np.uint8)}
    run = {"specification": {"bits": 16}, "seconds": {"fit": 1.0}}
    store.write(cell, run, {"profile": profile, "codes": codes})
    return store


def test_every_field_comes_back(stored, cell):
    found = stored.read(FOLDER)
    for field in fields(CellResult):
        ours, theirs = getattr(found, field.name), getattr(cell, field.name)
        if field.name == "curves":
            assert ours.keys() == theirs.keys()
            np.testing.assert_array_equal(ours["PR"], theirs["PR"])
        else:
            assert ours == theirs, field.name
    assert stored.record(FOLDER)["seconds"] == {"fit": 1.0}
    query, database = stored.codes(FOLDER)
    assert query.shape == (2, 2) and database.all()
    np.testing.assert_array_equal(stored.per_query(FOLDER)["mAP@all"], [0.1, np.nan])


@pytest.mark.parametrize("name", ["run.json", "profile.npz", "codes.npz"])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_changed_byte_makes_a_cell_unknown(stored, tmp_path, name, place):
    path = tmp_path / "cells" / FOLDER / name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    assert stored.read(FOLDER) is None


def test_a_missing_file_or_another_version_makes_a_cell_unknown(stored, tmp_path, monkeypatch):
    assert stored.read("d/nothing/8b-s0-x") is None and stored.record("d/nothing/x") == {}
    monkeypatch.setattr("benchmark.store.store.FORMAT", 2)
    assert stored.read(FOLDER) is None
    monkeypatch.undo()
    (tmp_path / "cells" / FOLDER / "codes.npz").unlink()
    assert stored.read(FOLDER) is None


def test_the_record_has_a_version(stored, tmp_path):
    record = json.loads((tmp_path / "cells" / FOLDER / "run.json").read_text())
    assert record["format"] == 1 and "folder" not in record and "curves" not in record


def test_a_failed_cell_keeps_its_traceback(cell, tmp_path):
    failed = replace(cell, status="failed", reason="ValueError: x", curves={}, metrics={})
    Store(tmp_path).write(failed, {}, {}, error="Traceback ...")
    assert (tmp_path / "cells" / FOLDER / "error.txt").read_text() == "Traceback ..."
    assert Store(tmp_path).read(FOLDER).reason == "ValueError: x"


def test_a_write_that_fails_leaves_the_old_cell_and_nothing_else(stored, cell, tmp_path):
    before = sorted(path.name for path in (tmp_path / "cells").rglob("*"))
    with pytest.raises(TypeError):
        stored.write(cell, {}, {"profile": {"x": np.zeros(2)}, "codes": 3})
    assert sorted(path.name for path in (tmp_path / "cells").rglob("*")) == before
    assert stored.read(FOLDER) is not None


def test_all_cells_of_a_data_set_as_one_frame(stored, cell):
    stored.write(replace(cell, bits=32, folder="d[n=1]/itq/32b-s3-abc"), {}, {})
    # Data sets are folders: "[" has no meaning of its own in their names.
    assert [found.bits for found in stored.cells("d[n=1]")] == [16, 32]
    assert list(stored.frame("d[n=1]")["value"]) == [0.1 + 0.2] * 2
    assert len(list(stored.records("d[n=1]"))) == 2
    assert list(stored.cells("d")) == [] and stored.frame("d").empty


def test_a_folder_that_another_run_has_written_is_left(tmp_path):
    target = tmp_path / "a" / "b"
    with written_folder(target) as folder:
        (folder / "mine").touch()
    with pytest.raises(RuntimeError), written_folder(target) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == ["mine"]
    assert [path.name for path in target.parent.iterdir()] == ["b"]
