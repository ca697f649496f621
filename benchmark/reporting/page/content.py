"""What the page says and draws, as plain values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.protocol.catalogue import describe, format_value
from benchmark.reporting.diagnostics import DiagnosticRow
from benchmark.reporting.method import Method, methods_of
from benchmark.reporting.report import Report
from benchmark.reporting.table import Table, numbers
from benchmark.reporting.wording import DASH, describe_marks, describe_test
from benchmark.store.record import CellResult
from benchmark.store.seeds import (
    chance_level,
    code_lengths,
    mean_curve,
    method_names,
    over_seeds,
    values_of,
)

#: Points along one curve on the page.
POINTS = 80
DASHES = ("", "6 3", "1.5 3", "6 3 1.5 3")


@dataclass(frozen=True)
class Shown:
    """One number of the table as the page has it.

    Attributes
    ----------
    metric : str
    value : float or None
        What rows are sorted by.
    text, deviation, interval : str
        Printed; empty where there is none.
    rank : int
        As in :class:`benchmark.reporting.table.TableEntry`.
    notes : tuple of int
        Numbers of footnotes.
    """

    metric: str
    value: float | None
    text: str
    deviation: str = ""
    interval: str = ""
    rank: int = 0
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Line:
    """A method at one code length."""

    method: Method
    bits: int
    entries: list[Shown]
    notes: tuple[int, ...]


@dataclass(frozen=True)
class Numbers:
    """The table of the page: columns with what they say, rows, and footnotes by number."""

    columns: list[tuple[str, str]]
    lines: list[Line]
    footnotes: dict[int, str]
    tested: str


def table(report: Report) -> Numbers:
    """Every number of the run, a row for each method and code length."""
    notes: dict[str, int] = {}
    tables, first = report.tables, report.main
    by_place = {(row.method, row.bits): row for row in report.diagnostics}
    diagnostics = [m for m in report.diagnostics[0].metrics if m not in tables]
    lines = []
    for i, (name, method) in enumerate(methods_of(report.cells).items()):
        own = _numbered(notes, first.footnotes.get(first.rows[i].note, ""))
        for j, bits in enumerate(first.bits):
            entries = [_shown(one, i, j, notes) for one in tables.values()]
            row = by_place.get((name, bits))
            entries += [_diagnosed(row, metric, notes) for metric in diagnostics]
            lines.append(Line(method, bits, entries, own))
    return Numbers(
        [(metric, describe(metric)) for metric in (*tables, *diagnostics)],
        lines,
        {number: text for text, number in notes.items()},
        _claims(tables.values()),
    )


def _diagnosed(row: DiagnosticRow | None, metric: str, notes: dict[str, int]) -> Shown:
    value, note = None, "not run"
    if row is not None:
        place = row.metrics.index(metric)
        value, note = row.values[place], row.notes[place]
    text = DASH if value is None else format_value(metric, value)
    return Shown(metric, value, text, notes=_numbered(notes, note))


def _shown(table: Table, i: int, j: int, notes: dict[str, int]) -> Shown:
    entry = table.rows[i].entries[j]
    text, deviation = numbers(table, entry)
    interval = ""
    if entry.interval and entry.mean is not None:
        interval = "–".join(format_value(table.metric, end) for end in entry.interval)
    return Shown(
        table.metric,
        entry.mean,
        text,
        deviation,
        interval,
        entry.rank,
        _numbered(notes, table.footnotes.get(entry.note, "")),
    )


def _numbered(notes: dict[str, int], text: str) -> tuple[int, ...]:
    return (notes.setdefault(text, len(notes) + 1),) if text else ()


def _claims(tables: Iterable[Table]) -> str:
    """What the marks mean."""
    tables = list(tables)
    if not any(table.ranked for table in tables):
        return ""
    levels = dict.fromkeys(test.level for table in tables for test in table.tests.values())
    marks = describe_marks("Bold", "underlined", tested=bool(levels))
    return " ".join([marks, *map(describe_test, levels)])


def plots(report: Report) -> dict[str, Any]:
    """Everything the script draws; numbers have four significant digits or so."""
    from benchmark.reporting.plots import COLOURS, MARKERS

    cells, main = report.cells, report.main.metric
    methods, lengths, groups = method_names(cells), code_lengths(cells), over_seeds(cells)

    def mean(method: str, bits: int, metric: str) -> float | None:
        values = values_of(groups.get((method, bits), []), metric)
        return _short(statistics.fmean(values)) if values else None

    return {
        "main": main,
        "chance": chance_level(cells),
        "bits": lengths,
        "styles": {
            method: {
                "colour": COLOURS[i % len(COLOURS)],
                "dash": DASHES[i // len(COLOURS) % len(DASHES)],
                "marker": MARKERS[i % len(MARKERS)],
                "hollow": i // len(MARKERS) % 2 == 1,
            }
            for i, method in enumerate(methods)
        },
        "map": {m: [[b, mean(m, b, main)] for b in lengths] for m in methods},
        "time": {
            m: [[mean(m, b, "fit_seconds"), mean(m, b, main), b] for b in lengths] for m in methods
        },
        "pr": {b: {m: _curve(groups.get((m, b), [])) for m in methods} for b in lengths},
        "training": _training(report),
    }


def _curve(group: Sequence[CellResult]) -> list[list[float]]:
    curve = mean_curve(group, "PR")
    if curve is None:
        return []
    chosen = np.unique(np.linspace(0, len(curve.x) - 1, POINTS).round().astype(int))
    return [[_short(curve.x[i]), _short(curve.y[i])] for i in chosen]


def _training(report: Report) -> list[dict[str, Any]]:
    """Losses of the first seed of each method and code length that has them."""
    found, seen = [], set()
    for cell in report.cells:
        if cell.status != "done" or (cell.method, cell.bits) in seen:
            continue
        if losses := report.store.training_curves(cell.folder):
            seen.add((cell.method, cell.bits))
            lines = {n: [_short(v) for v in y] for n, y in losses.items()}
            found.append({"method": cell.method, "bits": cell.bits, "seed": cell.seed, **lines})
    return found


def _short(value: float) -> float | None:
    # JSON knows no NaN and no infinity.
    return float(f"{value:.5g}") if math.isfinite(value) else None


def specification(report: Report) -> dict[str, Any]:
    """How each cell was made, as its ``run.json`` says; what all cells share is said once."""
    stored = (report.store.record(cell.folder) for cell in report.cells if cell.folder)
    records = [record for record in stored if record]
    names = ("method", "bits", "seed", "device", "finished")
    parts = [
        {"specification": record.get("specification", {}), "versions": record.get("versions", {})}
        for record in records
    ]
    common = {
        group: {
            key: value
            for key, value in (parts[0][group] if parts else {}).items()
            if all(part[group].get(key) == value for part in parts)
        }
        for group in ("specification", "versions")
    }
    own = []
    for record, part in zip(records, parts, strict=True):
        facts = {name: record[name] for name in names if name in record}
        for group, values in part.items():
            rest = {k: v for k, v in values.items() if k not in common[group]}
            facts |= {group: rest} if rest else {}
        own.append(facts)
    return {"all cells": common, "cells": own}
