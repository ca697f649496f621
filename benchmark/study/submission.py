"""``--check-results``: whether a results folder can be handed in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmark.errors import InputError
from benchmark.protocol.catalogue import find_metric
from benchmark.protocol.protocol import PRESETS
from benchmark.registry import methods
from benchmark.store.record import CellResult
from benchmark.store.store import FORMAT, RECORD, Store
from benchmark.study.gathering import gather
from benchmark.study.merging import differences

#: What ``run.json`` must say beside the result itself.
NEEDED = ("specification", "versions", "finished", "checksums")


def check_results(folder: Path, against: Store | None = None) -> list[str]:
    """What is wrong with a results folder; empty where it can be handed in.

    Parameters
    ----------
    folder : Path
        A results folder with ``cells/``.
    against : Store, optional
        Results that are known; cells of the same key must agree with them.

    Raises
    ------
    InputError
        If there are no cells.
    """
    root = folder / "cells"
    paths = sorted(root.glob(f"*/*/*/{RECORD}"))
    if not paths:
        raise InputError(
            f"--check-results {folder}: there is no {root}/*/*/*/{RECORD}; name the folder that "
            "--results had"
        )
    store, complaints = Store(folder), []
    for path in paths:
        place = path.parent.relative_to(root).as_posix()
        complaints += [f"{place}: {text}" for text in _of_cell(store, place, against)]
    for dataset in store.datasets():
        complaints += list(_duplicates(store, dataset))
    return complaints


def _of_cell(store: Store, place: str, against: Store | None) -> Iterator[str]:
    record = store.record(place)
    if not record:
        yield f"{RECORD} is not JSON"
        return
    if record.get("format") != FORMAT:
        yield f"format {record.get('format')}, this version reads {FORMAT}: run it again"
        return
    missing = [name for name in NEEDED if name not in record]
    if missing:
        yield f"{RECORD} lacks {', '.join(missing)}"
        return
    result = store.read(place)
    if result is None:
        yield "a checksum does not fit: a file was changed after the run, or is missing"
        return
    yield from _of_result(result, place)
    protocol = record["specification"].get("protocol", {})
    preset = PRESETS.get(protocol.get("name"))
    known = preset and json.loads(json.dumps(preset.specification()))
    if known != protocol:
        yield f"protocol {protocol.get('name')!r} is none of {', '.join(PRESETS)}, or was changed"
    if not record["versions"].get("hashbench"):
        yield "versions do not name hashbench"
    other = against and against.read(place)
    if other and (found := differences(other, result)):
        yield f"differs from the stored result of the same key: {'; '.join(found)}"


def _of_result(result: CellResult, place: str) -> Iterator[str]:
    if result.status != "done":
        yield f"{result.status}: {result.reason}"
    name = result.method.partition("[")[0]
    try:
        methods.find(name)
    except InputError:
        yield f"method {name} is not registered here: give its file with --plugin"
    expected = f"{result.bits}b-s{result.seed}-"
    if not place.rpartition("/")[2].startswith(expected) or not place.startswith(result.dataset):
        yield "the folder's name does not fit what is in it"
    unknown = [metric for metric in result.metrics if find_metric(metric) is None]
    if unknown:
        yield f"unknown metrics: {', '.join(unknown)}"


def _duplicates(store: Store, dataset: str) -> Iterator[str]:
    """Cells that are there twice, as another version or another tuning of the same method."""
    shown = {cell.result.folder for cells in gather(store, dataset) for cell in cells}
    for result in store.cells(dataset):
        if result.folder not in shown:
            yield (
                f"{result.folder}: another version of a cell that is there too, or of other data; "
                "leave it out"
            )
