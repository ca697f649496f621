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
#: Before the names of a section.
INDENT = " "


def render(grid: Grid, *, colour: bool = False, width: int | None = None) -> str:
    """The table with its title, footnotes and caption.

    Parameters
    ----------
    grid : Grid
    colour : bool
        Mark entries bold and underlined; otherwise with ``*`` and ``+``.
    width : int, optional
        Characters of a line; groups of columns that have no room side by side are put below each
        other, and deviations that have none are left out.
    """
    lines = render_rows(grid, colour=colour, width=width)
    sentences = [grid.caption] if grid.caption else []
    if grid.marked:
        sentences.append(legend(colour=colour, tested=grid.tested))
    if grid.findings:
        sentences.append(grid.findings)
    widest = min(width or WIDEST, max(NARROWEST, *map(_visible_length, lines), 0), WIDEST)
    below = [*footnotes(grid), " ".join(sentences)]
    wrapped = [textwrap.fill(text, widest) for text in below if text]
    return "\n".join([grid.title, "", *lines, "", *wrapped]) + "\n"


def footnotes(grid: Grid) -> list[str]:
    """The footnotes with their numbers."""
    return [f"({number}) {text}" for number, text in grid.footnotes.items()]


def legend(*, colour: bool, tested: bool) -> str:
    """What the marks mean."""
    return describe_marks(*(("Bold", "underlined") if colour else ("*", "+")), tested=tested)


def render_rows(grid: Grid, *, colour: bool = False, width: int | None = None) -> list[str]:
    """Headings, a rule and the rows, as lines of at most `width` characters where that can be."""
    lines = _rows(grid, colour)
    if width is None or max(map(_visible_length, lines)) <= width:
        return lines
    if not grid.groups:
        return _rows(grid.without_tails, colour)
    titles = [title for title, _ in grid.groups if title]
    parts = [_rows(grid.of_group(title), colour) for title in titles]
    return [line for part in parts for line in (*part, "")][:-1]


def _rows(grid: Grid, colour: bool) -> list[str]:
    columns = [_column(grid, i, colour) for i in range(len(grid.columns))]
    widths = [max(map(_visible_length, column)) for column in columns]
    titles = _titles(grid, widths)
    lines = [
        GAP.join(t + " " * (w - _visible_length(t)) for t, w in zip(line, widths, strict=True))
        for line in zip(*columns, strict=True)
    ]
    rule = "-" * (sum(widths) + len(GAP) * (len(widths) - 1))
    lines = _with_sections(grid, lines)
    lines = [titles, *lines] if titles else lines
    lines.insert(2 if titles else 1, rule)
    if grid.foot:
        lines.insert(-len(grid.foot), rule)
    return [line.rstrip() for line in lines]


def _with_sections(grid: Grid, lines: list[str]) -> list[str]:
    """The title of each section above its rows; the first line is the heading."""
    found, start = lines[:1], 1
    for title, rows in grid.in_sections():
        height = sum(map(_height, rows))
        found += [title] if title else []
        found += lines[start : start + height]
        start += height
    return found + lines[start:]


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
        lines = _lines(row.cells[i], _height(row), width, colour)
        found += [f"{INDENT}{line}" for line in lines] if row.section and i == 0 else lines
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
