"""Which drawing a figure of a paper is, and what goes into it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.figure
import numpy as np
import pandas as pd

from benchmark.datasets.base import Dataset
from benchmark.papers.figures import (
    Panel,
    Retrieval,
    curves_figure,
    grid_figure,
    lengths_figure,
    retrieval_figure,
)
from benchmark.papers.index import Figure
from benchmark.preparation.bundle import open_bundle
from benchmark.protocol.search import top_items
from benchmark.registry import Variant
from benchmark.store.seeds import over_seeds, values_of
from benchmark.store.store import Store
from benchmark.study import Opened, Outcome

#: Queries and pictures for each in a figure of example retrievals.
N_EXAMPLES, N_SHOWN = 2, 10
#: Words of a query that are printed below it.
N_WORDS = 4


@dataclass(frozen=True)
class Block:
    """A data set of a figure, with its cells and the variants by what the paper calls them."""

    opened: Opened
    outcome: Outcome
    variants: Mapping[str, Variant]


@dataclass(frozen=True)
class Drawn:
    """What goes into a figure.

    Attributes
    ----------
    figure : Figure
    blocks : mapping of str to Block
        By title.
    store : Store
    missing : mapping of str to None
        Why some methods are not in it.
    """

    figure: Figure
    blocks: Mapping[str, Block]
    store: Store
    missing: Mapping[str, None]


def draw(drawn: Drawn) -> matplotlib.figure.Figure | None:
    """The figure, or None where no cell has what it needs."""
    figure = drawn.figure
    caption = _caption(drawn)
    if figure.id == "3":
        grids = {t: grid for t in drawn.blocks if len(grid := _grid(drawn, t))}
        return grid_figure(grids, caption) if grids else None
    if figure.id == "ijcai-5":
        (title,) = drawn.blocks
        examples = _examples(drawn, title)
        return retrieval_figure(examples, caption) if examples else None
    panels = [_panel(drawn, title) for title in drawn.blocks]
    if not any(cell.status == "done" for panel in panels for cell in panel.cells):
        return None
    if figure.id == "2":
        return curves_figure(panels, figure.bits, caption)
    return lengths_figure(panels[0], figure.bits, caption)


def _panel(drawn: Drawn, title: str) -> Panel:
    block = drawn.blocks[title]
    rebuilt = {c.method for c in block.outcome.results if c.fidelity == "reconstruction"}
    labels = {}
    for name, text in drawn.figure.rows.items():
        if text in block.variants:
            method = str(block.variants[text])
            labels[method] = f"{name} (reconstruction)" if method in rebuilt else name
    return Panel(title, block.outcome.results, labels)


def _caption(drawn: Drawn) -> str:
    """Paper and figure, what ours was measured on, and what is missing."""
    cells = [cell for block in drawn.blocks.values() for cell in block.outcome.results]
    places = dict.fromkeys(f"{cell.dataset}, {cell.features} features" for cell in cells)
    seeds = len({cell.seed for cell in cells})
    how = f"mean over {seeds} seeds" if seeds > 1 else "one seed"
    head = drawn.figure.about.partition(":")[0]
    if drawn.figure.needs_codes:
        how = "queries drawn at random"
    lines = [f"{head}; ours on {'; '.join(places)} ({how})"]
    return "\n".join([*lines, *drawn.missing])


def _grid(drawn: Drawn, title: str) -> pd.DataFrame:
    """Validation mAP of every setting that was measured, mean over seeds."""
    block = drawn.blocks[title]
    groups = over_seeds(block.outcome.results)
    (metric, (bits,)) = "mAP@all", drawn.figure.bits
    lines = []
    for text in drawn.figure.rows.values():
        if text not in block.variants:
            continue
        values = values_of(groups.get((str(block.variants[text]), bits), []), metric)
        if values:
            lambda2, lambda3 = _lambdas(text)
            lines.append((lambda2, lambda3, statistics.fmean(values)))
    return pd.DataFrame(lines, columns=["lambda2", "lambda3", "mAP"])


def _lambdas(text: str) -> tuple[float, float]:
    """The two values in ``wdht[lambda2=10.0,lambda3=0.1]``."""
    inside = dict(part.split("=") for part in text.partition("[")[2].rstrip("]").split(","))
    return float(inside["lambda2"]), float(inside["lambda3"])


def _examples(drawn: Drawn, title: str) -> list[Retrieval]:
    """Queries drawn at random from those that something is relevant to."""
    block = drawn.blocks[title]
    (bits,) = drawn.figure.bits
    found = {}
    for name, text in drawn.figure.rows.items():
        method = str(block.variants[text]) if text in block.variants else None
        for cell, folder in zip(block.outcome.results, block.outcome.folders, strict=True):
            if cell.method == method and cell.status == "done" and name not in found:
                found[name] = drawn.store.codes(folder)
    if not found:
        return []
    data, split = open_bundle(block.outcome.bundle), block.outcome.split
    dataset = block.opened.dataset
    relevant = data.query_labels.astype(np.float32) @ data.database_labels.T.astype(np.float32) > 0
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
