"""Tables as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reporting.grid import Grid, GridCell, GridRow
from benchmark.reporting.wording import LETTERS, describe_marks

# GitHub takes an underscore inside a word as it is.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")
_RANKS = {0: "{}", 1: "**{}**", 2: "<ins>{}</ins>"}


def render(grid: Grid) -> str:
    """Title, rows, footnotes and caption."""
    caption = [escape(grid.caption)] if grid.caption else []
    if grid.marked:
        caption.append(legend(tested=grid.lettered))
    if grid.findings:
        caption.append(escape(grid.findings))
    parts = [f"### {escape(grid.title)}", render_rows(grid), " ".join(caption)]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_rows(grid: Grid) -> str:
    """Rows and footnotes."""
    groups = [column.group for column in grid.columns]
    head = [
        f"{escape(group)}<br>{escape(column.heading)}" if group else escape(column.heading)
        for group, column in zip(groups, grid.columns, strict=True)
    ]
    sides = ["---:" if column.right else ":---" for column in grid.columns]
    if grid.lettered:
        head, sides = [" ", *head], [":---", *sides]
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(sides)}|"]
    lines += [_row(row, grid.lettered) for row in (*grid.rows, *grid.foot)]
    notes = [f"{_raised('', (key,))} {escape(text)}" for key, text in grid.footnotes.items()]
    return "\n".join([*lines, *(["", "<br>\n".join(notes)] if notes else [])])


def legend(*, tested: bool) -> str:
    """What the marks mean."""
    marks = describe_marks("**Bold**", "<ins>underlined</ins>", tested=tested)
    return f"{marks} {LETTERS}" if tested else marks


def escape(text: str) -> str:
    """Text that GitHub's Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _row(row: GridRow, lettered: bool) -> str:
    cells = [_cell(cell) for cell in row.cells]
    return f"| {' | '.join([row.letter or ' ', *cells] if lettered else cells)} |"


def _cell(cell: GridCell) -> str:
    first, *rest = map(escape, cell.lines)
    first = _RANKS[cell.rank].format(first) + (f" {cell.tail}" if cell.tail else "")
    return "<br>".join([first, *rest]) + _raised(cell.letters, cell.notes)


def _raised(letters: str, notes: Sequence[str]) -> str:
    """Letters of rows and, in brackets, numbers of footnotes."""
    raised = " ".join(filter(None, [letters, f"({','.join(notes)})" if notes else ""]))
    return f"<sup>{raised}</sup>" if raised else ""
