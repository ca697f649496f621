"""``--merge``: the cells of several results folders in one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.errors import InputError
from benchmark.files import check_writable, written_folder
from benchmark.protocol.catalogue import COSTS
from benchmark.store.record import CellResult
from benchmark.store.store import Store

#: Two values that differ by less are the same: sums in another order.
ROUNDING = 1e-9


@dataclass
class Merged:
    """What a merge did.

    Attributes
    ----------
    taken : int
        Cells that were copied.
    agreed : int
        Cells that were there already with the same values.
    complaints : list of str
        Cells that disagree or cannot be read, one sentence each; what was there before stays.
    datasets : set of str
        Names of the data sets with cells that were copied.
    """

    taken: int = 0
    agreed: int = 0
    complaints: list[str] = field(default_factory=list)
    datasets: set[str] = field(default_factory=set)


def merge_results(target: Store, sources: Sequence[Path]) -> Merged:
    """Copy the cells of other results folders into one.

    A cell has the same key everywhere; where two have it, their values must agree but for times
    and memory.  A finished cell takes the place of a failed one.

    Parameters
    ----------
    target : Store
    sources : sequence of Path
        Results folders, which are only read.

    Raises
    ------
    InputError
        If a source has no cells or is the target, before anything is copied.
    """
    for source in sources:
        if not (source / "cells").is_dir():
            raise InputError(f"--merge {source}: there is no folder cells in it; name the folders "
                             "that --results had")  # fmt: skip
        if source.resolve() == target.root.resolve():
            raise InputError(f"--merge {source}: it is the folder to merge into; see --results")
    check_writable(target.root, "--results")
    merged = Merged()
    for source in sources:
        for folder in _folders(source):
            _merge_cell(target, Store(source), folder, merged)
    return merged


def differences(one: CellResult, other: CellResult) -> list[str]:
    """What two results of the same cell do not have in common, times and memory aside."""
    if one.status != other.status:
        return [f"status {one.status} and {other.status}"]
    found = []
    for name in sorted((one.metrics.keys() | other.metrics.keys()) - COSTS.keys()):
        values = [cell.metrics[name].value for cell in (one, other) if name in cell.metrics]
        if len(values) < 2:
            found.append(f"{name} in one of them alone")
        elif abs(values[0] - values[1]) > ROUNDING:
            found.append(f"{name} {values[0]:.6g} and {values[1]:.6g}")
    return found


def _folders(source: Path) -> Iterator[str]:
    root = source / "cells"
    for path in sorted(root.glob("*/*/*/run.json")):
        # What is being written has a dot in front.
        if not path.parent.name.startswith("."):
            yield path.parent.relative_to(root).as_posix()


def _merge_cell(target: Store, source: Store, folder: str, merged: Merged) -> None:
    theirs, ours = source.read(folder), target.read(folder)
    if theirs is None:
        merged.complaints.append(f"{source.root}: {folder} is damaged and is left out")
        return
    if ours is not None and not (ours.status == "failed" and theirs.status == "done"):
        if ours.status == "done" and theirs.status == "failed":
            return
        found = differences(ours, theirs)
        merged.agreed += not found
        if found:
            merged.complaints.append(
                f"{source.root}: {folder} disagrees with what is there, which stays: "
                + "; ".join(found)
            )
        return
    with written_folder(target.root / "cells" / folder) as place:
        shutil.copytree(source.root / "cells" / folder, place, dirs_exist_ok=True)
    merged.taken += 1
    merged.datasets.add(theirs.dataset)
