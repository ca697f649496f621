"""Features that came with the data."""

from __future__ import annotations

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.errors import InputError

#: Rows that are checked together.
BLOCK_ROWS = 8192


def load_given_features(dataset: Dataset, name: str) -> np.ndarray:
    """Open one of the data set's own feature files and check it.

    Parameters
    ----------
    dataset : Dataset
    name : str
        A key of ``dataset.features``.

    Returns
    -------
    (n, d) array of float
        The memory-mapped file (read-only) if its rows are the items, else a copy of the items'
        rows.

    Raises
    ------
    InputError
        If there is no such file, or if it is not a ``.npy`` file with a two-dimensional array of
        finite floats and one row for each item.
    """
    if name not in dataset.features:
        known = ", ".join(dataset.features) or "none"
        raise InputError(f"data set {dataset.name} has no features {name!r}; it has {known}")
    path = dataset.features[name]
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not a readable .npy file of numbers: {reason}") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} is an archive of arrays: save one array with numpy.save")
    if array.dtype.kind != "f":
        raise InputError(f"{path} holds {array.dtype}, not floats: save it as float32")
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{path} has the shape {array.shape}: it must be (items, dimensions)")
    n_rows = len(dataset) if dataset.n_rows is None else dataset.n_rows
    if len(array) != n_rows:
        raise InputError(
            f"{path} has {len(array)} rows, but data set {dataset.name} needs {n_rows}: row i "
            f"belongs to item i of the manifest or image list"
        )
    rows = np.arange(n_rows) if dataset.rows is None else dataset.rows
    for start in range(0, len(rows), BLOCK_ROWS):
        block = rows[start : start + BLOCK_ROWS]
        bad = ~np.isfinite(array[block]).all(axis=1)
        if bad.any():
            row = block[bad.argmax()]
            raise InputError(f"{path}: row {row} (counted from 0) has NaN or infinite values")
    return array if dataset.rows is None else array[rows]
