"""CIFAR-10: 60,000 small images in ten classes, with the splits that papers draw from them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.datasets import register_dataset
from benchmark.datasets.base import Dataset, Split, reader_name
from benchmark.datasets.copies.converted import converted
from benchmark.datasets.copies.pickles import ARRAYS, read_pickle
from benchmark.datasets.copies.pixels import PixelFile
from benchmark.errors import InputError

FOLDER = "cifar-10-batches-py"
BATCHES = tuple(f"data_batch_{k}" for k in range(1, 6))
TEST = "test_batch"
#: Images of each class in the whole collection.
OF_A_CLASS = 6000


@dataclass(frozen=True)
class _Drawn:
    """A split that is drawn class by class from all images.

    Attributes
    ----------
    queries, training : int
        Images of each class; training None for the whole database.
    apart : bool
        Whether training images are left out of the database.
    """

    queries: int
    training: int | None
    apart: bool = False


@register_dataset("cifar10", source="CIFAR-10, Krizhevsky, 2009")
class CIFAR10:
    """CIFAR-10 under one of the splits that circulate.

    ``I``: 100 queries and 500 training images a class, the other 59,000 are the database.  ``I'``:
    the same without the training images, 54,000.  ``II``: 1,000 queries and 500 training images a
    class, database 50,000.  ``III``: the same, trained on the whole database.  ``official``: the
    test set searches in the training set.  All but the last are drawn by class from all 60,000
    images with a seed.

    Parameters
    ----------
    split : {"I", "I'", "II", "III", "official"}
    split_seed : int
        Seed of the draw.
    """

    splits: ClassVar[dict[str, _Drawn]] = {
        "I": _Drawn(100, 500),
        "I'": _Drawn(100, 500, apart=True),
        "II": _Drawn(1000, 500),
        "III": _Drawn(1000, None),
    }

    def __init__(self, split: str = "I", split_seed: int = 0) -> None:
        self.split = split
        self.split_seed = split_seed

    def load(self, root: Path, cache: Path) -> Dataset:
        """Read ``cifar-10-batches-py`` below ``root/cifar10`` or `root`.

        Raises
        ------
        InputError
            If the files are missing or wrong, or if there is no such split.
        """
        if self.split not in (*self.splits, "official"):
            raise InputError(
                f"data set cifar10: split must be one of {', '.join(self.splits)}, official, not "
                f"{self.split}"
            )
        home = _home(Path(root))
        files = [home / FOLDER / name for name in (*BATCHES, TEST)]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise InputError(
                f"{home / FOLDER}: {', '.join(missing)} missing; unpack cifar-10-python.tar.gz "
                f"there, or fetch it with --download"
            )
        batches = [_read(file) for file in files]
        classes = np.concatenate([labels for _, labels in batches])
        n_test = len(batches[-1][1])
        names = read_pickle(home / FOLDER / "batches.meta", ARRAYS) if _has_names(home) else {}
        shape = (len(classes), 32, 32, 3)
        pixels = converted(cache, files, shape, lambda: _blocks(batches), dtype=np.uint8)
        digest = hashlib.sha256(classes.tobytes())
        for values, _ in batches:
            digest.update(values)
        features = {file.stem: file for file in sorted((home / "features").glob("*.npy"))}
        return Dataset(
            name=reader_name(self),
            labels=classes[:, None] == np.arange(10),
            label_names=names.get("label_names", [f"class{k}" for k in range(10)]),
            tags=[()] * len(classes),
            split=self._split(classes, n_test),
            fingerprint=digest.hexdigest(),
            images=PixelFile(pixels),
            features=features,
            notes=[f"read as CIFAR-10: {', '.join(file.name for file in files)} in {home}"],
        )

    def _split(self, classes: np.ndarray, n_test: int) -> Split:
        items = np.arange(len(classes))
        if self.split == "official":
            return Split(train=items[:-n_test], database=items[:-n_test], query=items[-n_test:])
        drawn = self.splits[self.split]
        rng = np.random.default_rng(self.split_seed)
        query: list[np.ndarray] = []
        train: list[np.ndarray] = []
        for k in np.unique(classes):
            members = rng.permutation(np.flatnonzero(classes == k))
            # A part of the collection keeps the shares.
            share = min(1.0, len(members) / OF_A_CLASS)
            n_query = max(1, round(share * drawn.queries))
            query.append(members[:n_query])
            n_train = None if drawn.training is None else max(1, round(share * drawn.training))
            train.append(members[n_query:][:n_train])
        chosen, searched = np.sort(np.concatenate(train)), np.sort(np.concatenate(query))
        database = np.setdiff1d(items, searched)
        if drawn.apart:
            database = np.setdiff1d(database, chosen)
        return Split(train=chosen, database=database, query=searched, seed=self.split_seed)

    @staticmethod
    def download(root: Path) -> None:
        """Fetch the official archive with torchvision, which checks it, below ``root/cifar10``."""
        from torchvision.datasets import CIFAR10 as Official

        Official(str(root / "cifar10"), download=True)


def _home(root: Path) -> Path:
    candidates = [root / "cifar10", root / "CIFAR-10", root / "cifar-10", root]
    return next((home for home in candidates if (home / FOLDER).is_dir()), candidates[0])


def _has_names(home: Path) -> bool:
    return (home / FOLDER / "batches.meta").is_file()


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, (n, 3072) of uint8, and classes of one batch."""
    content = read_pickle(path, ARRAYS)
    try:
        pixels, classes = np.asarray(content["data"]), np.asarray(content["labels"])
    except (KeyError, TypeError):
        raise InputError(f"{path} has no data and labels: it is no batch of CIFAR-10") from None
    if pixels.dtype != np.uint8 or pixels.shape != (len(classes), 3072):
        raise InputError(f"{path}: data must be uint8 of shape ({len(classes)}, 3072)")
    if classes.dtype.kind != "i" or not ((classes >= 0) & (classes < 10)).all():
        raise InputError(f"{path}: labels must be classes from 0 to 9")
    return pixels, classes


def _blocks(batches: list[tuple[np.ndarray, np.ndarray]]):  # noqa: ANN202 - as converted takes it
    start = 0
    for pixels, _ in batches:
        images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        yield slice(start, start + len(images)), images
        start += len(images)
