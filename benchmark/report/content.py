"""What the page says and draws, as plain values."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.aggregate import (
    chance_level,
    code_lengths,
    mean_curve,
    method_names,
    over_seeds,
    values_of,
)
from benchmark.diagnostic_table import diagnostic_columns
from benchmark.statistics import Comparison
from benchmark.store import CellResult, Store
from benchmark.wording import describe, format_value

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
        found.append({"bits": bits, "best": best, "value": value, "worse": worse, "open": open_})
    return found


def table(cells: Sequence[CellResult], metrics: Sequence[str], radius: int) -> dict[str, Any]:
    """Columns, and a row for each method and code length with a number and its text per column."""
    columns = list(dict.fromkeys([*metrics, *diagnostic_columns(radius)]))
    groups, rows = over_seeds(cells), []
    for method in method_names(cells):
        for bits in code_lengths(cells):
            group = groups.get((method, bits), [])
            entries = []
            for metric in columns:
                values = values_of(group, metric)
                mean = statistics.fmean(values) if values else None
                text = "–" if mean is None else format_value(metric, mean)
                entries.append({"metric": metric, "value": mean, "text": text})
            ended = [c for c in group if c.status != "done"]
            note = f"{ended[0].status}: {ended[0].reason}" if ended else ""
            rows.append({"method": method, "bits": bits, "entries": entries, "note": note})
    heads = [{"metric": metric, "about": describe(metric)} for metric in columns]
    return {"columns": heads, "rows": rows}


def plots(
    cells: Sequence[CellResult], folders: Sequence[str], store: Store, metrics: Sequence[str]
) -> dict[str, Any]:
    """Everything the script draws; numbers have four significant digits or so."""
    from benchmark.plots import COLOURS, MARKERS

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


def specification(folders: Sequence[str], store: Store) -> list[dict[str, Any]]:
    """What the ``run.json`` of each cell says of how it was made."""
    found = []
    for folder in folders:
        path = store.root / "cells" / folder / "run.json"
        if path.exists():
            record = json.loads(path.read_text(encoding="utf-8"))
            names = ("method", "bits", "seed", "specification", "versions", "device", "finished")
            found.append({name: record[name] for name in names if name in record})
    return found
