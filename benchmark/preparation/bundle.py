"""The data of a run as plain arrays on disk, so that every worker opens them without copying.

Features of training, database and query items lie one after the other in a file that every worker
maps: the pages of it are in memory once for all of them.  It is the feature file itself where its
rows lie like that already, else a file that is written once for the split.
"""

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
from features.writing import written

if TYPE_CHECKING:
    from benchmark.datasets.base import Dataset, Split
    from benchmark.preparation.tags import TagSource
    from features.cache import FeatureFile


#: Rows copied at once.
ROWS_AT_ONCE = 4096


class Parts(NamedTuple):
    """One thing of the three parts of the split: features, images, labels or rows."""

    train: np.ndarray | ImageArray | slice
    database: np.ndarray | ImageArray | slice
    query: np.ndarray | ImageArray | slice


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
            "layout": "mapped",
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
    path, rows = map_rows(contents.features, split, folder)
    about["mapped"], about["mapped_bytes"] = str(path.resolve()), path.stat().st_size
    with written_folder(target) as place:
        for part in Parts._fields:
            items = getattr(split, part)
            np.save(place / f"{part}_items.npy", items)
            np.save(place / f"{part}_labels.npy", dataset.labels[items])
        about["rows"] = {part: [r.start, r.stop] for part, r in rows._asdict().items()}
        _save_tags(tags, place)
        about["tag_account"] = asdict(account)
        about["checksums"] = {path.name: checksum(path) for path in sorted(place.iterdir())}
        (place / "about.json").write_text(json.dumps(about), encoding="utf-8")
    return target, account


def map_rows(features: FeatureRows, split: Split, folder: Path) -> tuple[Path, Parts]:
    """A file in which the rows of every part of the split follow one another, and where.

    Parameters
    ----------
    features : FeatureRows
    split : Split
        Every item of it has features.
    folder : Path
        Where to write the file if there is none yet.

    Returns
    -------
    Path
        A ``.npy`` file.
    Parts of slice
        Rows of training, database and query items in it.
    """
    wanted = Parts(*(features.rows[getattr(split, part)] for part in Parts._fields))
    source = np.load(features.path, mmap_mode="r", allow_pickle=False)
    if not features.l2 and source.flags.c_contiguous and all(map(_consecutive, wanted)):
        return features.path, Parts(*(slice(int(r[0]), int(r[-1]) + 1) for r in wanted))
    same = np.array_equal(wanted.train, wanted.database)
    order = np.concatenate([wanted.train, *([] if same else [wanted.database]), wanted.query])
    spans, start = [], 0
    for part, rows in zip(Parts._fields, wanted, strict=True):
        if part == "database" and same:
            spans.append(spans[0])
            continue
        spans.append(slice(start, start + len(rows)))
        start += len(rows)
    about = [features.identity, str(features.path.resolve()), features.l2, split.checksum]
    path = folder / f"rows-{value_digest(about)}.npy"
    if not path.is_file():
        _copy_rows(source, order, features.l2, path)
    return path, Parts(*spans)


def _consecutive(rows: np.ndarray) -> bool:
    return bool((np.diff(rows) == 1).all())


def _copy_rows(source: np.ndarray, rows: np.ndarray, l2: bool, path: Path) -> None:
    """Some rows of an array, in this order, as a file of its own; a block at a time."""
    with written(path) as temporary:
        dtype, shape = source.dtype.newbyteorder("="), (len(rows), source.shape[1])
        target = np.lib.format.open_memmap(temporary, "w+", dtype, shape)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            block = source[rows[start : start + ROWS_AT_ONCE]]
            target[start : start + ROWS_AT_ONCE] = _unit_length(block) if l2 else block
        target.flush()
        # Some systems rename no file that is mapped.
        del target


def _sound_account(folder: Path) -> TagAccount | None:
    """What a bundle says of its tags; None unless all its files are as they were written."""
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        sound = all(checksum(folder / name) == c for name, c in about["checksums"].items())
        sound &= Path(about["mapped"]).stat().st_size == about["mapped_bytes"]
        return TagAccount(**about["tag_account"]) if sound else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=1)
def open_bundle(folder: Path) -> Bundle:
    """Open what :func:`write_bundle` wrote; the last one opened stays in memory."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    features = _mapped(Path(about["mapped"]))

    def parts(what: str) -> Parts:
        files = (folder / f"{part}_{what}.npy" for part in Parts._fields)
        return Parts(*(np.load(file, allow_pickle=False) for file in files))

    spans = {part: slice(*about["rows"][part]) for part in Parts._fields}
    views = {part: features[span] for part, span in spans.items()}
    if spans["database"] == spans["train"]:
        views["database"] = views["train"]
    return Bundle(
        features=Parts(**views),
        labels=parts("labels"),
        train_tags=_load_tags(folder),
        images=_open_images(about["images"], parts("items")),
        copies=about["copies"] and _open_copies(about, len(views["train"])),
    )


def _open_copies(about: dict, n_train: int) -> RotatedCopies:
    flat = _mapped(Path(about["copies"]))
    rows = drawn_rows(n_train)
    features = _unit_length(flat) if about["l2"] else flat
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


def _mapped(path: Path) -> np.ndarray:
    """A plain read-only array on the pages of a file: methods share it, and none may write."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _unit_length(X: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    return X / np.where(norms > 0, norms, 1)
