"""Pickles of others, of which plain values and arrays are taken and nothing is run."""

from __future__ import annotations

import pickle
from collections.abc import Collection
from pathlib import Path
from typing import Any

from benchmark.errors import InputError

#: What a pickled array of numpy names, under the old and the new name of its module.
ARRAYS = frozenset(
    (module, name)
    for module, name in (
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    )
)


def read_pickle(path: Path, allowed: Collection[tuple[str, str]] = ()) -> Any:
    """The plain values in a pickle: dictionaries, lists, numbers and texts.

    Parameters
    ----------
    path : Path
    allowed : collection of (module, name)
        Classes and functions that the pickle may name besides; none by default.

    Raises
    ------
    InputError
        If it names anything else, or is no pickle.
    """

    class Plain(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) not in allowed:
                raise InputError(
                    f"{path} names {module}.{name}, which a file of data has no need of; it was "
                    "not read"
                )
            return super().find_class(module, name)

    try:
        with open(path, "rb") as file:
            return Plain(file, encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path} is not a readable pickle: {error}") from None
