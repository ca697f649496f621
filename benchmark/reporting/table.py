"""One metric of a run: methods against code lengths, and how that is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from benchmark.protocol.catalogue import COSTS, describe, format_value, has_ties
from benchmark.reporting.grid import Column, Grid, GridCell, GridRow
from benchmark.reporting.marks import best_is_separated, describe_separation
from benchmark.reporting.method import Method
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
        1 for the best of its group and code length and what is not significantly worse, 2 for the
        best of the others, otherwise 0.
    note : str
        Number of its footnote, or empty.
    """

    mean: float | None
    deviation: float | None = None
    n_seeds: int = 0
    interval: Interval | None = None
    rank: int = 0
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A method, an entry for each code length, and the number of its own footnote (or empty)."""

    method: str
    entries: tuple[TableEntry, ...]
    note: str = ""
    known: Method | None = None

    @property
    def about(self) -> Method:
        """What is said of the method beside its numbers."""
        return self.known or Method(self.method)


@dataclass(frozen=True)
class Table:
    """One metric of one data set and feature kind, ready to be rendered.

    Attributes
    ----------
    dataset, features, metric : str
    bits : tuple of int
        Code lengths, ascending: the columns.
    rows : tuple of Row
        In groups by supervision, and in these in the order of the cells they were made from.
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
    def groups(self) -> dict[str, tuple[Row, ...]]:
        """The rows of each group, by its name."""
        of_group: dict[str, list[Row]] = {}
        for row in self.rows:
            of_group.setdefault(row.about.group, []).append(row)
        return {name: tuple(rows) for name, rows in of_group.items()}

    @property
    def findings(self) -> str:
        """What was tested and found, or why nothing was; empty if there is nothing to test."""
        if not self.tests:
            reasons = dict.fromkeys(self.untested.values())
            return f"Not tested for significance: {'; '.join(reasons)}." if reasons else ""
        level = next(iter(self.tests.values())).level
        return " ".join([describe_test(level), *self.separations])

    @property
    def separations(self) -> list[str]:
        """A sentence for each group on where its best is significantly better than its second."""
        groups = self.groups
        found = []
        for name, rows in groups.items():
            methods = [row.method for row in rows]
            known = {}
            for j, bits in enumerate(self.bits):
                means = [row.entries[j].mean for row in rows]
                tests = self.tests.get(bits)
                known[bits] = tests and best_is_separated(methods, means, tests)
            tested = [bits for bits, answer in known.items() if answer is not None]
            if tested:
                separated = [bits for bits in tested if known[bits]]
                title = name if len(groups) > 1 else ""
                found.append(describe_separation(tested, separated, title))
        return found

    def frame(self) -> pd.DataFrame:
        """Means over seeds: a row for each method, a column for each code length; NaN for a gap."""
        means = [[entry.mean for entry in row.entries] for row in self.rows]
        methods = pd.Index([row.method for row in self.rows], name="method")
        return pd.DataFrame(means, methods, pd.Index(self.bits, name="bits"), dtype=float)

    def __str__(self) -> str:
        return text.render(self.grid())

    def grid(self) -> Grid:
        """The table in print."""
        foot = []
        if self.chance is not None:
            chance = GridCell((format_value(self.metric, self.chance),))
            foot = [GridRow((GridCell((BASE_RATE,)), *[chance] * len(self.bits)))]
        sections = len(self.groups) > 1
        return Grid(
            self.title,
            (Column("Method", right=False), *(Column(f"{bits} bits") for bits in self.bits)),
            tuple(
                GridRow(
                    (_name(row), *(self._cell(entry) for entry in row.entries)),
                    row.about.group if sections else "",
                )
                for row in self.rows
            ),
            tuple(foot),
            self.footnotes,
            self.caption,
            self.ranked,
            bool(self.tests),
            self.findings,
            tuple(self._data()),
        )

    def _cell(self, entry: TableEntry) -> GridCell:
        mean, deviation = numbers(self, entry)
        tail = f"± {deviation}" if deviation else ""
        notes = (entry.note,) if entry.note else ()
        return GridCell((mean,), tail, entry.rank, notes)

    def _data(self) -> Iterator[tuple[object, ...]]:
        """Full precision, ranks as numbers, footnotes in words.

        A method has its paper's name and year, its supervision and how its codes are searched.
        For each code length there are the columns ``12 bits`` (mean), ``12 bits deviation`` and
        ``12 bits seeds``; the column ``notes`` comes last.  Where the values of each query are
        known, ``12 bits low`` and ``12 bits high`` are the ends of the interval of the mean.
        ``12 bits rank`` is the mark of a ranked metric: 1, 2 or empty.
        """
        sure = any(entry.interval for row in self.rows for entry in row.entries)
        ends = [" low", " high"] if sure else []
        parts = ("", " deviation", " seeds", *ends, *([" rank"] if self.ranked else []))
        head = ("method", "name", "year", "supervision", "search")
        yield (*head, *(f"{bits} bits{part}" for bits in self.bits for part in parts), "notes")
        for row in self.rows:
            about = row.about
            search = "asymmetric" if about.by_score else "Hamming"
            notes = [self.footnotes[row.note]] if row.note else []
            values: list[object] = [about.name, about.year, about.group, search]
            for bits, entry in zip(self.bits, row.entries, strict=True):
                values += [entry.mean, entry.deviation, entry.n_seeds]
                values += (entry.interval or [None, None]) if sure else []
                values += [entry.rank or None] if self.ranked else []
                if entry.note:
                    notes.append(f"{bits} bits: {self.footnotes[entry.note]}")
            yield (row.method, *values, "; ".join(notes))
        if self.chance is not None:
            chance = [self.chance, *[None] * (len(parts) - 1)] * len(self.bits)
            yield (BASE_RATE, *[None] * (len(head) - 1), *chance, "")


def _name(row: Row) -> GridCell:
    return GridCell((row.about.label,), notes=(row.note,) if row.note else ())


def numbers(table: Table, entry: TableEntry) -> tuple[str, str]:
    """Mean and deviation as printed; a dash without a mean, an empty string without a deviation."""
    if entry.mean is None:
        return DASH, ""
    if entry.deviation is None:
        return format_value(table.metric, entry.mean), ""
    deviation = format_value(table.metric, entry.deviation, like=entry.mean)
    return format_value(table.metric, entry.mean), deviation
