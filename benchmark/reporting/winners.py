"""The answer at a glance: which method to use at which supervision and code length."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from benchmark.protocol.catalogue import format_value
from benchmark.reporting.marks import listed
from benchmark.reporting.method import Method
from benchmark.reporting.table import Table


@dataclass(frozen=True)
class Winner:
    """The method with the largest mean of its group at one code length.

    Attributes
    ----------
    group : str
    bits : int
    method : Method
    value : str
        As printed.
    beside : tuple of Method
        Others of its group that are marked the same: not significantly worse, or printed alike
        where nothing was tested.
    """

    group: str
    bits: int
    method: Method
    value: str
    beside: tuple[Method, ...] = ()


def winners(table: Table) -> list[Winner]:
    """The winners of each group, by code length; a group without a value has none."""
    found = []
    for group, rows in table.groups.items():
        for j, bits in enumerate(table.bits):
            there = [row for row in rows if row.entries[j].mean is not None]
            if not there:
                continue
            best = max(there, key=lambda row, j=j: row.entries[j].mean)
            beside = [r.about for r in there if r is not best and r.entries[j].rank == 1]
            value = format_value(table.metric, best.entries[j].mean)
            found.append(Winner(group, bits, best.about, value, tuple(beside)))
    return found


def winner_lines(table: Table) -> list[str]:
    """A line for each group: ``unsupervised: SH (sh) at 12 bits (0.3012); ITQ (itq) at ...``."""
    lines = []
    for group, of_group in groupby(winners(table), key=lambda one: one.group):
        of_method: dict[Method, list[Winner]] = {}
        for one in of_group:
            of_method.setdefault(one.method, []).append(one)
        parts = [
            f"{method.short} at {listed([w.bits for w in won])} bits "
            f"({', '.join(w.value for w in won)})"
            for method, won in of_method.items()
        ]
        lines.append(f"{group}: {'; '.join(parts)}")
    return lines
