"""Example retrievals: what several methods find first for the same queries."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.protocol.search import top_items
from benchmark.reporting.report import Report
from benchmark.store.record import CellResult
from benchmark.store.seeds import code_lengths, value_of

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


def make_gallery(report: Report) -> Gallery:
    """The first results of the best methods at the longest codes, for queries drawn at random."""
    dataset, store = report.dataset, report.store
    if dataset is None:
        return Gallery(0, [], "The data set was not there when this report was made.")
    if dataset.images is None:
        return Gallery(0, [], "This data set has no images to show.")
    chosen = _chosen(report)
    if not chosen:
        return Gallery(0, [], "No codes are stored: run again with --save-codes.")
    queries, database = dataset.split.query, dataset.split.database
    rng = np.random.default_rng(SEED)
    n = len(queries)
    positions = np.sort(rng.choice(n, min(QUERIES, n), replace=False))
    ranked = {}
    for cell in chosen:
        codes = store.codes(cell.folder)
        ranked[cell.method] = [top_items(codes, q, cell.bits, RESULTS) for q in positions.tolist()]
    examples = []
    for i, q in enumerate(positions):
        item = queries[q]
        found = [
            (method, [_picture(dataset, database[r], item) for r in rows[i]])
            for method, rows in ranked.items()
        ]
        examples.append(Example(_picture(dataset, item, None), found))
    return Gallery(chosen[0].bits, examples)


def _chosen(report: Report) -> list[CellResult]:
    """The best methods at the longest code length with stored codes, one seed each."""
    metric = report.main.metric
    stored = [c for c in report.cells if c.status == "done" and report.store.has_codes(c.folder)]
    for bits in reversed(code_lengths(stored)):
        first: dict[str, CellResult] = {}
        for cell in stored:
            if cell.bits == bits and value_of(cell, metric) is not None:
                first.setdefault(cell.method, cell)
        if first:
            return sorted(first.values(), key=lambda cell: -value_of(cell, metric))[:METHODS]
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
