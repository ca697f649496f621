"""The order of methods: groups by supervision, and the best of a group first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from benchmark.reporting.method import group_order, methods_of
from benchmark.store.record import CellResult
from benchmark.store.seeds import over_seeds, values_of


def best_first(cells: Sequence[CellResult], metric: str) -> list[CellResult]:
    """Cells by supervision, then by the method's mean over code lengths, then length and seed.

    The order of the cells that are given does not matter, so that the same cells make the same
    report whoever ran them and in whatever order.
    """
    levels = {
        name: [statistics.fmean(v) for v in values if v] for name, values in _values(cells, metric)
    }
    places = {
        name: (
            group_order(method.supervision),
            -statistics.fmean(levels[name]) if levels[name] else math.inf,
            name,
        )
        for name, method in methods_of(cells).items()
    }
    return sorted(cells, key=lambda cell: (places[cell.method], cell.bits, cell.seed))


def _values(cells: Sequence[CellResult], metric: str) -> list[tuple[str, list[list[float]]]]:
    """Of each method its values at each code length; sorted, since sums depend on the order."""
    found: dict[str, list[list[float]]] = {}
    for (method, _), group in sorted(over_seeds(cells).items()):
        found.setdefault(method, []).append(sorted(values_of(group, metric)))
    return list(found.items())
