"""Fitted methods that were stored with their cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.digests import checksum
from benchmark.errors import InputError
from benchmark.registry import load_plugins
from benchmark.store.store import MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from methods.base import Hasher


@dataclass(frozen=True)
class StoredModel:
    """A fitted method and what its cell says of the data that it was fitted to.

    Attributes
    ----------
    hasher : Hasher
    specification : mapping
        Of the cell: ``features``, ``l2``, ``features_identity``, ``images`` and so on.
    """

    hasher: Hasher
    specification: Mapping[str, Any]


def load_hasher(folder: Path | str, *, plugin: Sequence[Path | str] = ()) -> Hasher:
    """The fitted method of a cell that was run with ``--save-models``.

    Parameters
    ----------
    folder : path
        A folder of one cell, which holds ``run.json`` and ``model.npz``.
    plugin : sequence of paths
        Files that register the method, if it is none of the suite.

    Returns
    -------
    Hasher
        It gives the codes that it gave when it was stored.

    Raises
    ------
    InputError
        If there is no model, or if it is damaged or needs something that is not there.

    Examples
    --------
    >>> from benchmark import load_hasher
    >>> hasher = load_hasher("results/cells/demo/itq/32b-s0-0a1b2c")       # doctest: +SKIP
    >>> codes = hasher.encode(X)                                           # doctest: +SKIP
    """
    return load_model(folder, plugin=plugin).hasher


def load_model(folder: Path | str, *, plugin: Sequence[Path | str] = ()) -> StoredModel:
    """As :func:`load_hasher`, with the specification of the cell."""
    from methods.state import StateError, from_arrays

    load_plugins([Path(path) for path in plugin])
    folder = Path(folder)
    record_file, model_file = folder / "run.json", folder / MODEL
    if not record_file.is_file():
        raise InputError(f"{folder} is not the folder of a cell: there is no run.json in it")
    if not model_file.is_file():
        raise InputError(f"{folder} holds no model: run its cell with --save-models")
    try:
        record = json.loads(record_file.read_text(encoding="utf-8"))
        expected, specification = record["checksums"][MODEL], record["specification"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{record_file} cannot be read; run the cell again") from None
    if checksum(model_file) != expected:
        raise InputError(f"{model_file} was altered or is truncated; run the cell again")
    try:
        with np.load(model_file, allow_pickle=False) as arrays:
            hasher = from_arrays(dict(arrays))
    except StateError as error:
        raise InputError(f"{model_file}: {error}") from None
    return StoredModel(hasher, specification)
