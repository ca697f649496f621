"""A table of a paper with our numbers: from its parts to the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.papers.cells import PaperCells
from benchmark.papers.choice import Choice, others_of_table
from benchmark.papers.entries import Sizes
from benchmark.papers.layout import paper_grid
from benchmark.papers.published import PublishedTable, main_parts
from benchmark.papers.table import Measured, PaperTable, paper_table
from benchmark.papers.wanted import wanted_of_part
from benchmark.registry import methods
from benchmark.reporting.outputs import PAPER
from benchmark.reporting.render import write_grid


def compared_table(
    parts: Sequence[PublishedTable], choice: Choice, cells: PaperCells
) -> PaperTable:
    """Run what the table needs, or read it, and compare.

    Parameters
    ----------
    parts : sequence of PublishedTable
        From :func:`benchmark.papers.choice.narrowed_table`.
    choice : Choice
        What they were narrowed to.
    cells : PaperCells
        Those of the command.
    """
    measured = {part.source: _measured(part, choice, cells) for part in parts}
    others = others_of_table(parts[0].id, choice)
    return paper_table(parts, measured, others, cells.session.store)


def write_table(
    table: PaperTable, parts: Sequence[PublishedTable], choice: Choice, cells: PaperCells
) -> list[Path]:
    """Write the table into the results of each of its data sets."""
    sources = (choice.source(part.source) for part in main_parts(parts).values())
    folders = dict.fromkeys(cells.results_folder(source) for source in sources)
    grid, stem = paper_grid(table), f"{PAPER}{table.id}"
    return [write_grid(grid, folder / "tables", stem)[0] for folder in folders]


def _measured(part: PublishedTable, choice: Choice, cells: PaperCells) -> Measured:
    done = cells.of(wanted_of_part(part, choice))
    split = done.opened.dataset.split
    return Measured(
        cells=done.cells,
        variants={text: str(variant) for text, variant in done.variants.items()},
        missing=done.missing,
        end_to_end=frozenset(
            str(v) for v in done.variants.values() if methods.find(v.name).load().end_to_end
        ),
        sizes=Sizes(len(split.query), len(split.train), len(split.database)),
        dataset=done.opened.dataset.name,
        features=done.features,
        is_paper_data=choice.source(part.source) == part.source,
        from_images=done.opened.request.end_to_end,
    )
