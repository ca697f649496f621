"""A data set as the benchmark sees it: images or features, tags, labels and a split."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import InputError
from benchmark.registry import Variant

if TYPE_CHECKING:
    from features.images import ImageSource


@dataclass(frozen=True)
class Split:
    """Which items are training, database and query items.

    Attributes
    ----------
    train, database, query : (k,) arrays of int64
        Item numbers, ascending. Train and database may overlap; neither holds a query.
    seed : int or None
        Seed of the draw; None for a split that came with the data.
    """

    train: np.ndarray
    database: np.ndarray
    query: np.ndarray
    seed: int | None = None

    @cached_property
    def checksum(self) -> str:
        """Digest of the three lists."""
        digest = hashlib.sha256()
        for part in (self.train, self.database, self.query):
            digest.update(f"{len(part)}:".encode())
            digest.update(np.ascontiguousarray(part, dtype="<i8"))
        return digest.hexdigest()[:16]

    def renumbered(self, rows: np.ndarray) -> Split:
        """The split of a selection: item i of the selection is item rows[i] (ascending)."""
        parts = (np.searchsorted(rows, part) for part in (self.train, self.database, self.query))
        return Split(*parts, seed=self.seed)


@dataclass(frozen=True)
class Dataset:
    """Everything the benchmark knows of a data set.

    Attributes
    ----------
    name : str
        Name in tables and folders, for instance ``corel5k`` or ``demo[n=500]``.
    labels : (n, c) array of bool
        Multi-hot ground truth, used for relevance (two items are relevant to each other if they
        share a label) and by label-supervised methods.
    label_names : sequence of str
        The c names.
    tags : sequence of n tuples of str
        User tags of each item; an empty tuple for an item without tags.
    split : Split
    fingerprint : str
        Digest of everything that identifies the content: image names and sizes (or the
        generator's parameters), tags, labels.
    images : ImageSource or None
        None if only features are given.
    features : mapping of str to Path
        Feature files that came with the data: float arrays, one row per item (but see `rows`).
    default_features : str
        Features that are used without ``--features``.
    notes : sequence of str
        What the reader repaired or left out, one sentence each.
    rows : (n,) array of int64, optional
        Row of each item in the feature files, for a selection from a larger collection; None if
        row i belongs to item i.
    n_rows : int, optional
        Rows that the feature files must have; None means n.
    missing : sequence of str
        Images that the lists of the data set name and that are not on disk.
    word_vectors : Path, optional
        Word vectors of the tags that came with the data, used without ``--word-vectors``.
    """

    name: str
    labels: np.ndarray
    label_names: Sequence[str]
    tags: Sequence[tuple[str, ...]]
    split: Split
    fingerprint: str
    images: ImageSource | None = None
    features: Mapping[str, Path] = field(default_factory=dict)
    default_features: str = "alexnet-fc7"
    notes: Sequence[str] = ()
    rows: np.ndarray | None = None
    n_rows: int | None = None
    missing: Sequence[str] = ()
    word_vectors: Path | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_tags(self) -> bool:
        return any(self.tags)


def feature_files(home: Path) -> dict[str, Path]:
    """The feature files below a data set's folder, by their names.

    Raises
    ------
    InputError
        If a name cannot be printed: tables would show it.
    """
    files = {file.stem: file for file in sorted((home / "features").glob("*.npy"))}
    for name, file in files.items():
        if not name.isprintable():
            raise InputError(
                f"{file}: the name has characters that cannot be printed; rename the file"
            )
    return files


def reader_name(reader: object) -> str:
    """The name of a registered reader with the parameters that differ from their defaults."""
    given = tuple(
        (name, getattr(reader, name))
        for name, parameter in inspect.signature(type(reader)).parameters.items()
        if getattr(reader, name) != parameter.default
    )
    return str(Variant(reader.id, given))


def check_relevance(dataset: Dataset) -> None:
    """Raise InputError unless some query shares a label with some database item."""
    wanted = dataset.labels[dataset.split.query].any(axis=0)
    if not (wanted & dataset.labels[dataset.split.database].any(axis=0)).any():
        raise InputError(
            f"data set {dataset.name}: no query shares a label with a database item, so nothing "
            "is relevant; check the labels and the split"
        )


def check_split(dataset: str, split: Split) -> None:
    """Raise InputError unless all parts are filled and no query is trained on or searched."""
    for part in ("train", "database", "query"):
        if len(getattr(split, part)) == 0:
            raise InputError(f"data set {dataset}: the split has no {part} items")
    for part in ("train", "database"):
        both = np.intersect1d(split.query, getattr(split, part))
        if len(both):
            raise InputError(
                f"data set {dataset}: queries and {part} items overlap in {len(both)} of "
                f"{len(split.query)} queries, the first is item {both[0]}; a query must not be in "
                "train or database"
            )
