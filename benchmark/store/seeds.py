"""Means over seeds, and the long summary table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.files import write_file
from benchmark.protocol.evaluation import Curve
from benchmark.store.record import CellResult

#: Columns of ``summary.csv``.
SUMMARY_COLUMNS = (
    "dataset",
    "features",
    "method",
    "bits",
    "seed",
    "status",
    "metric",
    "value",
    "low",
    "high",
)


def summary_frame(cells: Iterable[CellResult]) -> pd.DataFrame:
    """Everything measured, tidy and long: a row for each metric of each cell.

    Parameters
    ----------
    cells : iterable of CellResult

    Returns
    -------
    DataFrame
        With the columns ``SUMMARY_COLUMNS``, in the order of the cells.  A cell that is not done
        has one row, whose metric, value and bounds are empty.
    """
    rows: list[tuple] = []
    for cell in cells:
        head = (cell.dataset, cell.features, cell.method, cell.bits, cell.seed, cell.status)
        if cell.status == "done":
            rows += [(*head, name, *measure) for name, measure in cell.metrics.items()]
        else:
            rows.append((*head, None, np.nan, np.nan, np.nan))
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def write_summary(cells: Iterable[CellResult], path: Path) -> Path:
    """Write :func:`summary_frame` as CSV and return its path; floats keep all their digits."""
    write_file(path, summary_frame(cells).to_csv(index=False, lineterminator="\n"))
    return path


def method_names(cells: Iterable[CellResult]) -> list[str]:
    """The methods in the order in which they first appear."""
    return list(dict.fromkeys(cell.method for cell in cells))


def code_lengths(cells: Iterable[CellResult]) -> list[int]:
    """The code lengths in bits, ascending."""
    return sorted({cell.bits for cell in cells})


def over_seeds(cells: Iterable[CellResult]) -> dict[tuple[str, int], list[CellResult]]:
    """Cells that differ in the seed alone, by method and code length."""
    groups: dict[tuple[str, int], list[CellResult]] = {}
    for cell in cells:
        groups.setdefault((cell.method, cell.bits), []).append(cell)
    return groups


def value_of(cell: CellResult, metric: str) -> float | None:
    """The metric's value, or None where the cell is not done or has no finite value of it."""
    measure = cell.metrics.get(metric) if cell.status == "done" else None
    return float(measure.value) if measure and np.isfinite(measure.value) else None


def values_of(cells: Iterable[CellResult], metric: str) -> list[float]:
    """The values that :func:`value_of` finds, in the order of the cells."""
    found = (value_of(cell, metric) for cell in cells)
    return [value for value in found if value is not None]


def chance_level(cells: Iterable[CellResult]) -> float | None:
    """Mean base rate over all cells that are done, or None where none is."""
    rates = values_of(cells, "base_rate")
    return statistics.fmean(rates) if rates else None


def mean_curve(cells: Sequence[CellResult], name: str) -> Curve | None:
    """A curve averaged over the cells that have it, or None where none has.

    Cells of one run share the protocol, and with it the points on the x axis.
    """
    curves = [cell.curves[name] for cell in cells if cell.status == "done" and name in cell.curves]
    if not curves:
        return None
    return Curve(np.asarray(curves[0].x), np.mean([curve.y for curve in curves], axis=0))
