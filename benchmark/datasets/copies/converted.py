"""Arrays of foreign files as ``.npy`` files in the cache, which are what everything else reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmark.digests import value_digest
from features.writing import written

#: Values that are converted together (float32: 16 MB).
BLOCK_VALUES = 2**22


def converted(
    cache: Path,
    sources: Sequence[Path],
    shape: tuple[int, ...],
    blocks: Callable[[], Iterable[tuple[slice | np.ndarray, np.ndarray]]],
    more: object = "",
    dtype: type = np.float32,
) -> Path:
    """A ``.npy`` file with the content of other files, written unless it is there.

    Parameters
    ----------
    cache : Path
        Folder of the file; it is created if missing.
    sources : sequence of Path
        The files that are converted; a change of size or time writes the array again.
    shape : tuple of int
        Rows first.
    blocks : function without arguments to an iterable of (rows, values)
        Rows that no block names are NaN in an array of floats.
    more : plain value
        What else determines the content.
    dtype : type
        Of the values.
    """
    states = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in sources]
    path = cache / f"converted-{value_digest([states, shape, more, np.dtype(dtype).str])}.npy"
    if path.exists():
        return path
    with written(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
        filled = np.zeros(shape[0], dtype=bool)
        for rows, values in blocks():
            array[rows] = values
            filled[rows] = True
        if not filled.all():
            array[~filled] = np.nan
        array.flush()
        del array
    return path
