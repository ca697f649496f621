"""Opening a data set by its name or its folder, as ``--dataset`` gives it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.datasets import datasets
from benchmark.datasets.base import Dataset, check_split
from benchmark.datasets.copies.layouts import read_path
from benchmark.datasets.folder import MANIFEST
from benchmark.datasets.unseen import unseen, without_unseen
from benchmark.errors import InputError, describe
from benchmark.files import is_file, is_folder
from benchmark.registry import Variant
from benchmark.registry.variants import split_variant


def open_dataset(text: str, root: Path, cache: Path, *, split_seed: int | None = None) -> Dataset:
    """Open a named data set, a variant of one, or a folder.

    Parameters
    ----------
    text : str
        ``demo``, ``demo[n=500]``, or the path of a folder or file in one of the layouts that
        :mod:`benchmark.datasets.copies.layouts` knows, with parameters in brackets where it needs
        some.  A registered name takes precedence over a folder of that name; write ``./demo`` for
        the folder.  The word ``unseen`` in the brackets of any data set keeps training items out of
        the database, see :func:`benchmark.datasets.unseen.unseen`.
    root : Path
        Folder of the files of named data sets (``--data-root``).
    cache : Path
        Folder of stored splits.
    split_seed : int, optional
        Seed of the split in place of the data set's own; the name stays that of the data set.

    Returns
    -------
    Dataset
        With a checked split.

    Raises
    ------
    InputError
        If there is no such data set, if its files are missing or wrong, or if a split is asked
        for and it comes with one.
    """
    if not (isinstance(text, str) and text.strip()):
        raise InputError(f"--dataset {text!r}: give a name or a folder; --list datasets shows all")
    text, is_unseen = without_unseen(text)
    name = text.partition("[")[0].strip()
    path, given = _split_path(text)
    if name in datasets.names():
        variant = datasets.parse(text)
        dataset = _read_named(variant, Path(root), Path(cache), split_seed)
        _check_read(variant, dataset)
        if split_seed is not None:
            dataset = replace(dataset, name=str(variant))
    elif os.sep in path or is_file(Path(path)) or is_folder(Path(path)):
        if split_seed is not None:
            raise _with_its_split(text)
        dataset = read_path(Path(path), given, Path(root), Path(cache))
    else:
        try:
            datasets.find(name)
        except InputError as error:
            raise InputError(f"{error}; or give the path of a folder with a {MANIFEST}") from None
    if is_unseen:
        dataset = unseen(dataset)
    check_split(dataset.name, dataset.split)
    return dataset


def whole_path(dataset: str) -> str:
    """The folder that ``--dataset`` names as an absolute path, a name of a data set as it is."""
    if dataset.partition("[")[0].strip() in datasets.names():
        return dataset
    return str(Path(dataset).resolve())


def _with_its_split(text: str) -> InputError:
    return InputError(f"--split-per-seed: data set {text} comes with its split; leave it out")


def _split_path(text: str) -> tuple[str, dict[str, str]]:
    """A path, and the parameters in brackets behind it."""
    if is_file(Path(text)) or is_folder(Path(text)) or not text.endswith("]"):
        return text, {}
    return split_variant(text)


def _read_named(
    variant: Variant, root: Path, cache: Path, split_seed: int | None = None
) -> Dataset:
    """What the reader of a named data set gives; it may be a plug-in, which can raise anything."""
    entry, parameters = datasets.find(variant.name), dict(variant.parameters)
    if split_seed is not None:
        if "split_seed" not in entry.parameters:
            raise _with_its_split(str(variant))
        parameters["split_seed"] = split_seed
    reader = entry.load()
    try:
        root.exists()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--data-root {root}: no folder can be read there ({reason})") from None
    try:
        return reader(**parameters).load(root, cache)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"data set {variant}: {describe(error)}") from error


def _check_read(variant: Variant, dataset: Dataset) -> None:
    """Raise InputError unless a reader, which may be a plug-in, gave what it should."""
    if not isinstance(dataset, Dataset):
        raise InputError(
            f"data set {variant}: load() must return a benchmark.datasets.base.Dataset, not "
            f"{type(dataset).__name__}"
        )
    labels, n = np.asarray(dataset.labels), len(dataset.labels)
    if labels.dtype != bool or labels.shape != (n, len(dataset.label_names)):
        raise InputError(
            f"data set {variant}: labels must be a bool array (items, label names), not "
            f"{labels.dtype} {labels.shape}"
        )
    for what, given in (("tags", dataset.tags), ("images", dataset.images)):
        if given is not None and len(given) != n:
            raise InputError(f"data set {variant}: {len(given)} {what} for {n} items")
    parts = (dataset.split.train, dataset.split.database, dataset.split.query)
    if any(len(part) and not 0 <= np.min(part) <= np.max(part) < n for part in parts):
        raise InputError(f"data set {variant}: the split names items beyond 0 to {n - 1}")
