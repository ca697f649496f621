"""What the page says and draws, as plain values."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.protocol.catalogue import describe, format_value
from benchmark.protocol.protocol import Protocol
from benchmark.reporting.comparison import Table, comparison_table, numbers
from benchmark.reporting.diagnostics import diagnostic_columns, diagnostic_rows
from benchmark.reporting.marks import letter, spell_letters
from benchmark.reporting.wording import DASH, LETTERS, describe_marks, describe_test
from benchmark.significance.evidence import NONE, Evidence
from benchmark.significance.randomisation import Comparison
from benchmark.store.record import CellResult
from benchmark.store.seeds import (
    chance_level,
    code_lengths,
    mean_curve,
    method_names,
    over_seeds,
    values_of,
)
from benchmark.store.store import Store

#: Points along one curve on the page.
POINTS = 80
DASHES = ("", "6 3", "1.5 3", "6 3 1.5 3")


def findings(
    cells: Sequence[CellResult], metric: str, tests: Mapping[int, Comparison]
) -> list[dict[str, Any]]:
    """The method with the largest mean at each code length, and what tests say of it."""
    groups, found = over_seeds(cells), []
    for bits in code_lengths(cells):
        means = {
            method: statistics.fmean(values)
            for method in method_names(cells)
            if (values := values_of(groups.get((method, bits), []), metric))
        }
        if not means:
            continue
        best = max(means, key=means.__getitem__)
        comparison = tests.get(bits)
        worse, open_ = [], []
        if comparison and best in comparison.methods:
            worse = list(comparison.worse_than(best))
            open_ = [m for m in comparison.methods if m != best and m not in worse]
        value = format_value(metric, means[best])
        claim = _claim(worse, open_, len(means) - 1)
        found.append({"bits": bits, "best": best, "value": value, "claim": claim})
    return found


def _claim(worse: Sequence[str], open_: Sequence[str], n_others: int) -> str:
    """What tests say of the best method; those that were not tested are not spoken of."""
    if not worse and not open_:
        return "Not tested against another method."
    unshown = f"Not shown to differ from {', '.join(open_)}." if open_ else ""
    if not worse:
        return unshown
    if len(worse) + len(open_) == n_others and len(worse) > len(open_):
        whom = "every other method" + (f" but {', '.join(open_)}" if open_ else "")
        return f"Better than {whom}."
    return f"Better than {', '.join(worse)}. {unshown}".rstrip()


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
        As in :class:`benchmark.reporting.comparison.Entry`.
    better : str
        Letters of the methods that it is significantly better than.
    notes : tuple of int
        Numbers of footnotes.
    """

    metric: str
    value: float | None
    text: str
    deviation: str = ""
    interval: str = ""
    rank: int = 0
    better: str = ""
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Line:
    """A method at one code length."""

    letter: str
    method: str
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


def table(
    cells: Sequence[CellResult],
    metrics: Sequence[str],
    protocol: Protocol,
    evidence: Mapping[str, Evidence],
) -> Numbers:
    """Every number of the run, a row for each method and code length."""
    notes: dict[str, int] = {}
    tables = {
        m: comparison_table(cells, m, ties=protocol.ties, evidence=evidence.get(m, NONE))
        for m in metrics
    }
    diagnostics = [m for m in diagnostic_columns(protocol.radius) if m not in metrics]
    kept = [diagnostic_columns(protocol.radius).index(m) for m in diagnostics]
    rows = {(row.method, row.bits): row for row in diagnostic_rows(cells, protocol.radius)}
    first = tables[metrics[0]]
    lines = []
    for i, method in enumerate(method_names(cells)):
        own = _numbered(notes, first.footnotes.get(first.rows[i].note, ""))
        for j, bits in enumerate(first.bits):
            entries = [_shown(tables[m], i, j, notes) for m in metrics]
            row = rows.get((method, bits))
            for metric, k in zip(diagnostics, kept, strict=True):
                value, note = (row.values[k], row.notes[k]) if row else (None, "not run")
                text = DASH if value is None else format_value(metric, value)
                entries.append(Shown(metric, value, text, notes=_numbered(notes, note)))
            lines.append(Line(letter(i), method, bits, entries, own))
    return Numbers(
        [(metric, describe(metric)) for metric in (*metrics, *diagnostics)],
        lines,
        {number: text for text, number in notes.items()},
        _claims(tables.values()),
    )


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
        spell_letters(entry.better),
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
    return " ".join([marks, *([LETTERS] if levels else []), *map(describe_test, levels)])


def plots(
    cells: Sequence[CellResult], folders: Sequence[str], store: Store, metrics: Sequence[str]
) -> dict[str, Any]:
    """Everything the script draws; numbers have four significant digits or so."""
    from benchmark.reporting.plots import COLOURS, MARKERS

    methods, lengths, groups = method_names(cells), code_lengths(cells), over_seeds(cells)
    main = metrics[0]

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
        "training": _training(cells, folders, store),
    }


def _curve(group: Sequence[CellResult]) -> list[list[float]]:
    curve = mean_curve(group, "PR")
    if curve is None:
        return []
    chosen = np.unique(np.linspace(0, len(curve.x) - 1, POINTS).round().astype(int))
    return [[_short(curve.x[i]), _short(curve.y[i])] for i in chosen]


def _training(
    cells: Sequence[CellResult], folders: Sequence[str], store: Store
) -> list[dict[str, Any]]:
    """Losses of the first seed of each method and code length that has them."""
    found, seen = [], set()
    for cell, folder in zip(cells, folders, strict=True):
        if cell.status != "done" or (cell.method, cell.bits) in seen:
            continue
        if losses := store.training_curves(folder):
            seen.add((cell.method, cell.bits))
            lines = {n: [_short(v) for v in y] for n, y in losses.items()}
            found.append({"method": cell.method, "bits": cell.bits, "seed": cell.seed, **lines})
    return found


def _short(value: float) -> float | None:
    # JSON knows no NaN and no infinity.
    return float(f"{value:.5g}") if math.isfinite(value) else None


def specification(folders: Sequence[str], store: Store) -> dict[str, Any]:
    """How each cell was made, as its ``run.json`` says; what all cells share is said once."""
    records = []
    for folder in folders:
        path = store.root / "cells" / folder / "run.json"
        if path.exists():
            records.append(json.loads(path.read_text(encoding="utf-8")))
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
