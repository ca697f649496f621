"""From lists of images and labels to a data set: one item for each image, with a split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.copies.binary import given_features
from benchmark.datasets.copies.photos import Found, PhotoIndex, photo_id
from benchmark.datasets.copies.place import Place
from benchmark.datasets.copies.tagfiles import find_tags, joined_tags
from benchmark.datasets.splits import drawn_or_stored
from benchmark.errors import InputError
from features.images import FileImages

#: The labels of lists with 21 columns of NUS-WIDE, which are ordered by frequency.
NUSWIDE_21 = (
    *("sky", "clouds", "person", "water", "animal", "grass", "buildings", "window", "plants"),
    *("lake", "ocean", "road", "flowers", "sunset", "reflection", "rocks", "vehicle", "snow"),
    *("tree", "beach", "mountain"),
)


@dataclass
class Listed:
    """What lists say, one row for each image.

    Attributes
    ----------
    names : list of n str
        Paths as the lists have them.
    labels : (n, c) array of bool
    parts : mapping of str to array, optional
        Rows of ``train``, ``database`` and ``query``; None if no split came with the lists.
    tags : sequence of n tuples of str, optional
        Tags that came with the lists.
    notes : list of str
    """

    names: list[str]
    labels: np.ndarray
    parts: Mapping[str, np.ndarray] | None = None
    tags: Sequence[tuple[str, ...]] | None = None
    notes: list[str] = field(default_factory=list)


def to_dataset(listed: Listed, place: Place) -> Dataset:
    """Look for the images of lists, leave out missing ones, and join tags by photo id.

    Images are looked for below the folder of the lists and then below the data root; tags
    likewise, unless they came with the lists.

    Parameters
    ----------
    listed : Listed
    place : Place

    Raises
    ------
    InputError
        If there are neither images nor features.
    """
    notes = listed.notes
    n = len(listed.names)
    features, covered = given_features(place.path, listed.names, place.cache, notes)
    found = _found(listed.names, place, has_features=bool(features))
    rows = np.flatnonzero(covered)
    if found is None:
        notes.append("there are no images, so only the given features can be used")
        missing = []
    else:
        missing = found.missing(rows)
        rows = found.present(rows, notes)
    labels = listed.labels[rows]
    tags = _tags(listed, rows, place)
    digest = hashlib.sha256(np.packbits(labels, axis=1))
    for row, given in zip(rows.tolist(), tags, strict=True):
        digest.update(f"{listed.names[row]} {' '.join(given)}\n".encode())
    fingerprint = digest.hexdigest()
    if listed.parts is None:
        pool = np.arange(len(rows))
        split, more = drawn_or_stored(
            pool, place.request.split, place.cache, place.name, fingerprint
        )
        notes += more
    else:
        split = _split(listed.parts, rows)
        note_unlabelled(labels, split, notes)
    return Dataset(
        name=place.name,
        labels=labels,
        label_names=_label_names(listed),
        tags=tags,
        split=split,
        fingerprint=fingerprint,
        images=found and FileImages(found.index.folder, [found[row] for row in rows.tolist()]),
        features=features,
        default_features="alexnet-fc7" if found else min(features),
        notes=notes,
        rows=rows,
        n_rows=n,
        missing=missing,
    )


def note_unlabelled(labels: np.ndarray, split: Split, notes: list[str]) -> None:
    """Note how many queries, training and database items have no label, a fault of some lists."""
    words = {"query": "queries", "train": "training items", "database": "database items"}
    bare = ~labels.any(axis=1)
    counts = [
        f"{bare[rows].sum():,} of {len(rows):,} {word}"
        for part, word in words.items()
        if bare[rows := getattr(split, part)].any()
    ]
    if counts:
        notes.append(
            f"without any label: {', '.join(counts)}; nothing is relevant to a query without one"
        )


def _found(names: Sequence[str], place: Place, *, has_features: bool) -> Found | None:
    for folder in (place.path, place.root):
        if not folder.is_dir():
            continue
        found = Found(names, PhotoIndex(folder))
        if any(found[row] is not None for row in range(len(names))):
            return found
    if has_features:
        return None
    raise InputError(
        f"{place.path}: none of the {len(names):,} images of the lists was found there or below "
        f"{place.root}, for example {names[0]}; put them below one of the two (--data-root), or "
        f"features in {place.path / 'features'}/<name>.npy"
    )


def _tags(listed: Listed, rows: np.ndarray, place: Place) -> Sequence[tuple[str, ...]]:
    names = [listed.names[row] for row in rows.tolist()]
    if listed.tags is not None:
        return [listed.tags[row] for row in rows.tolist()]
    official = find_tags(names, (place.path, place.root)) if names else None
    return joined_tags(names, official, listed.notes) if official else [()] * len(names)


def _split(parts: Mapping[str, np.ndarray], rows: np.ndarray) -> Split:
    """The split of the items that are there, as numbers among them."""
    kept = {part: np.intersect1d(items, rows) for part, items in parts.items()}
    return Split(**{part: np.searchsorted(rows, items) for part, items in kept.items()})


def _label_names(listed: Listed) -> Sequence[str]:
    n = listed.labels.shape[1]
    if n == len(NUSWIDE_21) and photo_id(Path(listed.names[0]).name):
        return NUSWIDE_21
    return [f"label{k + 1}" for k in range(n)]
