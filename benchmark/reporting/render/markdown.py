"""Tables as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reporting.grid import Grid, GridCell, GridRow
from benchmark.reporting.wording import describe_marks

# GitHub takes an underscore inside a word as it is.
_SPECIAL = re.compile(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")
_RANKS = {0: "{}", 1: "**{}**", 2: "<ins>{}</ins>"}


def render(grid: Grid) -> str:
    """Title, rows, footnotes and caption."""
    caption = [escape(grid.caption)] if grid.caption else []
    if grid.marked:
        caption.append(legend(tested=grid.tested))
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
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(sides)}|"]
    for title, rows in grid.in_sections():
        lines += [f"| *{escape(title)}* |{'  |' * (len(head) - 1)}"] if title else []
        lines += map(_row, rows)
    lines += map(_row, grid.foot)
    notes = [f"{_raised((key,))} {escape(text)}" for key, text in grid.footnotes.items()]
    return "\n".join([*lines, *(["", "<br>\n".join(notes)] if notes else [])])


def legend(*, tested: bool) -> str:
    """What the marks mean."""
    return describe_marks("**Bold**", "<ins>underlined</ins>", tested=tested)


def escape(text: str) -> str:
    """Text that GitHub's Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _row(row: GridRow) -> str:
    return f"| {' | '.join(map(_cell, row.cells))} |"


def _cell(cell: GridCell) -> str:
    first, *rest = map(escape, cell.lines)
    first = _RANKS[cell.rank].format(first) + (f" {cell.tail}" if cell.tail else "")
    return "<br>".join([first, *rest]) + _raised(cell.notes)


def _raised(notes: Sequence[str]) -> str:
    """Numbers of footnotes in brackets."""
    return f"<sup>({','.join(notes)})</sup>" if notes else ""
