"""What the script of the page shows and draws, as plain values."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmark.protocol.catalogue import describe, format_value
from benchmark.reporting.diagnostics import DiagnosticRow
from benchmark.reporting.look import look_of, strong
from benchmark.reporting.method import Method, methods_of
from benchmark.reporting.report import Report
from benchmark.reporting.table import Table, TableEntry, numbers
from benchmark.store.record import CellResult
from benchmark.store.seeds import (
    chance_level,
    code_lengths,
    mean_curve,
    over_seeds,
)

#: Points along one curve on the page.
POINTS = 80
#: Queries whose values are on the page, for the comparison of two methods.
MOST_QUERIES = 1000
#: The length that is shown first, where there is one.
FIRST_LENGTH = 32


def view_of(report: Report) -> dict[str, Any]:
    """Everything the script needs.

    Numbers are there as printed, so that they are those of every table; what is drawn has four
    significant digits or so.
    """
    cells = report.cells
    known, lengths, groups = methods_of(cells), code_lengths(cells), over_seeds(cells)
    chosen = {method.id for method in strong(list(known.values()))}
    others = [m for m in report.diagnostics[0].metrics if m not in report.tables]
    tables = {name: _of_table(table) for name, table in report.tables.items()}
    diagnosed = {name: _of_diagnostics(report.diagnostics, name, lengths) for name in others}
    return {
        "dataset": cells[0].dataset,
        "features": cells[0].features,
        "main": report.main.metric,
        "chance": chance_level(cells),
        "bits": lengths,
        "first": FIRST_LENGTH if FIRST_LENGTH in lengths else lengths[-1],
        "metrics": {name: describe(name) for name in (*tables, *diagnosed)},
        "ranked": [name for name, table in report.tables.items() if table.ranked],
        "methods": [
            {**_method(method, report), "strong": method.id in chosen} for method in known.values()
        ],
        "values": tables | diagnosed,
        "pr": {b: {m: _curve(groups.get((m, b), [])) for m in known} for b in lengths},
        "training": _training(report),
        "tests": _tests(report.main),
        "queries": _queries(report),
    }


def _method(method: Method, report: Report) -> dict[str, Any]:
    look = look_of(method)
    cells = [cell for cell in report.cells if cell.method == method.id]
    records = (report.store.record(cell.folder) for cell in cells if cell.folder)
    specification = next((r["specification"] for r in records if "specification" in r), {})
    parameters = {
        name: value
        for name, value in specification.get("parameters", {}).items()
        if name not in ("n_bits", "random_state")
    }
    return {
        "id": method.id,
        "name": method.short,
        "year": method.year,
        "group": method.group,
        "paper": method.paper,
        "summary": method.summary,
        "kinds": list(method.kinds),
        "colour": look.colour,
        "dark": look.on_dark,
        "marker": look.marker,
        "hollow": look.hollow,
        "dash": "7 4" if look.dashed else "",
        "parameters": parameters,
        "command": _command(method, cells, report.protocol.name),
    }


def _command(method: Method, cells: Sequence[CellResult], protocol: str) -> str:
    """What reproduces the cells of a method."""
    words = ["run_benchmark.py", "--dataset", cells[0].dataset, "--features", cells[0].features]
    words += ["--methods", method.id, "--bits", *map(str, code_lengths(cells))]
    words += ["--seeds", *map(str, sorted({cell.seed for cell in cells})), "--protocol", protocol]
    return shlex.join(words)


def _of_table(table: Table) -> dict[str, list[dict[str, Any]]]:
    """Entries of each method, one for each code length."""
    return {row.method: [_entry(table, entry) for entry in row.entries] for row in table.rows}


def _entry(table: Table, entry: TableEntry) -> dict[str, Any]:
    text, deviation = numbers(table, entry)
    shown: dict[str, Any] = {"t": text, "v": _short(entry.mean), "r": entry.rank}
    if deviation:
        shown["d"] = deviation
    if entry.interval and entry.mean is not None:
        shown["i"] = "–".join(format_value(table.metric, end) for end in entry.interval)
    return shown


def _of_diagnostics(
    rows: Sequence[DiagnosticRow], metric: str, lengths: Sequence[int]
) -> dict[str, list[dict[str, Any]]]:
    place = rows[0].metrics.index(metric)
    found: dict[str, list[dict[str, Any]]] = {}
    by_place = {(row.method, row.bits): row.values[place] for row in rows}
    for method in dict.fromkeys(row.method for row in rows):
        values = [by_place.get((method, b)) for b in lengths]
        found[method] = [
            {"t": "–" if v is None else format_value(metric, v), "v": _short(v), "r": 0}
            for v in values
        ]
    return found


def _curve(group: Sequence[CellResult]) -> list[list[float | None]]:
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


def _tests(table: Table) -> dict[int, dict[str, Any]]:
    """Differences and corrected p-values of all pairs, for each code length."""
    return {
        bits: {
            "methods": list(tests.methods),
            "differences": [[_short(v, 3) for v in row] for row in tests.differences],
            "p": [[_short(v, 2) for v in row] for row in tests.p_values],
            "level": tests.level,
        }
        for bits, tests in table.tests.items()
    }


def _queries(report: Report) -> dict[str, Any]:
    """The main metric of single queries, mean over seeds, in thousandths; -1 where left out."""
    metric = report.main.metric
    values: dict[str, dict[int, list[int]]] = {}
    shown: np.ndarray | None = None
    for (method, bits), group in over_seeds(report.cells).items():
        rows = [report.store.per_query(c.folder).get(metric) for c in group if c.status == "done"]
        rows = [row for row in rows if row is not None]
        if not rows:
            continue
        if shown is None:
            n = len(rows[0])
            shown = np.unique(np.linspace(0, n - 1, min(n, MOST_QUERIES)).round().astype(int))
        array = np.mean(rows, axis=0)
        thousandths = np.where(np.isnan(array), -0.001, array)[shown] * 1000
        values.setdefault(method, {})[bits] = thousandths.round().astype(int).tolist()
    return {"metric": metric, "numbers": [] if shown is None else shown.tolist(), "values": values}


def _short(value: float | None, digits: int = 5) -> float | None:
    # JSON knows no NaN and no infinity.
    return float(f"{value:.{digits}g}") if value is not None and math.isfinite(value) else None
