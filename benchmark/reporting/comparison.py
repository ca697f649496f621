"""The comparison table: methods against code lengths, ranked in groups, with gaps explained."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from benchmark.errors import InputError
from benchmark.protocol.catalogue import format_value, is_ranked
from benchmark.reporting.footnotes import Footnotes, gaps_of, note_on_method
from benchmark.reporting.marks import column_ranks
from benchmark.reporting.method import group_order, methods_of
from benchmark.reporting.table import Row, Table, TableEntry
from benchmark.significance.evidence import UNTESTED, Significance
from benchmark.significance.pairwise import PairwiseTests
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, code_lengths, over_seeds, values_of


def comparison_table(
    cells: Sequence[CellResult],
    metric: str,
    *,
    ties: str = "expected",
    significance: Significance = UNTESTED,
) -> Table:
    """Means over seeds of one metric, a row for each method and a column for each code length.

    Methods stand in groups by what they learn from.  The best entry of a column within its group
    is marked together with those that are not significantly worse (or, where nothing was tested,
    print the same), and the best of the others.  Cells that were skipped or failed become dashes
    with a footnote.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind; within a group methods keep their order.
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
    about = methods_of(cells)
    for method in sorted(about, key=lambda name: group_order(about[name].supervision)):
        own = [cell for cell in cells if cell.method == method]
        note = note_on_method(own, about[method], footnotes)
        groups_of_row = [groups.get((method, b), []) for b in bits]
        entries = tuple(
            replace(
                _entry(group, metric, seeds, footnotes),
                interval=significance.intervals.get((method, b)),
            )
            for b, group in zip(bits, groups_of_row, strict=True)
        )
        rows.append(Row(method, entries, note, about[method]))
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
    """Rows whose entries say where they stand among those of their group and code length."""
    found = []
    for _, group in groupby(rows, key=lambda row: row.about.supervision):
        of_group = list(group)
        methods = [row.method for row in of_group]
        ranks = []
        for b, column in zip(bits, zip(*(r.entries for r in of_group), strict=True), strict=True):
            means = [e.mean for e in column]
            printed = [None if m is None else float(format_value(metric, m)) for m in means]
            ranks.append(column_ranks(methods, printed, tests.get(b)))
        for row, own in zip(of_group, zip(*ranks, strict=True), strict=True):
            entries = zip(row.entries, own, strict=True)
            found.append(replace(row, entries=tuple(replace(e, rank=r) for e, r in entries)))
    return tuple(found)
