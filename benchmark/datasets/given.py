"""Features that came with the data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.errors import InputError
from benchmark.files import is_file
from features.errors import one_line

#: Values that are read together (float32: 16 MB).
BLOCK_VALUES = 2**22


@dataclass(frozen=True)
class GivenFeatures:
    """A feature file of a data set that has been read once, checked and hashed.

    Attributes
    ----------
    name : str
    path : Path
    rows : (n,) array of int64
        Row of each item.
    n_features : int
    checksum : str
        BLAKE2b digest of the file, 32 hexadecimal digits.
    """

    name: str
    path: Path
    rows: np.ndarray
    n_features: int
    checksum: str


def check_given_features(dataset: Dataset, name: str) -> GivenFeatures:
    """Check one of the data set's own feature files and hash it, in one pass.

    Parameters
    ----------
    dataset : Dataset
    name : str
        A key of ``dataset.features``.

    Returns
    -------
    GivenFeatures

    Raises
    ------
    InputError
        If there is no such file, or if it is not a ``.npy`` file with a two-dimensional array of
        finite floats, one row for each item.
    """
    if name not in dataset.features:
        known = ", ".join(dataset.features) or "none"
        raise InputError(f"data set {dataset.name} has no features {name!r}; it has {known}")
    path = dataset.features[name]
    array = _mapped(path)
    n_rows = len(dataset) if dataset.n_rows is None else dataset.n_rows
    if len(array) != n_rows:
        raise InputError(
            f"{path} has {len(array)} rows, but data set {dataset.name} needs {n_rows}: row i "
            f"belongs to item i of the manifest or image list"
        )
    rows = np.arange(n_rows) if dataset.rows is None else dataset.rows
    digest, unusable = _read_once(path, array)
    if unusable[rows].any():
        row = rows[unusable[rows].argmax()]
        raise InputError(f"{path}: row {row} (counted from 0) has NaN or infinite values")
    return GivenFeatures(name, path, rows, array.shape[1], digest)


def _mapped(path: Path) -> np.memmap:
    """The array in a file, not read yet."""
    if not is_file(path):
        raise InputError(f"{path} is no plain file: save an array there with numpy.save")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        # A header is read as Python text, and what it says becomes sizes: nearly anything is
        # raised, such as OverflowError, TokenError, RecursionError, BadZipFile.
        raise InputError(
            f"{path} is not a readable .npy file of numbers ({one_line(error)}): save an array "
            "there with numpy.save"
        ) from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} is an archive of arrays: save one array with numpy.save")
    if array.dtype.kind != "f":
        raise InputError(f"{path} holds {array.dtype}, not floats: save it as float32")
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{path} has the shape {array.shape}: it must be (items, dimensions)")
    return array


def _read_once(path: Path, array: np.memmap) -> tuple[str, np.ndarray]:
    """Digest of the file, and which rows hold a value that is not finite."""
    with open(path, "rb") as file:
        digest = hashlib.blake2b(file.read(array.offset), digest_size=16)
    unusable = np.zeros(len(array), dtype=bool)
    by_row = array.flags.c_contiguous
    # The order of the file: rows, or columns in an array that was saved in Fortran order.
    lines = array if by_row else array.T
    n_lines = max(1, BLOCK_VALUES // max(1, lines.shape[1]))
    for start in range(0, len(lines), n_lines):
        block = lines[start : start + n_lines]
        digest.update(block)
        finite = np.isfinite(block)
        if by_row:
            unusable[start : start + n_lines] = ~finite.all(axis=1)
        else:
            unusable |= ~finite.all(axis=0)
    return digest.hexdigest(), unusable
