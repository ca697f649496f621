"""Features that came with the data."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.digests import value_digest
from benchmark.errors import InputError
from benchmark.files import is_file, write_file
from features.errors import one_line

#: Values that are read together (float32: 16 MB).
BLOCK_VALUES = 2**22

#: Seconds that a file must have been left alone before what was read of it is remembered: a
#: second change within the resolution of the file system's clock would go unnoticed.
SETTLED_SECONDS = 2.0


@dataclass(frozen=True)
class GivenFeatures:
    """A feature file of a data set, of which the header has been checked.

    Attributes
    ----------
    name : str
    path : Path
    rows : (n,) array of int64
        Row of each item.
    n_features : int
    """

    name: str
    path: Path
    rows: np.ndarray
    n_features: int


@dataclass(frozen=True)
class Reading:
    """What one pass over a feature file found.

    Attributes
    ----------
    state : list of int
        Size, time of change and number of the file, by which a later run knows it again.
    checksum : str
        BLAKE2b digest of the file, 32 hexadecimal digits.
    unusable : list of int
        Rows with a value that is not finite.
    """

    state: list[int]
    checksum: str
    unusable: list[int]


def check_given_features(dataset: Dataset, name: str) -> GivenFeatures:
    """Check the header of one of the data set's own feature files; no row is read.

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
        floats, one row for each item.
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
    return GivenFeatures(name, path, rows, array.shape[1])


def read_given_features(given: GivenFeatures, cache: Path) -> str:
    """The digest of a feature file, whose values are checked in the same pass.

    What was found is remembered in the cache folder for as long as the file is left alone.

    Returns
    -------
    str
        BLAKE2b digest of the file, 32 hexadecimal digits.

    Raises
    ------
    InputError
        If the row of an item has a value that is not finite.
    """
    reading = _remembered(given.path, cache)
    if reading is None:
        begin, state = time.time(), _state(given.path)
        reading = Reading(state, *_read_once(given.path, _mapped(given.path)))
        if begin - given.path.stat().st_mtime > SETTLED_SECONDS:
            write_file(_note(given.path, cache), json.dumps(asdict(reading)))
    bad = np.isin(given.rows, reading.unusable)
    if bad.any():
        row = given.rows[bad.argmax()]
        raise InputError(f"{given.path}: row {row} (counted from 0) has NaN or infinite values")
    return reading.checksum


def has_been_read(given: GivenFeatures, cache: Path) -> bool:
    """Whether :func:`read_given_features` would find the file's digest in the cache folder."""
    return _remembered(given.path, cache) is not None


def _remembered(path: Path, cache: Path) -> Reading | None:
    try:
        reading = Reading(**json.loads(_note(path, cache).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        # Not there yet, or damaged.
        return None
    return reading if reading.state == _state(path) else None


def _note(path: Path, cache: Path) -> Path:
    return cache / "readings" / f"{value_digest(str(path.resolve()))}.json"


def _state(path: Path) -> list[int]:
    about = path.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ino]


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


def _read_once(path: Path, array: np.memmap) -> tuple[str, list[int]]:
    """Digest of the file, and the rows that hold a value that is not finite."""
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
    return digest.hexdigest(), np.flatnonzero(unusable).tolist()
