"""What a run leaves for the reader: summary, tables, figures, and the text on the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.protocol.catalogue import is_ranked, table_metrics
from benchmark.protocol.protocol import Protocol
from benchmark.reporting.comparison import comparison_table
from benchmark.reporting.diagnostics import write_diagnostics
from benchmark.reporting.tables import to_text, write_tables
from benchmark.significance.evidence import NONE, Evidence, weigh_cells
from benchmark.store.record import CellResult
from benchmark.store.seeds import write_summary
from benchmark.store.store import Store

#: How the names of files with tables and figures of papers begin.
PAPER = "paper-"


def measured_metrics(cells: Sequence[CellResult], protocol: Protocol, n_database: int) -> list[str]:
    """Those of :func:`table_metrics` that some cell has, or all where no cell is done.

    Without binary codes there are no Hamming balls.
    """
    metrics = table_metrics(protocol, n_database)
    measured = {metric for cell in cells if cell.status == "done" for metric in cell.metrics}
    return [metric for metric in metrics if metric in measured] if measured else metrics


def weigh(
    cells: Sequence[CellResult],
    folders: Sequence[str],
    store: Store,
    protocol: Protocol,
    n_database: int,
) -> dict[str, Evidence]:
    """Intervals and tests of the metrics that have a table and decide."""
    metrics = [m for m in measured_metrics(cells, protocol, n_database) if is_ranked(m)]
    return weigh_cells(cells, folders, store, metrics)


def write_outputs(
    cells: Sequence[CellResult],
    folder: Path,
    protocol: Protocol,
    n_database: int,
    evidence: Mapping[str, Evidence],
) -> None:
    """Write ``summary.csv``, ``tables/`` and ``figures/`` of one data set."""
    from benchmark.reporting.plots import write_figures

    for stale in ("tables", "figures"):
        _clear(folder / stale)
    write_summary(cells, folder / "summary.csv")
    metrics = measured_metrics(cells, protocol, n_database)
    write_tables(cells, folder / "tables", metrics, ties=protocol.ties, evidence=evidence)
    write_diagnostics(cells, folder / "tables", protocol.radius)
    if any(cell.status == "done" for cell in cells):
        map_metrics = [metric for metric in metrics if metric.startswith("mAP@")]
        write_figures(cells, folder / "figures", map_metrics)


def _clear(folder: Path) -> None:
    """Remove what the last run wrote; tables and figures of papers come from runs of their own."""
    for path in folder.glob("*"):
        if path.name.startswith(PAPER):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def terminal_text(
    cells: Sequence[CellResult],
    protocol: Protocol,
    n_database: int,
    evidence: Mapping[str, Evidence],
    *,
    colour: bool,
) -> str:
    """The main table and precision within the Hamming ball."""
    metrics = measured_metrics(cells, protocol, n_database)
    shown = [metrics[0], *(metric for metric in metrics if metric == f"P@r{protocol.radius}")]
    tables = [
        comparison_table(cells, m, ties=protocol.ties, evidence=evidence.get(m, NONE))
        for m in shown
    ]
    return "\n\n".join(to_text(table, colour=colour) for table in tables)
