"""The comparison table: methods against code lengths, ranked, with every gap explained."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmark.errors import InputError
from benchmark.protocol.catalogue import COSTS, describe, format_value, has_ties, is_ranked
from benchmark.reporting.footnotes import Footnotes, gaps_of, note_on_method
from benchmark.reporting.marks import best_is_separated, column_marks, describe_separation
from benchmark.reporting.wording import DASH, TIE_RULES, describe_seeds, describe_test
from benchmark.significance.bootstrap import Interval
from benchmark.significance.evidence import NONE, Evidence
from benchmark.significance.randomisation import Comparison
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, code_lengths, method_names, over_seeds, values_of


@dataclass(frozen=True)
class Entry:
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
    """A method, an entry for each code length, and the number of its own footnote (or empty)."""

    method: str
    entries: tuple[Entry, ...]
    note: str = ""


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
    tests : mapping of int to Comparison
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
    tests: Mapping[int, Comparison] = field(default_factory=dict)
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
        columns = zip(self.bits, zip(*(row.entries for row in self.rows), strict=True), strict=True)
        return tuple(
            bits
            for bits, column in columns
            if bits in self.tests
            and best_is_separated(methods, [e.mean for e in column], self.tests[bits])
        )


def comparison_table(
    cells: Sequence[CellResult],
    metric: str,
    *,
    ties: str = "expected",
    evidence: Evidence = NONE,
) -> Table:
    """Means over seeds of one metric, a row for each method and a column for each code length.

    The best entry of a column is marked together with those that are not significantly worse (or,
    where nothing was tested, print the same), and the best of the others.  Cells that were skipped
    or failed become dashes with a footnote.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind, methods in the order in which to show them.
    metric : str
    ties : {"expected", "index"}
        The tie rule of the protocol, for the caption.
    evidence : Evidence
        Tests and intervals of this metric; without them, marks compare what is printed.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If there are no cells, or if cells are done but none has the metric.
    """
    if not cells:
        raise InputError("no cells to tabulate: run the benchmark first")
    known = sorted({name for cell in cells if cell.status == "done" for name in cell.metrics})
    if known and metric not in known:
        raise InputError(f"no cell has the metric {metric!r}: they have {', '.join(known)}")
    seeds = tuple(sorted({cell.seed for cell in cells}))
    bits = tuple(code_lengths(cells))
    groups = over_seeds(cells)
    footnotes = Footnotes()
    rows = []
    for method in method_names(cells):
        note = note_on_method([cell for cell in cells if cell.method == method], footnotes)
        groups_of_row = [groups.get((method, b), []) for b in bits]
        entries = tuple(
            replace(
                _entry(group, metric, seeds, footnotes),
                interval=evidence.intervals.get((method, b)),
            )
            for b, group in zip(bits, groups_of_row, strict=True)
        )
        rows.append(Row(method, entries, note))
    ranked = is_ranked(metric) and len(rows) > 1
    tests = evidence.tests if ranked else {}
    return Table(
        dataset=cells[0].dataset,
        features=cells[0].features,
        metric=metric,
        bits=bits,
        rows=_marked(rows, metric, bits, tests) if ranked else tuple(rows),
        chance=chance_level(cells) if is_ranked(metric) else None,
        seeds=seeds,
        ranked=ranked,
        ties=ties,
        tests=tests,
        untested=evidence.untested if ranked else {},
        footnotes=footnotes.texts,
    )


def _entry(
    group: Sequence[CellResult], metric: str, seeds: Sequence[int], footnotes: Footnotes
) -> Entry:
    values = values_of(group, metric)
    gaps = gaps_of(group, metric, seeds)
    note = ""
    if gaps and not values:
        note = footnotes.number("; ".join(gaps))
    elif gaps:
        lost = "; ".join(
            f"seed{'s' if len(which) > 1 else ''} {', '.join(map(str, which))} {why}"
            for why, which in gaps.items()
        )
        note = footnotes.number(f"mean over {len(values)} of {len(seeds)} seeds ({lost})")
    mean = statistics.fmean(values) if values else None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Entry(mean, deviation, len(values), note=note)


def _marked(
    rows: Sequence[Row], metric: str, bits: Sequence[int], tests: Mapping[int, Comparison]
) -> tuple[Row, ...]:
    """Rows whose entries say where they stand in their column."""
    methods = [row.method for row in rows]
    columns = []
    for b, column in zip(bits, zip(*(row.entries for row in rows), strict=True), strict=True):
        printed = [None if e.mean is None else float(format_value(metric, e.mean)) for e in column]
        marks = column_marks(methods, printed, tests.get(b))
        columns.append([replace(e, **m._asdict()) for e, m in zip(column, marks, strict=True)])
    entries = zip(*columns, strict=True)
    return tuple(replace(row, entries=e) for row, e in zip(rows, entries, strict=True))


def numbers(table: Table, entry: Entry) -> tuple[str, str]:
    """Mean and deviation as printed; a dash without a mean, an empty string without a deviation."""
    if entry.mean is None:
        return DASH, ""
    if entry.deviation is None:
        return format_value(table.metric, entry.mean), ""
    deviation = format_value(table.metric, entry.deviation, like=entry.mean)
    return format_value(table.metric, entry.mean), deviation
