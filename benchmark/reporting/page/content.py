"""The table of all numbers on the page, and how each cell was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmark.protocol.catalogue import describe, format_value
from benchmark.reporting.diagnostics import DiagnosticRow
from benchmark.reporting.method import Method, methods_of
from benchmark.reporting.report import Report
from benchmark.reporting.table import Table, numbers
from benchmark.reporting.wording import DASH, describe_marks, describe_test


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
