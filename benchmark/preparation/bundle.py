"""The data of a run as plain arrays on disk, so that every worker opens them without copying."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from benchmark.digests import checksum, code_digest
from benchmark.files import move_folder
from features.pixels import ImageArray, squares
from features.rotations import ANGLES, RotatedCopies, drawn_rows

if TYPE_CHECKING:
    from benchmark.datasets.base import Dataset, Split
    from benchmark.preparation.tags import TagSource
    from features.cache import FeatureFile
    from features.tags import TagMatrix
    from methods.base import Task


class Items(NamedTuple):
    """What methods look at, for the three parts of the split: features, or images."""

    train: np.ndarray | ImageArray
    database: np.ndarray | ImageArray
    query: np.ndarray | ImageArray


@dataclass(frozen=True)
class Bundle:
    """Features, labels, tags and split of a data set.

    Attributes
    ----------
    X_train, X_database, X_query : arrays of float, (., d)
        Read-only.
    train_labels, database_labels, query_labels : arrays of bool, (., c)
    train_tags : (n, V) TagMatrix of bool
        Image-tag matrix of the training items over their own vocabulary, with its words, and
        with word vectors if the user gave any.
    images : Items or None
        For methods that are trained end to end.
    copies : RotatedCopies or None
        Features of rotated images of some training items.
    """

    X_train: np.ndarray
    X_database: np.ndarray
    X_query: np.ndarray
    train_labels: np.ndarray
    database_labels: np.ndarray
    query_labels: np.ndarray
    train_tags: TagMatrix
    images: Items | None = None
    copies: RotatedCopies | None = None

    @property
    def features(self) -> Items:
        """Features of the three parts of the split."""
        return Items(self.X_train, self.X_database, self.X_query)


@dataclass(frozen=True)
class FeatureRows:
    """Where the feature vectors of a data set's items are.

    Attributes
    ----------
    name : str
        What tables call the features.
    path : Path
        A ``.npy`` file.
    rows : (n,) array of int64
        Row of each item; -1 for an item without features (its image cannot be read).
    identity : dict
        What determines the vectors.
    l2 : bool
        Whether vectors are scaled to unit length.
    """

    name: str
    path: Path
    rows: np.ndarray
    identity: dict
    l2: bool = False


@dataclass(frozen=True)
class ImageFile:
    """Where the pixels of a data set's images are, and the network that is to look at them.

    Attributes
    ----------
    path : Path
        A ``.npy`` file of :class:`features.pixels.Pixels`; row i belongs to item i.
    backbone : str
    weights : Path or None
        See :class:`features.pixels.ImageArray`.
    identity : dict
        What determines the pixels.
    """

    path: Path
    backbone: str
    weights: Path | None
    identity: dict


def write_bundle(
    dataset: Dataset,
    split: Split,
    features: FeatureRows,
    tags: TagSource,
    images: ImageFile | None,
    copies: FeatureFile | None,
    folder: Path,
) -> Path:
    """Write what workers need below `folder` and return its place; nothing if it is there already.

    Every item of `split` must have features.
    """
    parts = {"train": split.train, "database": split.database, "query": split.query}
    about = {
        "features": str(features.path.resolve()),
        "identity": features.identity,
        "l2": features.l2,
        "dataset": dataset.fingerprint,
        "split": split.checksum,
        "tags": tags.identity,
        "tag_code": code_digest("features.tags"),
        "copies": copies and str(copies.path.resolve()),
        "images": images
        and {
            "pixels": str(images.path.resolve()),
            "backbone": images.backbone,
            "weights": images.weights and str(images.weights.resolve()),
        },
    }
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    target = folder / f"bundle-{key}"
    if _is_sound(target):
        return target
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for part, index in parts.items():
        np.save(temporary / f"{part}_items.npy", index)
        np.save(temporary / f"{part}_rows.npy", features.rows[index])
        np.save(temporary / f"{part}_labels.npy", dataset.labels[index])
    _save_tags(tags.matrix([dataset.tags[i] for i in split.train]), temporary)
    about["checksums"] = {path.name: checksum(path) for path in sorted(temporary.iterdir())}
    (temporary / "about.json").write_text(json.dumps(about), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    move_folder(temporary, target)
    return target


def _is_sound(folder: Path) -> bool:
    """Whether a bundle is there and all its files are as they were written."""
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        return all(checksum(folder / name) == c for name, c in about["checksums"].items())
    except (OSError, ValueError, KeyError):
        return False


@lru_cache(maxsize=1)
def open_bundle(folder: Path) -> Bundle:
    """Open what :func:`write_bundle` wrote; the last one opened stays in memory."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    features = np.load(about["features"], mmap_mode="r", allow_pickle=False)

    def part(name: str) -> np.ndarray:
        return np.load(folder / name, allow_pickle=False)

    rows = {name: part(f"{name}_rows.npy") for name in ("train", "database", "query")}
    X = {"train": _take(features, rows["train"], about["l2"])}
    same = np.array_equal(rows["train"], rows["database"])
    X["database"] = X["train"] if same else _take(features, rows["database"], about["l2"])
    X["query"] = _take(features, rows["query"], about["l2"])
    return Bundle(
        *X.values(),
        *(part(f"{name}_labels.npy") for name in rows),
        _load_tags(folder),
        images=_open_images(about["images"], [part(f"{name}_items.npy") for name in rows]),
        copies=about["copies"] and _open_copies(about, len(rows["train"])),
    )


def _open_copies(about: dict, n_train: int) -> RotatedCopies:
    flat = np.load(about["copies"], mmap_mode="r", allow_pickle=False)
    rows = drawn_rows(n_train)
    features = _take(flat, np.arange(len(flat)), about["l2"])
    return RotatedCopies(rows, np.array(ANGLES), features.reshape(len(rows), len(ANGLES), -1))


def _open_images(about: dict | None, parts: list[np.ndarray]) -> Items | None:
    if about is None:
        return None
    flat = np.load(about["pixels"], mmap_mode="r", allow_pickle=False)
    pixels = squares(flat)
    weights = about["weights"] and Path(about["weights"])
    return Items(*(ImageArray(pixels, items, about["backbone"], weights) for items in parts))


def _save_tags(tags: TagMatrix, folder: Path) -> None:
    sparse.save_npz(folder / "train_tags.npz", tags)
    (folder / "train_words.json").write_text(json.dumps(tags.words), encoding="utf-8")
    if tags.vectors is not None:
        np.save(folder / "train_vectors.npy", tags.vectors)


def _load_tags(folder: Path) -> TagMatrix:
    from features.tags import TagMatrix

    words = json.loads((folder / "train_words.json").read_text(encoding="utf-8"))
    path = folder / "train_vectors.npy"
    vectors = np.load(path, allow_pickle=False) if path.exists() else None
    return TagMatrix(sparse.load_npz(folder / "train_tags.npz"), words=words, vectors=vectors)


def bundle_task(bundle: Bundle, has_images: bool) -> Task:
    """What methods may know of the data before they start."""
    from methods.base import Task

    return Task(
        *bundle.X_train.shape,
        has_tags=bundle.train_tags.nnz > 0,
        has_labels=bool(bundle.train_labels.any()),
        has_images=has_images,
    )


def _take(features: np.ndarray, rows: np.ndarray, l2: bool) -> np.ndarray:
    X = features[rows]
    if l2:
        norms = np.linalg.norm(X, axis=1, keepdims=True)
        X = X / np.where(norms > 0, norms, 1)
    # Methods share these arrays; a write would be a bug in one of them.
    X.flags.writeable = False
    return X
