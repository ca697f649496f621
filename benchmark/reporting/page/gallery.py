"""Example retrievals: what several methods find first for the same queries."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.protocol.search import top_items
from benchmark.store.record import CellResult
from benchmark.store.seeds import code_lengths, value_of
from benchmark.store.store import Store

if TYPE_CHECKING:
    from benchmark.datasets.base import Dataset

QUERIES, METHODS, RESULTS, SIDE, QUALITY, SEED = 6, 4, 8, 96, 70, 0


@dataclass(frozen=True)
class Picture:
    """A thumbnail with what is known of it; `relevant` is None for the query itself."""

    uri: str
    tags: str
    labels: str
    relevant: bool | None


@dataclass(frozen=True)
class Example:
    """A query and, for each method, its first results."""

    query: Picture
    found: list[tuple[str, list[Picture]]]


@dataclass(frozen=True)
class Gallery:
    """Examples at one code length, or a sentence that says why there are none."""

    bits: int
    examples: list[Example]
    reason: str = ""


def make_gallery(
    cells: Sequence[CellResult],
    folders: Sequence[str],
    store: Store,
    dataset: Dataset,
    bundle: Path,
    metrics: Sequence[str],
) -> Gallery:
    """The first results of the best methods at the longest codes, for queries drawn at random."""
    if dataset.images is None:
        return Gallery(0, [], "This data set has no images to show.")
    chosen = _chosen(cells, folders, store, metrics[0])
    if not chosen:
        return Gallery(0, [], "No codes are stored: run again with --save-codes.")
    items = {part: np.load(bundle / f"{part}_items.npy") for part in ("query", "database")}
    rng = np.random.default_rng(SEED)
    n = len(items["query"])
    positions = np.sort(rng.choice(n, min(QUERIES, n), replace=False))
    ranked = {}
    for cell, folder in chosen:
        codes = store.codes(folder)
        ranked[cell.method] = [top_items(codes, q, cell.bits, RESULTS) for q in positions.tolist()]
    examples = []
    for i, q in enumerate(positions):
        item = items["query"][q]
        found = [
            (method, [_picture(dataset, items["database"][r], item) for r in rows[i]])
            for method, rows in ranked.items()
        ]
        examples.append(Example(_picture(dataset, item, None), found))
    return Gallery(chosen[0][0].bits, examples)


def _chosen(
    cells: Sequence[CellResult], folders: Sequence[str], store: Store, metric: str
) -> list[tuple[CellResult, str]]:
    """The best methods at the longest code length with stored codes, one seed each."""
    pairs = [
        (cell, folder)
        for cell, folder in zip(cells, folders, strict=True)
        if cell.status == "done" and store.has_codes(folder)
    ]
    for bits in reversed(code_lengths(cell for cell, _ in pairs)):
        first: dict[str, tuple[CellResult, str]] = {}
        for cell, folder in pairs:
            if cell.bits == bits and value_of(cell, metric) is not None:
                first.setdefault(cell.method, (cell, folder))
        if first:
            ranked = sorted(first.values(), key=lambda pair: -value_of(pair[0], metric))
            return ranked[:METHODS]
    return []


def _picture(dataset: Dataset, item: int, query: int | None) -> Picture:
    labels = dataset.labels[item]
    relevant = None if query is None else bool((labels & dataset.labels[query]).any())
    names = ", ".join(dataset.label_names[k] for k in np.flatnonzero(labels))
    return Picture(thumbnail(dataset, item), ", ".join(dataset.tags[item]), names, relevant)


def thumbnail(dataset: Dataset, item: int) -> str:
    """An image as a small JPEG in a data URI."""
    image = dataset.images.load(item)
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
