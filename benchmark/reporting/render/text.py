"""Tables as plain text, for a terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from benchmark.reporting.grid import Grid, GridCell, GridRow
from benchmark.reporting.wording import describe_marks

_ANSI = {1: "\x1b[1m", 2: "\x1b[4m"}
_ANSI_OFF = "\x1b[0m"
_PLAIN_MARKS = {0: "", 1: "*", 2: "+"}
#: Characters of a line of prose, at least and at most.
NARROWEST, WIDEST = 72, 100
GAP = "  "


def render(grid: Grid, *, colour: bool = False, width: int | None = None) -> str:
    """The table with its title, footnotes and caption.

    Parameters
    ----------
    grid : Grid
    colour : bool
        Mark entries bold and underlined; otherwise with ``*`` and ``+``.
    width : int, optional
        Characters of a line; groups of columns that have no room side by side are put below each
        other.
    """
    lines = render_rows(grid, colour=colour)
    if width is not None and max(map(len, lines)) > width and grid.groups:
        titles = [title for title, _ in grid.groups if title]
        parts = [render_rows(grid.of_group(title), colour=colour) for title in titles]
        lines = [line for part in parts for line in (*part, "")][:-1]
    sentences = [grid.caption] if grid.caption else []
    if grid.marked:
        names = ("Bold", "underlined") if colour else ("*", "+")
        sentences.append(describe_marks(*names, tested=grid.lettered))
    if grid.findings:
        sentences.append(grid.findings)
    below = [f"({number}) {text}" for number, text in grid.footnotes.items()]
    below.append(" ".join(sentences))
    widest = min(width or WIDEST, max(NARROWEST, *map(_visible_length, lines), 0), WIDEST)
    wrapped = [textwrap.fill(text, widest) for text in below if text]
    return "\n".join([grid.title, "", *lines, "", *wrapped]) + "\n"


def render_rows(grid: Grid, *, colour: bool = False) -> list[str]:
    """Headings, a rule and the rows, as lines."""
    columns = [_column(grid, i, colour) for i in range(len(grid.columns))]
    widths = [max(map(_visible_length, column)) for column in columns]
    titles = _titles(grid, widths)
    lines = [
        GAP.join(t + " " * (w - _visible_length(t)) for t, w in zip(line, widths, strict=True))
        for line in zip(*columns, strict=True)
    ]
    rule = "-" * (sum(widths) + len(GAP) * (len(widths) - 1))
    lines = [titles, *lines] if titles else lines
    lines.insert(2 if titles else 1, rule)
    if grid.foot:
        lines.insert(-len(grid.foot), rule)
    return [line.rstrip() for line in lines]


def _titles(grid: Grid, widths: list[int]) -> str:
    """What stands above groups of columns; widens the last column of a group that is narrower."""
    parts, start = [], 0
    for title, n in grid.groups:
        end = start + n
        room = sum(widths[start:end]) + len(GAP) * (n - 1)
        widths[end - 1] += max(0, len(title) - room)
        parts.append(title.ljust(max(room, len(title))))
        start = end
    return GAP.join(parts)


def _column(grid: Grid, i: int, colour: bool) -> list[str]:
    """Heading and lines of a column; first lines of numbers are aligned on the right."""
    rows = [*grid.rows, *grid.foot]
    right = grid.columns[i].right and not any(len(c.lines) > 1 for row in rows for c in row.cells)
    width = max((len(row.cells[i].lines[0]) for row in rows), default=0) if right else 0
    found = [grid.columns[i].heading]
    for row in rows:
        found += _lines(row.cells[i], _height(row), width, colour)
    return found


def _height(row: GridRow) -> int:
    return max(len(cell.lines) for cell in row.cells)


def _lines(cell: GridCell, height: int, width: int, colour: bool) -> Sequence[str]:
    first, *rest = cell.lines
    shown = f"{_ANSI[cell.rank]}{first}{_ANSI_OFF}" if colour and cell.rank else first
    tail = f" {cell.tail}" if cell.tail else ""
    tail += "" if colour else _PLAIN_MARKS[cell.rank]
    note = f" ({','.join(cell.notes)})" if cell.notes else ""
    lines = [" " * (width - len(first)) + shown + tail, *rest]
    # The note follows what is explained: the verdict, where there is one below the number.
    place = len(lines) - 1 if rest and lines[-1] else 0
    lines[place] += note
    return lines + [""] * (height - len(lines))


def _visible_length(text: str) -> int:
    return len(re.sub(r"\x1b\[\d+m", "", text))
