"""Tables as CSV."""

from __future__ import annotations

import csv
import io

from benchmark.reporting.grid import Grid


def render(grid: Grid) -> str:
    """The values in full precision, without marks."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(grid.data)
    return stream.getvalue()
