"""Which drawing a figure of a paper is, and what goes into it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import matplotlib.figure
import numpy as np
import pandas as pd

from benchmark.datasets.base import Dataset
from benchmark.papers.entries import PaperFigure
from benchmark.papers.figures import (
    Panel,
    Retrieval,
    curves_figure,
    grid_figure,
    lengths_figure,
    retrieval_figure,
)
from benchmark.protocol.search import top_items
from benchmark.registry import Variant
from benchmark.store.seeds import over_seeds, values_of
from benchmark.study.results import Results

#: Queries and pictures for each in a figure of example retrievals.
N_EXAMPLES, N_SHOWN = 2, 10
#: Words of a query that are printed below it.
N_WORDS = 4


@dataclass(frozen=True)
class FigurePart:
    """Results on a data set of a figure, and the variants by what the paper calls them."""

    results: Results
    variants: Mapping[str, Variant]


@dataclass(frozen=True)
class Drawn:
    """What goes into a figure.

    Attributes
    ----------
    figure : PaperFigure
    blocks : mapping of str to FigurePart
        By title.
    missing : mapping of str to None
        Why some methods are not in it.
    """

    figure: PaperFigure
    blocks: Mapping[str, FigurePart]
    missing: Mapping[str, None]


def draw(drawn: Drawn) -> matplotlib.figure.Figure | None:
    """The figure, or None where no cell has what it needs."""
    return DRAWINGS[drawn.figure.kind](drawn, _caption(drawn))


def _draw_curves(drawn: Drawn, caption: str) -> matplotlib.figure.Figure | None:
    panels = [_panel(drawn, title) for title in drawn.blocks]
    if not any(map(_has_results, panels)):
        return None
    return curves_figure(panels, drawn.figure.bits, caption)


def _draw_lengths(drawn: Drawn, caption: str) -> matplotlib.figure.Figure | None:
    (title,) = drawn.blocks
    panel = _panel(drawn, title)
    return lengths_figure(panel, drawn.figure.bits, caption) if _has_results(panel) else None


def _draw_grid(drawn: Drawn, caption: str) -> matplotlib.figure.Figure | None:
    grids = {title: grid for title in drawn.blocks if len(grid := _grid(drawn, title))}
    return grid_figure(grids, caption) if grids else None


def _draw_retrieval(drawn: Drawn, caption: str) -> matplotlib.figure.Figure | None:
    (title,) = drawn.blocks
    examples = _examples(drawn, title)
    return retrieval_figure(examples, caption) if examples else None


#: The drawing of each kind of figure.
DRAWINGS: Mapping[str, Callable[[Drawn, str], matplotlib.figure.Figure | None]] = {
    "curves": _draw_curves,
    "lengths": _draw_lengths,
    "grid": _draw_grid,
    "retrieval": _draw_retrieval,
}


def _has_results(panel: Panel) -> bool:
    return any(cell.status == "done" for cell in panel.cells)


def _panel(drawn: Drawn, title: str) -> Panel:
    block = drawn.blocks[title]
    rebuilt = {c.method for c in block.results.cells if c.fidelity == "reconstruction"}
    labels = {}
    for name, text in drawn.figure.rows.items():
        if text in block.variants:
            method = str(block.variants[text])
            labels[method] = f"{name} (reconstruction)" if method in rebuilt else name
    return Panel(title, block.results.cells, labels)


def _caption(drawn: Drawn) -> str:
    """Paper and figure, what ours was measured on, and what is missing."""
    cells = [cell for block in drawn.blocks.values() for cell in block.results.cells]
    places = dict.fromkeys(f"{cell.dataset}, {cell.features} features" for cell in cells)
    seeds = len({cell.seed for cell in cells})
    how = f"mean over {seeds} seeds" if seeds > 1 else "one seed"
    if drawn.figure.needs_codes:
        how = "queries drawn at random"
    lines = [f"{drawn.figure.name}; ours on {'; '.join(places)} ({how})"]
    return "\n".join([*lines, *drawn.missing])


def _grid(drawn: Drawn, title: str) -> pd.DataFrame:
    """Validation mAP of every setting that was measured, mean over seeds."""
    block = drawn.blocks[title]
    groups = over_seeds(block.results.cells)
    (metric, (bits,)) = "mAP@all", drawn.figure.bits
    lines = []
    for text in drawn.figure.rows.values():
        if text not in block.variants:
            continue
        values = values_of(groups.get((str(block.variants[text]), bits), []), metric)
        if values:
            lines.append(drawn.figure.grid[text] | {"mAP": statistics.fmean(values)})
    return pd.DataFrame(lines)


def _examples(drawn: Drawn, title: str) -> list[Retrieval]:
    """Queries drawn at random from those that something is relevant to."""
    block = drawn.blocks[title]
    (bits,) = drawn.figure.bits
    found = {}
    for name, text in drawn.figure.rows.items():
        method = str(block.variants[text]) if text in block.variants else None
        for cell in block.results.cells:
            if cell.method == method and cell.status == "done" and name not in found:
                found[name] = block.results.store.codes(cell.folder)
    if not found:
        return []
    dataset = block.results.dataset
    labels, split = dataset.labels.astype(np.float32), dataset.split
    relevant = labels[split.query] @ labels[split.database].T > 0
    usable = np.flatnonzero(relevant.any(axis=1))
    rng = np.random.default_rng(0)
    chosen = rng.choice(usable, min(N_EXAMPLES, len(usable)), replace=False)
    examples = []
    for query in np.sort(chosen).tolist():
        rows = {
            name: [
                (dataset.images.load(int(split.database[i])), bool(relevant[query, i]))
                for i in top_items(codes, query, bits, N_SHOWN)
            ]
            for name, codes in found.items()
        }
        item = int(split.query[query])
        examples.append(Retrieval(dataset.images.load(item), _words(dataset, item), rows))
    return examples


def _words(dataset: Dataset, item: int) -> str:
    """Tags of an item, or its labels where it has no tags."""
    names = dataset.tags[item] or [
        name for name, on in zip(dataset.label_names, dataset.labels[item], strict=True) if on
    ]
    return "\n".join(names[:N_WORDS])
