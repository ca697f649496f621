"""The examination behind ``--lint``: facts of a data set that bear on every number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmark.datasets.base import Dataset
from benchmark.datasets.sheet import DataSheet, ImageFindings, TagStatistics
from features.images import ImageSource

#: Rows of a block in matrix products, which bound its result to 50 MB at 100,000 items.
BLOCK_ROWS = 128


def data_sheet(dataset: Dataset, *, threads: int = 4) -> DataSheet:
    """Examine a data set and decode every image.

    Parameters
    ----------
    dataset : Dataset
    threads : int
        Number of images that are decoded at the same time.

    Returns
    -------
    DataSheet
    """
    sheet = sheet_without_images(dataset)
    if dataset.images is None:
        return sheet
    return replace(sheet, images=examine_images(dataset, threads=threads))


def sheet_without_images(dataset: Dataset) -> DataSheet:
    """Examine split, labels and tags of a data set."""
    labels, split = dataset.labels, dataset.split
    database = labels[split.database]
    relevant = relevant_counts(labels[split.query], database)
    neighbours = (database[1:] & database[:-1]).any(axis=1)
    return DataSheet(
        dataset=dataset,
        base_rate=float(relevant.mean() / len(database)),
        unanswerable=int((relevant == 0).sum()),
        neighbour_rate=float(neighbours.mean()) if len(neighbours) else 0.0,
        tags=tag_statistics(dataset.tags) if dataset.has_tags else None,
    )


def relevant_counts(query: np.ndarray, database: np.ndarray) -> np.ndarray:
    """Number of database items that share a label with each query.

    Parameters
    ----------
    query : (q, c) array of bool
    database : (n, c) array of bool

    Returns
    -------
    (q,) array of int64
    """
    # Distinct label vectors are far fewer than items, so equal ones are counted together.
    query_kinds, inverse = np.unique(query, axis=0, return_inverse=True)
    kinds, multiplicity = np.unique(database, axis=0, return_counts=True)
    # Sums of 0/1 in float32 are exact below 2^24 items.
    transposed, weights = kinds.T.astype(np.float32), multiplicity.astype(np.float32)
    counts = np.empty(len(query_kinds), dtype=np.int64)
    for start in range(0, len(query_kinds), BLOCK_ROWS):
        shared = query_kinds[start : start + BLOCK_ROWS].astype(np.float32) @ transposed
        counts[start : start + BLOCK_ROWS] = np.minimum(shared, 1, out=shared) @ weights
    return counts[inverse.ravel()]


def tag_statistics(tags: Sequence[tuple[str, ...]]) -> TagStatistics:
    """Vocabulary and spread of the tags."""
    counts = Counter(word for given in tags for word in given)
    lengths = np.array([len(given) for given in tags])
    return TagStatistics(
        vocabulary=len(counts),
        mean=float(lengths.mean()),
        most=int(lengths.max()),
        untagged=int((lengths == 0).sum()),
        once=sum(count == 1 for count in counts.values()),
        frequent=counts.most_common(15),
    )


def examine_images(dataset: Dataset, *, threads: int = 4) -> ImageFindings:
    """Decode every image and compare their contents, with a progress bar on stderr."""
    images = dataset.images
    unreadable: list[tuple[str, str]] = []
    groups: dict[str, list[int]] = {}
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(lambda i: _examine(images, i), range(len(dataset)))
        bar = tqdm(results, "images", len(dataset), unit="image", disable=None, leave=False)
        for i, (digest, reason) in enumerate(bar):
            if reason:
                unreadable.append((images.name(i), reason))
            groups.setdefault(digest, []).append(i)
    duplicates = [tuple(items) for items in groups.values() if len(items) > 1]
    query, database = set(dataset.split.query.tolist()), set(dataset.split.database.tolist())
    leaked = sum(not query.isdisjoint(g) and not database.isdisjoint(g) for g in duplicates)
    return ImageFindings(unreadable, duplicates, leaked)


def _examine(images: ImageSource, i: int) -> tuple[str, str]:
    """Digest of an image's content, and the reason if it cannot be read, else an empty text."""
    reason, content = "", b""
    try:
        image = images.load(i)
        content = f"{image.size}".encode() + image.tobytes()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
    folder = getattr(images, "folder", None)
    if folder is not None:
        file = Path(folder) / images.name(i)
        content = file.read_bytes() if file.is_file() else images.name(i).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest(), reason
