"""A data set of your own: a folder with ``manifest.csv``."""

from __future__ import annotations

import hashlib
import posixpath
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.base import Dataset, Split
from benchmark.errors import InputError
from features.images import FileImages

MANIFEST = "manifest.csv"
COLUMNS = ("image", "tags", "labels", "split")
PARTS = ("train", "database", "query")


def read_folder(path: Path) -> Dataset:
    """Read a folder data set.

    ``manifest.csv`` (UTF-8) has the columns ``image`` (path below the folder; may be empty if
    features are given), ``tags`` and ``labels`` (separated by blanks, may be empty) and ``split``
    (``train``, ``database``, ``query``, or several joined by ``+``).  Other columns are ignored.
    Row i belongs to row i of every ``features/<name>.npy``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Dataset
        Items in the order of the manifest.

    Raises
    ------
    InputError
        If the manifest is missing or malformed (the message has the line), if an image is
        missing, if no item has a label, if a part of the split is empty, or if a query is in
        another part.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder")
    manifest = path / MANIFEST
    table = _read_manifest(manifest)
    features = {file.stem: file for file in sorted((path / "features").glob("*.npy"))}
    notes = []
    names = _check_images(manifest, table["image"], bool(features))
    unnamed = names.count("")
    states = _file_states(path, names)
    if 0 < unnamed < len(names):
        notes.append(f"rows without an image: {unnamed}, so only the given features can be used")
    if unnamed and len(features) > 1:
        notes.append(f"of several feature files the first, {min(features)}, is the default")
    labels, label_names = multi_hot([cell.split() for cell in table["labels"]])
    if not labels.any():
        raise InputError(
            f"{manifest}: the labels of all rows are empty; relevance is defined by labels, so "
            f"give each row the names of its classes"
        )
    return Dataset(
        name=path.resolve().name,
        labels=labels,
        label_names=label_names,
        tags=[tuple(dict.fromkeys(cell.split())) for cell in table["tags"]],
        split=_read_split(manifest, table["split"]),
        fingerprint=_fingerprint(manifest, states),
        images=None if unnamed else FileImages(path, names),
        features=features,
        default_features=min(features) if unnamed else "alexnet-fc7",
        notes=notes,
    )


def multi_hot(lists: Sequence[Sequence[str]]) -> tuple[np.ndarray, list[str]]:
    """Matrix (n, c) of bool for n lists of names, and the c names in alphabetical order."""
    names = sorted({name for given in lists for name in given})
    column = {name: k for k, name in enumerate(names)}
    matrix = np.zeros((len(lists), len(names)), dtype=bool)
    for row, given in zip(matrix, lists, strict=True):
        row[[column[name] for name in given]] = True
    return matrix, names


def _read_manifest(manifest: Path) -> pd.DataFrame:
    if not manifest.is_file():
        raise InputError(
            f"{manifest} is missing: a folder data set needs one, with the columns "
            f"{','.join(COLUMNS)}"
        )
    try:
        with warnings.catch_warnings():
            # pandas cuts cells beyond the header off and only warns.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                manifest, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except UnicodeDecodeError as error:
        raise InputError(f"{manifest} is not UTF-8 ({error.reason}): save it as UTF-8") from None
    except pd.errors.ParserWarning:
        raise InputError(
            f"{manifest}: some rows have more cells than the first line has names"
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{manifest} cannot be read as a table: {reason}") from None
    table.columns = table.columns.str.strip()
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(
            f"{manifest} lacks the column {' and '.join(missing)}: its first line must name "
            f"{','.join(COLUMNS)} (cells of image, tags and labels may be empty)"
        )
    return table[list(COLUMNS)].fillna("")


def _check_images(manifest: Path, cells: pd.Series, has_features: bool) -> list[str]:
    """Normalised image paths, which may be empty only if features are given."""
    names = [posixpath.normpath(cell.strip()) if cell.strip() else "" for cell in cells]
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        where = f"{manifest}, line {_line(row)}"
        if not name:
            if not has_features:
                raise InputError(
                    f"{where}: the row has no image, and there is no features/<name>.npy; give "
                    f"one of the two"
                )
        elif name.startswith(("/", "../")):
            raise InputError(f"{where}: image {name} must be a path inside the folder")
        elif name in first:
            raise InputError(
                f"{where}: image {name} is already in line {_line(first[name])}; remove one"
            )
        else:
            first[name] = row
    return names


def _file_states(folder: Path, names: Sequence[str]) -> Mapping[str, tuple[int, int]]:
    """Size in bytes and time of change of each image file."""
    states, missing = {}, []
    for row, name in enumerate(names):
        if not name:
            continue
        file = folder / name
        if file.is_file():
            status = file.stat()
            states[name] = status.st_size, status.st_mtime_ns
        else:
            missing.append(row)
    if missing:
        raise InputError(
            f"{folder / MANIFEST}: missing image files: {len(missing)} of {len(names)}, the "
            f"first is {folder / names[missing[0]]} (line {_line(missing[0])}); copy them there "
            f"or remove the rows"
        )
    return states


def _read_split(manifest: Path, cells: pd.Series) -> Split:
    words = {cell: {word.strip() for word in cell.split("+")} for cell in cells.unique()}
    for cell, given in words.items():
        unknown = sorted(given - set(PARTS))
        if not cell.strip():
            wrong = f"split is empty; write one or several of {', '.join(PARTS)}, joined by +"
        elif unknown:
            wrong = f"unknown word {unknown[0]!r} in split; use {', '.join(PARTS)}"
        elif "query" in given and len(given) > 1:
            wrong = f"split is {cell!r}, but a query must not be in train or database"
        else:
            continue
        line = _line((cells == cell).to_numpy().argmax())
        raise InputError(f"{manifest}, line {line}: {wrong}")
    parts = {
        part: np.flatnonzero(cells.map({cell: part in given for cell, given in words.items()}))
        for part in PARTS
    }
    for part, items in parts.items():
        if not len(items):
            raise InputError(f"{manifest}: no row has {part} in the column split")
    return Split(**parts)


def _fingerprint(manifest: Path, states: Mapping[str, tuple[int, int]]) -> str:
    digest = hashlib.sha256(manifest.read_bytes())
    for name, size in states.items():
        digest.update(f"{name}\0{size}\n".encode())
    return digest.hexdigest()


def _line(row: int) -> int:
    """Line of the file that holds a row of the table; the header is line 1."""
    return int(row) + 2
