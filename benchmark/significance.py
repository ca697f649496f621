"""Which methods differ significantly, for every metric and code length of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.statistics import Comparison, compare_methods
from benchmark.store import CellResult, Store

#: Metric to code length to the comparison of the methods.
Comparisons = Mapping[str, Mapping[int, Comparison]]


def compare_cells(
    cells: Sequence[CellResult], folders: Sequence[str], store: Store, metrics: Sequence[str]
) -> dict[str, dict[int, Comparison]]:
    """Compare all methods of a run, column by column.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind.
    folders : sequence of str
        Where each is stored.
    store : Store
    metrics : sequence of str

    Returns
    -------
    dict of str to dict of int to Comparison
        A code length at which fewer than two methods have values for each query is left out.
    """
    found: dict[str, dict[int, Comparison]] = {metric: {} for metric in metrics}
    for bits in sorted({cell.bits for cell in cells}):
        columns: dict[str, dict[str, list[np.ndarray]]] = {metric: {} for metric in metrics}
        for cell, folder in zip(cells, folders, strict=True):
            if cell.bits != bits or cell.status != "done":
                continue
            per_query = store.per_query(folder)
            for metric in metrics:
                if metric in per_query:
                    columns[metric].setdefault(cell.method, []).append(per_query[metric])
        for metric, methods in columns.items():
            if len(methods) > 1:
                stacked = {name: np.stack(seeds) for name, seeds in methods.items()}
                found[metric][bits] = compare_methods(stacked)
    return found
