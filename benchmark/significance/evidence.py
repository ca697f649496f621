"""How sure the numbers of a run are: intervals, and which methods differ significantly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from benchmark.significance.bootstrap import Interval, bootstrap_intervals
from benchmark.significance.pairwise import PairwiseTests, compare_methods
from benchmark.store.record import CellResult
from benchmark.store.store import Store

#: Values of each query by code length and method, (seeds, queries).
Values = dict[int, dict[str, np.ndarray]]
#: The split of a cell, and its values of each query.
Row = tuple[str, np.ndarray]


@dataclass(frozen=True)
class Significance:
    """What the values of single queries say of one metric.

    Attributes
    ----------
    tests : mapping of int to PairwiseTests
        Code length to the comparison of all methods that were trained more than once, without
        bounds, which are no codes; a code length at which fewer than two were is left out.
    untested : mapping of int to str
        Code length at which methods have values but no comparison to the reason.
    intervals : mapping of (str, int) to Interval
        Method and code length to the bootstrap interval of the mean over queries and seeds.
    """

    tests: Mapping[int, PairwiseTests] = field(default_factory=dict)
    intervals: Mapping[tuple[str, int], Interval] = field(default_factory=dict)
    untested: Mapping[int, str] = field(default_factory=dict)


#: Why nothing is called significant where methods have one seed.
ONE_TRAINING = "one training each"
#: No query has been looked at.
UNTESTED = Significance()


def significance_of(
    cells: Sequence[CellResult], store: Store, metrics: Sequence[str]
) -> dict[str, Significance]:
    """What the values of single queries say of each metric of a run.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind.
    store : Store
    metrics : sequence of str
    """
    compared = {cell.method for cell in cells if not cell.is_bound}
    return {
        metric: _of_metric(values, compared)
        for metric, values in _per_query(cells, store, metrics).items()
    }


def _of_metric(values: Values, compared: Set[str]) -> Significance:
    tests, intervals, untested = {}, {}, {}
    for bits, methods in sorted(values.items()):
        coded = {name: rows for name, rows in methods.items() if name in compared}
        trained_again = {name: rows for name, rows in coded.items() if len(rows) > 1}
        if len(trained_again) > 1:
            tests[bits] = compare_methods(trained_again)
        elif len(coded) > 1:
            untested[bits] = ONE_TRAINING
        found = bootstrap_intervals(list(methods.values()))
        intervals.update({(m, bits): one for m, one in zip(methods, found, strict=True)})
    return Significance(tests, intervals, untested)


def _per_query(
    cells: Sequence[CellResult], store: Store, metrics: Sequence[str]
) -> dict[str, Values]:
    """Stored values of each query; every cell is read once."""
    rows: dict[str, dict[int, dict[str, list[Row]]]] = {metric: {} for metric in metrics}
    for cell in cells:
        if cell.status != "done":
            continue
        per_query = store.per_query(cell.folder)
        for metric in metrics:
            if metric in per_query:
                of_bits = rows[metric].setdefault(cell.bits, {})
                of_bits.setdefault(cell.method, []).append((cell.split, per_query[metric]))
    return {
        metric: {bits: _stacked(methods) for bits, methods in of_metric.items()}
        for metric, of_metric in rows.items()
    }


def _stacked(methods: Mapping[str, Sequence[Row]]) -> dict[str, np.ndarray]:
    """Rows as arrays over the queries of all splits; those of other splits do not count."""
    lengths = {split: len(values) for rows in methods.values() for split, values in rows}
    ends = dict(zip(lengths, np.cumsum(list(lengths.values())), strict=True))
    stacked = {}
    for method, rows in methods.items():
        stacked[method] = np.full((len(rows), sum(lengths.values())), np.nan)
        for row, (split, values) in zip(stacked[method], rows, strict=True):
            row[ends[split] - len(values) : ends[split]] = values
    return stacked
