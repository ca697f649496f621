"""The estimated cost of a run, for ``--dry-run``."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.execution.grid import Cell
from benchmark.execution.options import RunOptions
from benchmark.execution.pending import finished_cells
from benchmark.store.store import Store

#: Time of a method relative to a matrix product of as many operations, if no cell of the method has
#: been measured: between 0.6 (itq) and 3.5 (sph) on 5,500 x 512 features.  Shared results make
#: every cell but the first cheaper.
OVERHEAD = 2.0
#: Seconds of a cell besides training: ranking, metrics and writing.
PER_CELL = 0.3


@dataclass(frozen=True)
class Price:
    """Number and estimated cost of the cells of one method variant.

    Attributes
    ----------
    variant : str
    done, to_run, skipped : int
        Numbers of cells.
    seconds : float
        Estimated computing time of the cells to run, one at a time.
    measured : bool
        Whether the estimate rests on finished cells of the same method.
    reason : str
        Why cells are skipped.
    """

    variant: str
    done: int
    to_run: int
    skipped: int
    seconds: float
    measured: bool
    reason: str = ""


def price_cells(cells: Sequence[Cell], options: RunOptions) -> list[Price]:
    """Price the cells that a run would compute, per method variant.

    Seconds are operations times seconds per operation: of finished cells of the same method on
    the same data set where there are any, else of a matrix product on this machine.
    """
    speeds = _measured_speeds(cells, Store(options.results))
    default = OVERHEAD * _seconds_per_operation()
    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[str(cell.variant)].append(cell)
    prices = []
    for name, group in groups.items():
        runnable = [c for c in group if not c.skip]
        finished = finished_cells(runnable, options)
        to_run = [c for c in runnable if c not in finished]
        speed = speeds.get(group[0].variant.name)
        each = [c.operations * (speed or default) + PER_CELL for c in to_run]
        prices.append(
            Price(
                name,
                done=len(runnable) - len(to_run),
                to_run=len(to_run),
                skipped=len(group) - len(runnable),
                seconds=sum(each),
                measured=speed is not None,
                reason=next((c.skip for c in group if c.skip), ""),
            )
        )
    return prices


def price_text(prices: Sequence[Price], jobs: int) -> str:
    """The prices as text for a terminal, with the total for `jobs` parallel cells."""
    width = max(len(p.variant) for p in prices)
    lines = [f"{'method':<{width}}  to run   done  skipped  estimated"]
    for p in prices:
        source = "" if p.measured or not p.to_run else "  (rough: never run here)"
        skipped = f"  ({p.reason})" if p.reason else ""
        lines.append(
            f"{p.variant:<{width}}  {p.to_run:>6}  {p.done:>5}  {p.skipped:>7}  "
            f"{_spell_seconds(p.seconds):>9}{source}{skipped}"
        )
    total = sum(p.seconds for p in prices) / jobs
    lines.append(
        f"{sum(p.to_run for p in prices)} cells to run, about {_spell_seconds(total)} "
        f"with --jobs {jobs}"
    )
    return "\n".join(lines)


def _measured_speeds(cells: Sequence[Cell], store: Store) -> dict[str, float]:
    speeds = defaultdict(list)
    for record in store.records(cells[0].specification["dataset"]):
        if record.get("seconds") and record.get("operations"):
            name = record["method"].partition("[")[0]
            speeds[name].append(sum(record["seconds"].values()) / record["operations"])
    return {name: statistics.median(values) for name, values in speeds.items()}


def _seconds_per_operation() -> float:
    size = 768
    A = np.ones((size, size))
    A @ A
    start = time.perf_counter()
    A @ A
    return (time.perf_counter() - start) / (2 * size**3)


def _spell_seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
