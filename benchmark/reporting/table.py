"""One metric of a run: methods against code lengths, and how that is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from benchmark.protocol.catalogue import COSTS, describe, format_value, has_ties
from benchmark.reporting.grid import Column, Grid, GridCell, GridRow
from benchmark.reporting.marks import (
    best_is_separated,
    describe_separation,
    letter,
    spell_letters,
)
from benchmark.reporting.render import text
from benchmark.reporting.wording import (
    BASE_RATE,
    DASH,
    TIE_RULES,
    describe_seeds,
    describe_test,
)
from benchmark.significance.bootstrap import Interval
from benchmark.significance.pairwise import PairwiseTests


@dataclass(frozen=True)
class TableEntry:
    """One method at one code length.

    Attributes
    ----------
    mean : float or None
        Mean over the seeds that are there; None is shown as a dash.
    deviation : float or None
        Sample standard deviation over the seeds (divisor n - 1); None for fewer than two.
    n_seeds : int
        Number of seeds in the mean.
    interval : Interval or None
        Bootstrap interval of the mean over queries and seeds, where the metric has one.
    rank : int
        1 for the best of its column and what is not significantly worse, 2 for the best of the
        others, otherwise 0.
    better : tuple of int
        Numbers of the rows that it is significantly better than.
    note : str
        Number of its footnote, or empty.
    """

    mean: float | None
    deviation: float | None = None
    n_seeds: int = 0
    interval: Interval | None = None
    rank: int = 0
    better: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A method and an entry for each code length.

    Attributes
    ----------
    method : str
    entries : tuple of TableEntry
    note : str
        Number of its own footnote, or empty.
    is_bound : bool
        Whether it is no code, but a bound beside the codes, which is not compared with them.
    """

    method: str
    entries: tuple[TableEntry, ...]
    note: str = ""
    is_bound: bool = False

    @property
    def compared(self) -> tuple[float | None, ...]:
        """The means that take part in the comparison of methods; None for the others."""
        return tuple(None if self.is_bound else entry.mean for entry in self.entries)


@dataclass(frozen=True)
class Table:
    """One metric of one data set and feature kind, ready to be rendered.

    Attributes
    ----------
    dataset, features, metric : str
    bits : tuple of int
        Code lengths, ascending: the columns.
    rows : tuple of Row
        In the order of the cells they were made from.
    chance : float or None
        The base rate, shown as the last row; None where chance has no meaning for the metric.
    seeds : tuple of int
        All seeds of the run.
    ranked : bool
        Whether the best and the best of the others are marked.
    ties : str
        The tie rule of the protocol, a key of ``TIE_RULES``.
    tests : mapping of int to PairwiseTests
        Which methods differ significantly, for each code length; empty if nothing was tested.
    untested : mapping of int to str
        Code lengths at which nothing could be tested, with the reason.
    footnotes : mapping of str to str
        Number to text.
    """

    dataset: str
    features: str
    metric: str
    bits: tuple[int, ...]
    rows: tuple[Row, ...]
    chance: float | None
    seeds: tuple[int, ...]
    ranked: bool
    ties: str = "expected"
    tests: Mapping[int, PairwiseTests] = field(default_factory=dict)
    untested: Mapping[int, str] = field(default_factory=dict)
    footnotes: Mapping[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The metric's name, or what it measures where it is a cost."""
        return COSTS.get(self.metric, self.metric)

    @property
    def title(self) -> str:
        """Metric, data set and features."""
        return f"{self.heading} on {self.dataset}, {self.features} features"

    @property
    def caption(self) -> str:
        """What is shown, on what, and how seeds and ties were averaged."""
        where = f"on {self.dataset} with {self.features} features"
        ties = f"; {TIE_RULES[self.ties]}" if has_ties(self.metric) else ""
        return f"{describe(self.metric)}, {where}; {describe_seeds(self.seeds)}{ties}."

    @property
    def findings(self) -> str:
        """What was tested and found, or why nothing was; empty if there is nothing to test."""
        if not self.tests:
            reasons = dict.fromkeys(self.untested.values())
            return f"Not tested for significance: {'; '.join(reasons)}." if reasons else ""
        level = next(iter(self.tests.values())).level
        return f"{describe_test(level)} {describe_separation(sorted(self.tests), self.separated)}"

    @property
    def separated(self) -> tuple[int, ...]:
        """Code lengths at which the best is significantly better than the second."""
        methods = [row.method for row in self.rows]
        columns = zip(self.bits, zip(*(r.compared for r in self.rows), strict=True), strict=True)
        return tuple(
            bits
            for bits, means in columns
            if bits in self.tests and best_is_separated(methods, means, self.tests[bits])
        )

    def frame(self) -> pd.DataFrame:
        """Means over seeds: a row for each method, a column for each code length; NaN for a gap."""
        means = [[entry.mean for entry in row.entries] for row in self.rows]
        methods = pd.Index([row.method for row in self.rows], name="method")
        return pd.DataFrame(means, methods, pd.Index(self.bits, name="bits"), dtype=float)

    def __str__(self) -> str:
        return text.render(self.grid())

    def grid(self) -> Grid:
        """The table in print."""
        tested = bool(self.tests)
        foot = []
        if self.chance is not None:
            chance = GridCell((format_value(self.metric, self.chance),))
            foot = [GridRow((GridCell((BASE_RATE,)), *[chance] * len(self.bits)))]
        return Grid(
            self.title,
            (Column("Method", right=False), *(Column(f"{bits} bits") for bits in self.bits)),
            tuple(
                GridRow(
                    (_name(row), *(self._cell(entry) for entry in row.entries)),
                    letter(position) if tested else "",
                )
                for position, row in enumerate(self.rows)
            ),
            tuple(foot),
            self.footnotes,
            self.caption,
            self.ranked,
            self.findings,
            tuple(self._data()),
        )

    def _cell(self, entry: TableEntry) -> GridCell:
        mean, deviation = numbers(self, entry)
        tail = f"± {deviation}" if deviation else ""
        notes = (entry.note,) if entry.note else ()
        return GridCell((mean,), tail, entry.rank, spell_letters(entry.better), notes)

    def _data(self) -> Iterator[tuple[object, ...]]:
        """Full precision, no marks, footnotes in words.

        For each code length there are the columns ``12 bits`` (mean), ``12 bits deviation`` and
        ``12 bits seeds``; the column ``notes`` comes last.  Where the values of each query are
        known, ``12 bits low`` and ``12 bits high`` are the ends of the interval of the mean.
        Where differences were tested, ``letter`` names each method and ``12 bits better than``
        lists those that it is significantly better than.
        """
        tested = bool(self.tests)
        sure = any(entry.interval for row in self.rows for entry in row.entries)
        ends = [" low", " high"] if sure else []
        parts = ("", " deviation", " seeds", *ends, *([" better than"] if tested else []))
        head = ["method", *(["letter"] if tested else [])]
        yield (*head, *(f"{bits} bits{part}" for bits in self.bits for part in parts), "notes")
        for position, row in enumerate(self.rows):
            notes = [self.footnotes[row.note]] if row.note else []
            values: list[object] = [letter(position)] if tested else []
            for bits, entry in zip(self.bits, row.entries, strict=True):
                values += [entry.mean, entry.deviation, entry.n_seeds]
                values += (entry.interval or [None, None]) if sure else []
                values += [" ".join(map(letter, entry.better))] if tested else []
                if entry.note:
                    notes.append(f"{bits} bits: {self.footnotes[entry.note]}")
            yield (row.method, *values, "; ".join(notes))
        if self.chance is not None:
            chance = [self.chance, *[None] * (len(parts) - 1)] * len(self.bits)
            yield (BASE_RATE, *[None] * (len(head) - 1), *chance, "")


def _name(row: Row) -> GridCell:
    return GridCell((row.method,), notes=(row.note,) if row.note else ())


def numbers(table: Table, entry: TableEntry) -> tuple[str, str]:
    """Mean and deviation as printed; a dash without a mean, an empty string without a deviation."""
    if entry.mean is None:
        return DASH, ""
    if entry.deviation is None:
        return format_value(table.metric, entry.mean), ""
    deviation = format_value(table.metric, entry.deviation, like=entry.mean)
    return format_value(table.metric, entry.mean), deviation
