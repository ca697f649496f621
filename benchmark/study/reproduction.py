"""A stored cell made again from what it says of itself, and compared with what is stored."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from benchmark.errors import InputError
from benchmark.execution.cell import run_cell
from benchmark.execution.grid import Grid
from benchmark.protocol.catalogue import COSTS
from benchmark.protocol.protocol import Protocol
from benchmark.registry import load_plugins, methods
from benchmark.store.record import CellResult
from benchmark.store.store import Store
from benchmark.study.session import Session

#: Parts of a specification that say which code made the numbers, not what they are about.
CODE = ("code", "engine")


@dataclass(frozen=True)
class Reproduction:
    """What came of making a cell again.

    Attributes
    ----------
    cell : str
        Its folder.
    n_metrics : int
        Metrics that were compared.
    differences : tuple of str
        Everything that is not as it was; empty where codes and metrics are equal to the last digit.
    other_code : bool
        Whether the code of the method or of the protocol has changed since.
    """

    cell: str
    n_metrics: int = 0
    differences: tuple[str, ...] = ()
    other_code: bool = False

    def __str__(self) -> str:
        code = " by code that has changed since" if self.other_code else ""
        if self.differences:
            return f"{self.cell}: NOT reproduced{code}: {'; '.join(self.differences)}"
        return f"{self.cell}: reproduced{code}: codes and {self.n_metrics} metrics are equal"


def reproduce(folder: Path) -> Reproduction:
    """Make a stored cell again, from its data on, and compare codes and metrics.

    Cached features are used again; results that methods share are not.

    Parameters
    ----------
    folder : Path
        Of the cell, below ``cells/`` of a results folder.

    Raises
    ------
    InputError
        If there is no such cell, if it is not done, or if its data are no longer there.
    """
    stored, record = _open(Path(folder))
    request = dict(record["request"])
    load_plugins(tuple(map(Path, request["plugin"])))
    dataset, protocol = request.pop("dataset"), record["specification"]["protocol"]
    lists = {name: tuple(v) if isinstance(v, list) else v for name, v in protocol.items()}
    grid = Grid(
        [methods.parse(stored.method)],
        [stored.bits],
        [stored.seed],
        Protocol(**lists),
        request["tune"],
    )
    with tempfile.TemporaryDirectory(prefix="reproduction-") as place:
        session = Session(**request, results=Path(place) / "results", jobs=1)
        run, (cell,), _ = session.plan_grid(session.open(dataset), grid)
        changed = _changed(record["specification"], cell.specification)
        others = [name for name in changed if name not in CODE]
        if others:
            found = (f"the cell would be another one: {', '.join(others)} changed",)
            return Reproduction(str(folder), differences=found)
        run = replace(run, options=replace(run.options, cache=Path(place) / "cache"))
        with threadpool_limits(record["machine"]["threads"]):
            again = run_cell(run, cell)
        known = Store(run.options.results).record(cell.folder)
    names = [name for name in stored.metrics if name not in COSTS]
    found = _differences(stored, again, names)
    if again.status == "done" and known["codes"] != record["codes"]:
        found.insert(0, "other codes")
    return Reproduction(str(folder), len(names), tuple(found), bool(changed))


def _open(folder: Path) -> tuple[CellResult, Mapping[str, Any]]:
    place = folder.resolve()
    if len(place.parents) < 4 or place.parents[2].name != "cells":
        raise InputError(
            f"--reproduce {folder}: name the folder of a cell, "
            "e.g. results/cells/demo/itq/32b-s0-0123456789ab"
        )
    store, name = Store(place.parents[3]), place.relative_to(place.parents[2]).as_posix()
    stored, record = store.read(name), store.record(name)
    if stored is None:
        raise InputError(f"--reproduce {folder}: there is no cell, or it was altered; run it again")
    if stored.status != "done":
        raise InputError(f"--reproduce {folder}: the cell is {stored.status}: {stored.reason}")
    if not record.get("request") or "codes" not in record:
        raise InputError(f"--reproduce {folder}: an earlier version made the cell; run it again")
    return stored, record


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of the parts of a specification that differ."""
    # As plain as what was stored.
    plain = json.loads(json.dumps(now, default=str))
    return [name for name in {**before, **plain} if before.get(name) != plain.get(name)]


def _differences(before: CellResult, now: CellResult, names: list[str]) -> list[str]:
    if now.status != "done":
        return [f"{now.status}: {now.reason}"]
    # As text, so that NaN equals NaN; floats keep all their digits.
    return [
        f"{name} {now.metrics[name].value!r} was {before.metrics[name].value!r}"
        for name in names
        if repr(now.metrics.get(name)) != repr(before.metrics[name])
    ]
