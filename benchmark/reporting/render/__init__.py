"""One module for each format that tables are written in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmark.files import write_file
from benchmark.reporting.grid import Grid
from benchmark.reporting.render import latex, markdown, spreadsheet, text

#: Suffix of a file to what makes its content.
FORMATS: dict[str, Callable[[Grid], str]] = {
    "md": markdown.render,
    "csv": spreadsheet.render,
    "tex": latex.render,
    "txt": text.render,
}


def write_grid(grid: Grid, folder: Path, stem: str) -> list[Path]:
    """Write a table in every format; the Markdown file comes first."""
    paths = []
    for suffix, render in FORMATS.items():
        paths.append(Path(folder) / f"{stem}.{suffix}")
        write_file(paths[-1], render(grid))
    return paths
