"""What a run leaves for the reader: summary, tables, figures, and the text on the terminal."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmark.reporting.audit_tables import write_audit
from benchmark.reporting.diagnostics import diagnostics_grid
from benchmark.reporting.pages import write_tables
from benchmark.reporting.render import text, write_grid
from benchmark.reporting.report import Report
from benchmark.store.seeds import write_summary

#: How the names of files with tables and figures of papers begin.
PAPER = "paper-"


def write_outputs(report: Report, folder: Path) -> None:
    """Write ``summary.csv``, ``tables/`` and ``figures/`` of one data set."""
    from benchmark.reporting.plots import write_figures

    for stale in ("tables", "figures"):
        _clear(folder / stale)
    cells, tables = report.cells, folder / "tables"
    write_summary(cells, folder / "summary.csv")
    write_tables(cells, list(report.tables.values()), tables)
    write_grid(diagnostics_grid(cells, report.diagnostics), tables, "diagnostics")
    if report.audit is not None:
        write_audit(report.audit, tables)
    if any(cell.status == "done" for cell in cells):
        map_metrics = [metric for metric in report.tables if metric.startswith("mAP@")]
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


def terminal_text(report: Report, *, colour: bool) -> str:
    """The main table and precision within the Hamming ball."""
    ball = report.tables.get(f"P@r{report.protocol.radius}")
    shown = [report.main, *([ball] if ball else [])]
    return "\n\n".join(text.render(table.grid(), colour=colour) for table in shown)
