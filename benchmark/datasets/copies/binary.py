"""Features as ``feature.bin`` (float32, row by row), ``id.txt`` and ``shape.txt``.

VGG-16 features of MIRFLICKR-25K and NUS-WIDE are published in this form by Xirong Li (jingwei).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.base import feature_files
from benchmark.datasets.copies.converted import BLOCK_VALUES, converted
from benchmark.datasets.copies.photos import photo_id
from benchmark.errors import InputError

FILES = ("feature.bin", "id.txt", "shape.txt")


@dataclass(frozen=True)
class BinaryFeatures:
    """A feature file in this form.

    Attributes
    ----------
    folder : Path
    ids : list of n str
        The photo of each row.
    n_features : int
    """

    folder: Path
    ids: list[str]
    n_features: int

    def rows_for(self, ids: Sequence[str]) -> np.ndarray:
        """Row of each of these photos, (len(ids),) of int64; -1 for a photo that is not here."""
        row = {number.removeprefix("im"): k for k, number in enumerate(self.ids)}
        return np.array([row.get(i.removeprefix("im"), -1) for i in ids], dtype=np.int64)

    def as_npy(self, rows: np.ndarray, cache: Path) -> Path:
        """The features in the order of `rows` as a file; NaN where a row is -1."""
        shape = (len(self.ids), self.n_features)
        source = self.folder / "feature.bin"
        there = np.flatnonzero(rows >= 0)

        def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            values = np.memmap(source, dtype="<f4", mode="r", shape=shape)
            n = max(1, BLOCK_VALUES // self.n_features)
            for start in range(0, len(there), n):
                part = there[start : start + n]
                yield part, values[rows[part]]

        sources = [self.folder / name for name in FILES]
        return converted(cache, sources, (len(rows), self.n_features), blocks, rows.tolist())


def find_binary_features(home: Path) -> list[Path]:
    """Folders with such files: `home`, and those up to two levels below it."""
    found = {
        path.parent for depth in ("", "*/", "*/*/") for path in home.glob(f"{depth}{FILES[0]}")
    }
    return sorted(found)


def read_binary_features(folder: Path) -> BinaryFeatures:
    """Ids and shape; the features themselves are not read yet.

    Raises
    ------
    InputError
        If a file is missing, or if the three do not fit together.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name} is missing; it belongs to {', '.join(FILES)}")
    words = (folder / "shape.txt").read_text(encoding="utf-8", errors="replace").split()
    if len(words) != 2 or not all(word.isdigit() and int(word) for word in words):
        raise InputError(
            f"{folder / 'shape.txt'} must hold the numbers of rows and of columns, not "
            f"{' '.join(words)!r}"
        )
    n, n_features = map(int, words)
    ids = (folder / "id.txt").read_text(encoding="utf-8", errors="replace").split()
    if len(ids) != n:
        raise InputError(f"{folder / 'id.txt'} has {len(ids)} ids, but shape.txt {n} rows")
    size = (folder / "feature.bin").stat().st_size
    if size != 4 * n * n_features:
        raise InputError(
            f"{folder / 'feature.bin'} has {size} bytes, but {n} x {n_features} values of float32 "
            f"take {4 * n * n_features}; the file is truncated, or shape.txt belongs to another"
        )
    return BinaryFeatures(folder, ids, n_features)


def given_features(
    home: Path, names: Sequence[str], cache: Path, notes: list[str]
) -> tuple[dict[str, Path], np.ndarray]:
    """Feature files that came with a collection, and which items all of them cover.

    ``features/<name>.npy`` has a row for every item; ``feature.bin`` with ``id.txt`` is brought
    into the order of the items.

    Returns
    -------
    features : dict of str to Path
    covered : (n,) array of bool
    """
    features = feature_files(home)
    covered = np.ones(len(names), dtype=bool)
    for folder in find_binary_features(home):
        binary = read_binary_features(folder)
        rows = binary.rows_for([photo_id(name) or Path(name).stem for name in names])
        features[folder.name] = binary.as_npy(rows, cache)
        covered &= rows >= 0
        notes.append(
            f"features {folder.name}: {folder / FILES[0]}, joined by id; they cover "
            f"{(rows >= 0).sum():,} of {len(rows):,} items, and only items with features are used"
        )
    return features, covered
