"""Shared parts of the readers of published collections: finding files and choosing items."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.copies.binary import given_features
from benchmark.datasets.copies.photos import Found, PhotoIndex
from benchmark.datasets.splits import draw_split, shrink, stored_split
from benchmark.errors import InputError
from features.images import FileImages


@dataclass(frozen=True)
class PaperSetting:
    """Sizes and choice of items of a paper, as far as they are known.

    Attributes
    ----------
    sizes : (int, int)
        Queries and database items.
    min_images : int
        Images that a tag must occur in to be kept.
    """

    sizes: tuple[int, int]
    min_images: int


#: The starred rows of WDHT's Table 3, which repeat the paper on WMH.  The sizes are printed there;
#: the choice of images is not explained, and this one is ours.
WMH = PaperSetting((1000, 5000), min_images=20)


@dataclass
class Collection:
    """A collection as its files describe it, before items are chosen.

    Attributes
    ----------
    title : str
        The collection's own name, for messages.
    source : str
        Where to get the collection.
    home : Path
        Its folder.
    images : Path or None
        Folder of the images; None if there is none.
    names : sequence of str
        Path of each image below that folder.
    labels : (n, c) array of bool
    label_names : sequence of str
    tags : sequence of n tuples of str
    usable : (n,) array of bool
        Items that may be chosen.
    notes : list of str
        What was repaired or left out.
    tagged : (n,) array of bool, optional
        Further training items outside the database, used for their tags.
    """

    title: str
    source: str
    home: Path
    images: Path | None
    names: Sequence[str]
    labels: np.ndarray
    label_names: Sequence[str]
    tags: Sequence[tuple[str, ...]]
    usable: np.ndarray
    notes: list[str] = field(default_factory=list)
    tagged: np.ndarray | None = None


def check_setting(dataset: str, setting: str) -> None:
    """Raise InputError unless there is such a setting."""
    if setting not in ("default", "wmh"):
        raise InputError(f"data set {dataset}: setting must be default or wmh, not {setting!r}")


def tagged_often(collection: Collection, min_images: int) -> Collection:
    """Keep the tags of at least `min_images` images, and the images with such a tag and a label.

    Other images can no longer be chosen.
    """
    counts = Counter(tag for tags in collection.tags for tag in set(tags))
    tags = [tuple(tag for tag in given if counts[tag] >= min_images) for given in collection.tags]
    usable = collection.usable & collection.labels.any(axis=1)
    usable &= np.array([bool(given) for given in tags], dtype=bool)
    notes = [
        *collection.notes,
        f"setting wmh: {usable.sum():,} images have a label and a tag that at least {min_images} "
        "images carry; the paper does not say how images were chosen",
    ]
    return replace(collection, tags=tags, usable=usable, notes=notes)


class Chosen(Sequence):
    """Selected rows of a sequence, looked up on access; equal to a list of the same items."""

    def __init__(self, whole: Sequence, rows: np.ndarray) -> None:
        self.whole = whole
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):
            return [self.whole[row] for row in self.rows[i].tolist()]
        return self.whole[int(self.rows[i])]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None


def find_home(root: Path, folders: Sequence[str], signs: Sequence[str]) -> Path:
    """The first folder below `root` that holds one of `signs`; the first one if none does."""
    candidates = [Path(root) / folder for folder in folders]
    found = (home for home in candidates if any((home / sign).exists() for sign in signs))
    return next(found, candidates[0])


def require(title: str, source: str, paths: Iterable[Path], images: Path | None = None) -> None:
    """Raise InputError if files are missing; the message names them and where to get them.

    Of several files in a missing folder only the folder is named.  The message also says where
    the images belong if the folder `images` is missing.
    """
    missing = [path for path in paths if not path.exists()]
    in_folder = Counter(path.parent for path in missing)
    gone = {folder for folder, n in in_folder.items() if n > 1 and not folder.exists()}
    missing = list(dict.fromkeys(p.parent if p.parent in gone else p for p in missing))
    if missing:
        shown = ", ".join(map(str, missing[:12]))
        more = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
        verb = "are" if len(missing) > 1 else "is"
        raise InputError(
            f"{title}: {shown}{more} {verb} missing; get the files from {source} and name their "
            f"folder with --data-root{_place_of_images(images)}"
        )


def _place_of_images(images: Path | None) -> str:
    if images is None or images.exists():
        return ""
    given = images.parent / "features" / "<name>.npy"
    return f"; the images belong in {images}, or features of all of them in {given}"


def choose_items(
    collection: Collection,
    name: str,
    cache: Path,
    *,
    n_query: int,
    n_database: int,
    seed: int,
) -> Dataset:
    """Draw the split of a collection, or read the stored one, and keep its items.

    Images that are not on disk are left out first.  With features in place of images every row
    can be chosen.  If too few items can be chosen, both parts of the split shrink in proportion.

    Parameters
    ----------
    collection : Collection
    name : str
        Name of the data set, with its parameters.
    cache : Path
        Folder of the split files, whose item numbers are rows of the image list.
    n_query : int
    n_database : int
    seed : int

    Returns
    -------
    Dataset
        Items in the order of the image list; ``rows`` holds the row of each item.

    Raises
    ------
    InputError
        If there are neither images nor features, or if fewer than two items can be chosen.
    """
    for number, least, what in (
        (n_query, 1, "n_query"),
        (n_database, 1, "n_database"),
        (seed, 0, "split_seed"),
    ):
        if type(number) is not int or number < least:
            raise InputError(f"data set {name}: {what} must be a whole number of at least {least}")
    notes = list(collection.notes)
    features, covered = given_features(collection.home, collection.names, cache, notes)
    found = _found(collection, bool(features))
    usable = collection.usable & covered
    pool = _present(usable, found, notes)
    if len(pool) < 2:
        raise InputError(
            f"{collection.title} in {collection.home}: {len(pool)} items can be chosen, but a "
            f"split needs at least two; check the lists of labels and the image folder"
        )
    wanted = n_query, n_database
    n_query, n_database = shrink(len(pool), *wanted)
    if (n_query, n_database) != wanted:
        notes.append(
            f"only {len(pool):,} items can be chosen, so the split has {n_query:,} queries and "
            f"{n_database:,} database items instead of {wanted[0]:,} and {wanted[1]:,}"
        )
    known = pool if collection.tagged is None else np.flatnonzero(collection.tagged)
    fingerprint = _fingerprint(
        collection, np.union1d(pool, known), f"{n_query} {n_database} {seed}"
    )
    split, more = stored_split(
        cache, name, fingerprint, lambda: draw_split(pool, n_query, n_database, seed)
    )
    if collection.tagged is not None:
        split = _with_tagged(split, collection.tagged & covered, found, notes)
    rows = np.union1d(np.union1d(split.train, split.database), split.query)
    return Dataset(
        name=name,
        labels=collection.labels[rows],
        label_names=collection.label_names,
        tags=Chosen(collection.tags, rows),
        split=split.renumbered(rows),
        fingerprint=fingerprint,
        images=found and FileImages(collection.images, Chosen(found, rows)),
        features=features,
        default_features="alexnet-fc7" if found else min(features),
        missing=found.missing(np.flatnonzero(usable)) if found else (),
        notes=list(dict.fromkeys([*notes, *more])),
        rows=rows,
        n_rows=len(collection.labels),
    )


def _found(collection: Collection, has_features: bool) -> Found | None:
    """Where the images are; None if there are none, and features to be used in their place.

    Raises
    ------
    InputError
        If there is neither.
    """
    usable = np.flatnonzero(collection.usable)
    if collection.images is not None:
        found = Found(collection.names, PhotoIndex(collection.images))
        if not len(usable) or any(found[row] is not None for row in usable.tolist()):
            return found
    if has_features:
        return None
    example = collection.names[usable[0]] if len(usable) else collection.names[0]
    expected = (collection.images or collection.home / "images") / example
    raise InputError(
        f"{collection.title}: no image was found, for example {expected} is missing; "
        f"get the images from {collection.source}, or put features of all "
        f"{len(collection.labels):,} images in {collection.home / 'features'}/<name>.npy"
    )


def _present(wanted: np.ndarray, found: Found | None, notes: list[str]) -> np.ndarray:
    """The wanted rows whose images are on disk, or all of them where features are used."""
    usable = np.flatnonzero(wanted)
    if found is None:
        notes.append("there are no images, so only the given features can be used")
        return usable
    return found.present(usable, notes)


def _with_tagged(split: Split, tagged: np.ndarray, found: Found | None, notes: list[str]) -> Split:
    """The split with further training items, used for their tags alone; none is a query."""
    rows = np.setdiff1d(_present(tagged, found, notes), split.query, assume_unique=True)
    return replace(split, train=np.union1d(split.database, rows))


def _fingerprint(collection: Collection, pool: np.ndarray, sizes: str) -> str:
    """Digest of the split's sizes and seed, and of names, labels and tags of the pool."""
    digest = hashlib.sha256(f"{sizes} {' '.join(collection.label_names)}".encode())
    digest.update(np.packbits(collection.labels[pool], axis=1))
    for row in pool.tolist():
        digest.update(f"{collection.names[row]} {' '.join(collection.tags[row])}\n".encode())
    return digest.hexdigest()
