"""The diagnostics of a run on one page: a row for each method and code length."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmark.protocol.catalogue import DIAGNOSTICS, describe, format_value, is_of_ball
from benchmark.reporting.grid import Column, Grid, GridCell, GridRow
from benchmark.reporting.wording import DASH
from benchmark.store.record import CellResult
from benchmark.store.seeds import method_names, over_seeds, values_of

#: In the order of the columns; ``{radius}`` is that of the protocol.
COLUMNS = (*DIAGNOSTICS, "empty@r{radius}", "fit_seconds", "encode_us", "peak_mb", "load")
#: Columns that a busy machine makes larger, and the load from which on it counts as busy: more
#: processes than cores, beyond what a run with all its workers makes.
TIMES, BUSY = ("fit_seconds", "encode_us"), 1.25
#: What a dash stands for.
NO_BITS = "a quantiser has code words in place of bits, and no Hamming radius"
ON_BUSY_MACHINE = f"the machine was busy: its load was above {BUSY} for each core"
NOT_MEASURED = "not measured: no such cell is done, or no two of its bits vary"


class DiagnosticRow(NamedTuple):
    """Means over the seeds that are done; None for a missing value, with the reason in `notes`.

    Times that were taken on a busy machine have a note too.
    """

    method: str
    bits: int
    metrics: tuple[str, ...]
    values: tuple[float | None, ...]
    notes: tuple[str, ...]


def diagnostic_columns(radius: int) -> tuple[str, ...]:
    """The metrics of the table."""
    return tuple(name.format(radius=radius) for name in COLUMNS)


def diagnostic_rows(cells: Sequence[CellResult], radius: int) -> list[DiagnosticRow]:
    """Rows by method in the order of the cells, then by code length."""
    groups, columns = over_seeds(cells), diagnostic_columns(radius)
    rows = []
    for method in method_names(cells):
        for (name, bits), group in sorted(groups.items(), key=lambda item: item[0][1]):
            if name != method:
                continue
            values, notes = [], []
            for metric in columns:
                found = values_of(group, metric)
                values.append(statistics.fmean(found) if found else None)
                notes.append(_note_on(group, metric) if found else _reason(group, metric))
            rows.append(DiagnosticRow(method, bits, columns, tuple(values), tuple(notes)))
    return rows


def _note_on(group: Sequence[CellResult], metric: str) -> str:
    busy = metric in TIMES and any(load > BUSY for load in values_of(group, "load"))
    return ON_BUSY_MACHINE if busy else ""


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


def diagnostics_grid(cells: Sequence[CellResult], rows: Sequence[DiagnosticRow]) -> Grid:
    """The diagnostics in print, with what the columns say in the caption.

    Parameters
    ----------
    cells : sequence of CellResult
        What the rows were made from.
    rows : sequence of DiagnosticRow
        From :func:`diagnostic_rows`.
    """
    columns = rows[0].metrics
    reasons = list(dict.fromkeys(note for row in rows for note in row.notes if note))

    def cell(metric: str, value: float | None, note: str) -> GridCell:
        notes = (str(reasons.index(note) + 1),) if note else ()
        return GridCell((DASH if value is None else format_value(metric, value),), notes=notes)

    meanings = "; ".join(f"{name}: {describe(name)}" for name in columns)
    return Grid(
        f"Diagnostics on {cells[0].dataset}, {cells[0].features} features",
        (Column("Method", right=False), Column("bits"), *map(Column, columns)),
        tuple(
            GridRow(
                (
                    GridCell((row.method,)),
                    GridCell((str(row.bits),)),
                    *map(cell, columns, row.values, row.notes),
                )
            )
            for row in rows
        ),
        footnotes={str(i): text for i, text in enumerate(reasons, 1)},
        caption=f"Means over the seeds that are done. {meanings}.",
        data=tuple(_data(rows)),
    )


def _data(rows: Sequence[DiagnosticRow]) -> Iterator[tuple[object, ...]]:
    """Full precision; reasons for gaps, and notes on times, in the last column."""
    yield ("method", "bits", *rows[0].metrics, "notes")
    for row in rows:
        reasons: dict[str, list[str]] = {}
        for metric, note in zip(row.metrics, row.notes, strict=True):
            if note:
                reasons.setdefault(note, []).append(metric)
        notes = "; ".join(f"{', '.join(names)}: {note}" for note, names in reasons.items())
        yield (row.method, row.bits, *row.values, notes)
