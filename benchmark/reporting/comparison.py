"""The comparison table: methods against code lengths, ranked, with every gap explained."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.errors import InputError
from benchmark.protocol.catalogue import format_value, is_ranked
from benchmark.reporting.footnotes import Footnotes, gaps_of, note_on_method
from benchmark.reporting.marks import column_marks
from benchmark.reporting.table import Row, Table, TableEntry
from benchmark.significance.evidence import UNTESTED, Significance
from benchmark.significance.pairwise import PairwiseTests
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, code_lengths, method_names, over_seeds, values_of


def comparison_table(
    cells: Sequence[CellResult],
    metric: str,
    *,
    ties: str = "expected",
    significance: Significance = UNTESTED,
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
    significance : Significance
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
        of_method = [cell for cell in cells if cell.method == method]
        note = note_on_method(of_method, footnotes)
        groups_of_row = [groups.get((method, b), []) for b in bits]
        entries = tuple(
            replace(
                _entry(group, metric, seeds, footnotes),
                interval=significance.intervals.get((method, b)),
            )
            for b, group in zip(bits, groups_of_row, strict=True)
        )
        rows.append(Row(method, entries, note, is_bound=of_method[0].is_bound))
    ranked = is_ranked(metric) and len(rows) > 1
    tests = significance.tests if ranked else {}
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
        untested=significance.untested if ranked else {},
        footnotes=footnotes.texts,
    )


def _entry(
    group: Sequence[CellResult], metric: str, seeds: Sequence[int], footnotes: Footnotes
) -> TableEntry:
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
    return TableEntry(mean, deviation, len(values), note=note)


def _marked(
    rows: Sequence[Row], metric: str, bits: Sequence[int], tests: Mapping[int, PairwiseTests]
) -> tuple[Row, ...]:
    """Rows whose entries say where they stand in their column."""
    methods = [row.method for row in rows]
    columns = []
    for position, b in enumerate(bits):
        means = [row.compared[position] for row in rows]
        printed = [None if m is None else float(format_value(metric, m)) for m in means]
        marks = column_marks(methods, printed, tests.get(b))
        column = [row.entries[position] for row in rows]
        columns.append([replace(e, **m._asdict()) for e, m in zip(column, marks, strict=True)])
    entries = zip(*columns, strict=True)
    return tuple(replace(row, entries=e) for row, e in zip(rows, entries, strict=True))
