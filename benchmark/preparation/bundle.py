"""The data of a run as plain arrays on disk, so that every worker opens them without copying."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from benchmark.digests import checksum, code_digest, value_digest
from benchmark.files import written_folder
from features.pixels import ImageArray, squares
from features.rotations import ANGLES, RotatedCopies, drawn_rows
from features.tags import TagAccount, TagMatrix, account_tags

if TYPE_CHECKING:
    from benchmark.datasets.base import Dataset, Split
    from benchmark.preparation.tags import TagSource
    from features.cache import FeatureFile


class Parts(NamedTuple):
    """One thing of the three parts of the split: features, images or labels."""

    train: np.ndarray | ImageArray
    database: np.ndarray | ImageArray
    query: np.ndarray | ImageArray


@dataclass(frozen=True)
class Bundle:
    """Features, labels, tags and split of a data set.

    Attributes
    ----------
    features : Parts
        Arrays of float, (., d), read-only.
    labels : Parts
        Arrays of bool, (., c).
    train_tags : (n, V) TagMatrix of bool
        Image-tag matrix of the training items over their own vocabulary, with its words, and
        with word vectors if the user gave any.
    images : Parts or None
        For methods that are trained end to end.
    copies : RotatedCopies or None
        Features of rotated images of some training items.
    """

    features: Parts
    labels: Parts
    train_tags: TagMatrix
    images: Parts | None = None
    copies: RotatedCopies | None = None


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
    n_features : int
    identity : dict
        What determines the vectors.
    l2 : bool
        Whether vectors are scaled to unit length.
    """

    name: str
    path: Path
    rows: np.ndarray
    n_features: int
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


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle.

    Attributes
    ----------
    dataset : Dataset
    split : Split
        Every item of it has features.
    features : FeatureRows
    tags : TagSource
    images : ImageFile or None
        For methods that are trained end to end.
    copies : FeatureFile or None
        Features of rotated images of some training items.
    """

    dataset: Dataset
    split: Split
    features: FeatureRows
    tags: TagSource
    images: ImageFile | None = None
    copies: FeatureFile | None = None

    def identity(self) -> dict[str, Any]:
        """Everything that determines the files, as plain values."""
        images, copies = self.images, self.copies
        return {
            "features": str(self.features.path.resolve()),
            "identity": self.features.identity,
            "l2": self.features.l2,
            "dataset": self.dataset.fingerprint,
            "split": self.split.checksum,
            "tags": self.tags.identity,
            "tag_code": code_digest("features.tags"),
            "copies": copies and str(copies.path.resolve()),
            "images": images
            and {
                "pixels": str(images.path.resolve()),
                "backbone": images.backbone,
                "weights": images.weights and str(images.weights.resolve()),
            },
        }


def write_bundle(contents: Contents, folder: Path) -> tuple[Path, TagAccount]:
    """Write what workers need below `folder`; nothing is written if it is there already.

    Returns
    -------
    Path
        The bundle, for :func:`open_bundle`.
    TagAccount
        What there is to learn from the tags.
    """
    about = contents.identity()
    target = folder / f"bundle-{value_digest(about)}"
    account = _sound_account(target)
    if account is not None:
        return target, account
    dataset, split = contents.dataset, contents.split
    tags = contents.tags.matrix([dataset.tags[i] for i in split.train])
    account = account_tags(tags, tags.vectors)
    with written_folder(target) as place:
        for part in Parts._fields:
            items = getattr(split, part)
            np.save(place / f"{part}_items.npy", items)
            np.save(place / f"{part}_rows.npy", contents.features.rows[items])
            np.save(place / f"{part}_labels.npy", dataset.labels[items])
        _save_tags(tags, place)
        about["tag_account"] = asdict(account)
        about["checksums"] = {path.name: checksum(path) for path in sorted(place.iterdir())}
        (place / "about.json").write_text(json.dumps(about), encoding="utf-8")
    return target, account


def _sound_account(folder: Path) -> TagAccount | None:
    """What a bundle says of its tags; None unless all its files are as they were written."""
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        sound = all(checksum(folder / name) == c for name, c in about["checksums"].items())
        return TagAccount(**about["tag_account"]) if sound else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=1)
def open_bundle(folder: Path) -> Bundle:
    """Open what :func:`write_bundle` wrote; the last one opened stays in memory."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    features = np.load(about["features"], mmap_mode="r", allow_pickle=False)

    def parts(what: str) -> Parts:
        files = (folder / f"{part}_{what}.npy" for part in Parts._fields)
        return Parts(*(np.load(file, allow_pickle=False) for file in files))

    rows = parts("rows")
    X_train = _take(features, rows.train, about["l2"])
    same = np.array_equal(rows.train, rows.database)
    return Bundle(
        features=Parts(
            train=X_train,
            database=X_train if same else _take(features, rows.database, about["l2"]),
            query=_take(features, rows.query, about["l2"]),
        ),
        labels=parts("labels"),
        train_tags=_load_tags(folder),
        images=_open_images(about["images"], parts("items")),
        copies=about["copies"] and _open_copies(about, len(rows.train)),
    )


def _open_copies(about: dict, n_train: int) -> RotatedCopies:
    flat = np.load(about["copies"], mmap_mode="r", allow_pickle=False)
    rows = drawn_rows(n_train)
    features = _take(flat, np.arange(len(flat)), about["l2"])
    return RotatedCopies(rows, np.array(ANGLES), features.reshape(len(rows), len(ANGLES), -1))


def _open_images(about: dict | None, parts: Parts) -> Parts | None:
    if about is None:
        return None
    flat = np.load(about["pixels"], mmap_mode="r", allow_pickle=False)
    pixels = squares(flat)
    weights = about["weights"] and Path(about["weights"])
    return Parts(*(ImageArray(pixels, items, about["backbone"], weights) for items in parts))


def _save_tags(tags: TagMatrix, folder: Path) -> None:
    sparse.save_npz(folder / "train_tags.npz", tags)
    (folder / "train_words.json").write_text(json.dumps(tags.words), encoding="utf-8")
    if tags.vectors is not None:
        np.save(folder / "train_vectors.npy", tags.vectors)


def _load_tags(folder: Path) -> TagMatrix:
    words = json.loads((folder / "train_words.json").read_text(encoding="utf-8"))
    path = folder / "train_vectors.npy"
    vectors = np.load(path, allow_pickle=False) if path.exists() else None
    return TagMatrix(sparse.load_npz(folder / "train_tags.npz"), words=words, vectors=vectors)


def _take(features: np.ndarray, rows: np.ndarray, l2: bool) -> np.ndarray:
    X = features[rows]
    if l2:
        norms = np.linalg.norm(X, axis=1, keepdims=True)
        X = X / np.where(norms > 0, norms, 1)
    # Methods share these arrays; a write would be a bug in one of them.
    X.flags.writeable = False
    return X
