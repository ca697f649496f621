"""What a run leaves for the reader: summary, tables, figures, and the text on the terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmark.files import write_file
from benchmark.protocol.catalogue import describe
from benchmark.reporting.audit_tables import write_audit
from benchmark.reporting.diagnostics import diagnostics_grid
from benchmark.reporting.grid import Grid
from benchmark.reporting.pages import write_tables
from benchmark.reporting.render import text, write_grid
from benchmark.reporting.report import Report
from benchmark.reporting.table import Table
from benchmark.reporting.winners import winner_lines
from benchmark.reporting.wording import TIE_RULES, describe_seeds
from benchmark.store.seeds import write_summary

#: How the names of files with tables and figures of papers begin.
PAPER = "paper-"
#: The list of the files that a run wrote, beside them.
WRITTEN = ".written.json"


def write_outputs(report: Report, folder: Path) -> None:
    """Write ``summary.csv``, ``tables/`` and ``figures/`` of one data set.

    What an earlier run wrote there and this one does not is removed, and nothing else.
    """
    from benchmark.reporting.plots import write_figures

    cells, tables = report.cells, folder / "tables"
    paths = [write_summary(cells, folder / "summary.csv")]
    paths += write_tables(cells, list(report.tables.values()), tables)
    paths += write_grid(diagnostics_grid(cells, report.diagnostics), tables, "diagnostics")
    if report.audit is not None:
        paths += write_audit(report.audit, tables)
    if any(cell.status == "done" for cell in cells):
        map_metrics = [metric for metric in report.tables if metric.startswith("mAP@")]
        paths += write_figures(cells, folder / "figures", map_metrics)
    _remove_others(folder, {path.relative_to(folder).as_posix() for path in paths})


def _remove_others(folder: Path, written: set[str]) -> None:
    """Remove what the list of an earlier run has and this one has not; then keep this list.

    Only names on the list are touched: a data set may have folders called ``tables`` too.
    """
    for name in _listed(folder) - written:
        path = folder / name
        # A link below the folder may lead to a place that is not ours.
        if not any(place.is_symlink() for place in (path, path.parent)):
            path.unlink(missing_ok=True)
    write_file(folder / WRITTEN, json.dumps(sorted(written), indent=0) + "\n")


def _listed(folder: Path) -> set[str]:
    """Names of the files that an earlier run wrote, below `folder`."""
    try:
        names = json.loads((folder / WRITTEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    own = ("summary.csv", "tables/", "figures/")
    names = names if isinstance(names, list) else []
    return {n for n in names if isinstance(n, str) and n.startswith(own) and n.count("/") < 2}


def terminal_text(report: Report, *, colour: bool, width: int = 80) -> str:
    """The main table and precision within the Hamming ball, one caption, and who wins.

    Parameters
    ----------
    report : Report
    colour : bool
        Mark entries bold and underlined; otherwise with ``*`` and ``+``.
    width : int
        Characters of a line.
    """
    ball = report.tables.get(f"P@r{report.protocol.radius}")
    shown = [report.main, *([ball] if ball and ball is not report.main else [])]
    parts = [_table_text(table.grid(), colour, width) for table in shown]
    parts.append(_filled([_caption(shown, colour)], width))
    if lines := winner_lines(report.main):
        parts.append(f"Largest {report.main.metric} of each group\n{_filled(lines, width)}")
    return "\n\n".join(parts)


def _table_text(grid: Grid, colour: bool, width: int) -> str:
    rows = text.render_rows(grid, colour=colour, width=width)
    notes = text.footnotes(grid)
    below = ["", _filled(notes, width)] if notes else []
    return "\n".join([grid.title, "", *rows, *below])


def _caption(tables: Sequence[Table], colour: bool) -> str:
    """What holds for all tables, said once."""
    first = tables[0]
    meanings = "; ".join(f"{table.metric}: {describe(table.metric)}" for table in tables)
    parts = [f"{meanings}.", f"Numbers: {describe_seeds(first.seeds)}; {TIE_RULES[first.ties]}."]
    if first.ranked:
        parts.append(text.legend(colour=colour, tested=bool(first.tests)))
    parts += [first.findings, "Deviations, intervals and all pairs of tests: the folder tables."]
    return " ".join(filter(None, parts))


def _filled(lines: Sequence[str], width: int) -> str:
    return "\n".join(textwrap.fill(line, width, subsequent_indent="  ") for line in lines)
