"""The diagnostics of a run on one page: a row for each method and code length."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmark.files import write_file
from benchmark.protocol.catalogue import DIAGNOSTICS, describe, format_value, is_of_ball
from benchmark.reporting.tables import escape_markdown
from benchmark.reporting.wording import DASH
from benchmark.store.record import CellResult
from benchmark.store.seeds import method_names, over_seeds, values_of

#: In the order of the columns; ``{radius}`` is that of the protocol.
COLUMNS = (*DIAGNOSTICS, "empty@r{radius}", "fit_seconds", "encode_us", "peak_mb")
#: What a dash stands for.
NO_BITS = "a quantiser has code words in place of bits, and no Hamming radius"
NOT_MEASURED = "not measured: no such cell is done, or no two of its bits vary"


class DiagnosticRow(NamedTuple):
    """Means over the seeds that are done, None where there are none, and why there are none."""

    method: str
    bits: int
    values: tuple[float | None, ...]
    notes: tuple[str, ...]


def diagnostic_columns(radius: int) -> tuple[str, ...]:
    """The metrics of the table."""
    return tuple(name.format(radius=radius) for name in COLUMNS)


def diagnostic_rows(cells: Sequence[CellResult], radius: int) -> list[DiagnosticRow]:
    """Rows by method in the order of the cells, then by code length."""
    groups = over_seeds(cells)
    rows = []
    for method in method_names(cells):
        for (name, bits), group in sorted(groups.items(), key=lambda item: item[0][1]):
            if name != method:
                continue
            values, notes = [], []
            for metric in diagnostic_columns(radius):
                found = values_of(group, metric)
                values.append(statistics.fmean(found) if found else None)
                notes.append("" if found else _reason(group, metric))
            rows.append(DiagnosticRow(method, bits, tuple(values), tuple(notes)))
    return rows


def _reason(group: Sequence[CellResult], metric: str) -> str:
    ended = next((cell for cell in group if cell.status != "done"), None)
    if ended and not any(cell.status == "done" for cell in group):
        return f"{ended.status}: {' '.join(ended.reason.split())}"
    done = [cell for cell in group if cell.status == "done"]
    # Whatever is searched by distance has a Hamming ball; only what is searched by score has none.
    by_score = done and not any(is_of_ball(name) for cell in done for name in cell.metrics)
    if by_score and (is_of_ball(metric) or metric.startswith("bit_")):
        return NO_BITS
    return NOT_MEASURED


def diagnostics_markdown(cells: Sequence[CellResult], radius: int) -> str:
    """The table as GitHub shows it, with what the columns say below."""
    columns = diagnostic_columns(radius)
    rows = diagnostic_rows(cells, radius)
    reasons = list(dict.fromkeys(note for row in rows for note in row.notes if note))
    where = escape_markdown(f"{cells[0].dataset}, {cells[0].features} features")
    lines = [
        f"# Diagnostics on {where}",
        "",
        "Means over the seeds that are done.",
        "",
        f"| method | bits | {' | '.join(columns)} |",
        f"|:---|---:{'|---:' * len(columns)}|",
    ]
    for row in rows:
        shown = []
        for metric, value, note in zip(columns, row.values, row.notes, strict=True):
            number = f"<sup>({reasons.index(note) + 1})</sup>" if note else ""
            shown.append(DASH + number if value is None else format_value(metric, value))
        lines.append(f"| {escape_markdown(row.method)} | {row.bits} | {' | '.join(shown)} |")
    lines.append("")
    lines += [f"- {escape_markdown(name)}: {describe(name)}." for name in columns]
    lines += ["", *(f"({i}) {escape_markdown(text)}\n" for i, text in enumerate(reasons, 1))]
    return "\n".join(lines).rstrip("\n") + "\n"


def diagnostics_csv(cells: Sequence[CellResult], radius: int) -> str:
    """The table for a spreadsheet: full precision; reasons for gaps in the last column."""
    columns = diagnostic_columns(radius)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["method", "bits", *columns, "notes"])
    for row in diagnostic_rows(cells, radius):
        reasons: dict[str, list[str]] = {}
        for metric, note in zip(columns, row.notes, strict=True):
            if note:
                reasons.setdefault(note, []).append(metric)
        notes = "; ".join(f"{', '.join(names)}: {note}" for note, names in reasons.items())
        writer.writerow([row.method, row.bits, *row.values, notes])
    return stream.getvalue()


def write_diagnostics(cells: Sequence[CellResult], folder: Path, radius: int) -> None:
    """Write ``diagnostics.md`` and ``diagnostics.csv``."""
    write_file(folder / "diagnostics.md", diagnostics_markdown(cells, radius))
    write_file(folder / "diagnostics.csv", diagnostics_csv(cells, radius))
