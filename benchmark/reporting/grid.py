"""A table in print, whatever it is about and whatever format it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from benchmark.reporting.wording import DASH


@dataclass(frozen=True)
class GridCell:
    """What stands at one place.

    Attributes
    ----------
    lines : tuple of str
        Mostly one; what stands in the same line of a row means the same.
    tail : str
        Follows the first line in smaller print.
    rank : int
        1 for what is printed bold, 2 for what is underlined, otherwise 0.
    notes : tuple of str
        Numbers of footnotes.
    """

    lines: tuple[str, ...]
    tail: str = ""
    rank: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A heading, what stands above it and some of its neighbours, and the side of alignment."""

    heading: str
    group: str = ""
    right: bool = True


@dataclass(frozen=True)
class GridRow:
    """One row; where `section` differs from that of the row above it is printed between them."""

    cells: tuple[GridCell, ...]
    section: str = ""


@dataclass(frozen=True)
class Grid:
    """Rows and columns of text with what is said about them.

    Attributes
    ----------
    title : str
    columns : tuple of Column
    rows, foot : tuples of GridRow
        `foot` stands below a rule.
    footnotes : mapping of str to str
        Number to text.
    caption : str
        What the table shows and how it was measured.
    marked : bool
        Whether ranks are explained.
    tested : bool
        Whether ranks rest on tests.
    findings : str
        What was tested and found.
    data : tuple of tuples
        The same for a spreadsheet: a heading, then plain values in full precision.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]
    foot: tuple[GridRow, ...] = ()
    footnotes: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""
    marked: bool = False
    tested: bool = False
    findings: str = ""
    data: tuple[tuple[object, ...], ...] = ()

    @property
    def without_tails(self) -> Grid:
        """The same with nothing in smaller print."""
        rows = (
            replace(row, cells=tuple(replace(cell, tail="") for cell in row.cells))
            for row in self.rows
        )
        return replace(self, rows=tuple(rows))

    def in_sections(self) -> list[tuple[str, tuple[GridRow, ...]]]:
        """The rows of each section with its title; one without a title where there are none."""
        parts = groupby(self.rows, key=lambda row: row.section)
        return [(title, tuple(rows)) for title, rows in parts]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """What stands above neighbouring columns, with their number; [] where nothing does."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = column.group, found[-1][1] + 1
            else:
                found.append((column.group, 1))
        return found if any(title for title, _ in found) else []

    def of_group(self, group: str) -> Grid:
        """The columns without a group and those of one, without rows that have nothing there."""
        kept = [i for i, column in enumerate(self.columns) if column.group in ("", group)]
        own = [i for i, column in enumerate(self.columns) if column.group == group]
        nothing = {"", DASH}
        rows = [row for row in self.rows if any(set(row.cells[i].lines) - nothing for i in own)]
        return replace(
            self,
            columns=tuple(self.columns[i] for i in kept),
            rows=tuple(replace(row, cells=tuple(row.cells[i] for i in kept)) for row in rows),
        )


def plain_grid(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], keys: int) -> Grid:
    """A grid of strings, of which the first `keys` columns are aligned on the left."""
    return Grid(
        title,
        tuple(Column(heading, right=i >= keys) for i, heading in enumerate(head)),
        tuple(GridRow(tuple(GridCell((text,)) for text in row)) for row in rows),
    )
