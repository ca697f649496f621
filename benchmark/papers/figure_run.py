"""A figure of a paper from our cells: from its entry to the files."""

from __future__ import annotations

from pathlib import Path

from benchmark.papers.cells import PaperCells
from benchmark.papers.choice import Choice
from benchmark.papers.entries import PaperFigure
from benchmark.papers.wanted import wanted_of_figure
from benchmark.reporting.outputs import PAPER


def missing_methods(figure: PaperFigure, choice: Choice, cells: PaperCells) -> dict[str, None]:
    """Why some methods of the paper are not in the figure; its cells are run or read."""
    done = map(cells.of, wanted_of_figure(figure, choice).values())
    return {why: None for block in done for why in block.missing.values()}


def write_figure(figure: PaperFigure, choice: Choice, cells: PaperCells) -> list[Path]:
    """Draw the figure into the results of each of its data sets; its cells are run or read.

    Nothing is written where no cell has what the figure needs.
    """
    # Matplotlib takes half a second, which tables do not need.
    from benchmark.papers.figure_data import Drawn, FigurePart, draw
    from benchmark.reporting.plots import save, style

    wanted = wanted_of_figure(figure, choice)
    done = {title: cells.of(one) for title, one in wanted.items()}
    blocks = {
        title: FigurePart(one.results, one.variants) for title, one in done.items() if one.results
    }
    if not blocks:
        return []
    missing = missing_methods(figure, choice, cells)
    with style():
        picture = draw(Drawn(figure, blocks, missing))
        if picture is None:
            return []
        folders = dict.fromkeys(cells.results_folder(one.place.source) for one in wanted.values())
        return [
            path
            for folder in folders
            for path in save(picture, folder / "figures", f"{PAPER}{figure.id}")
        ]
