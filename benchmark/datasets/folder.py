"""A data set of your own: a folder with ``manifest.csv``."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset, Split, feature_files
from benchmark.datasets.reading import check_there, read_text
from benchmark.errors import InputError
from benchmark.files import is_file
from features.images import FileImages

MANIFEST = "manifest.csv"
COLUMNS = ("image", "tags", "labels", "split")
PARTS = ("train", "database", "query")


@dataclass(frozen=True)
class Manifest:
    """The cells of a manifest, column by column.

    Attributes
    ----------
    path : Path
    columns : mapping of str to list of n str
        The columns of :data:`COLUMNS`; an absent cell is empty.
    lines : list of n int
        Line of the file in which each row begins, from 1.
    """

    path: Path
    columns: Mapping[str, list[str]]
    lines: list[int]

    def where(self, row: int) -> str:
        """The place of a row, for messages."""
        return f"{self.path}, line {self.lines[row]}"


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
    check_there(path)
    manifest = _read_manifest(path / MANIFEST)
    features = feature_files(path)
    notes = []
    names = _check_images(manifest, bool(features))
    unnamed = names.count("")
    states = _file_states(path, names, manifest)
    if 0 < unnamed < len(names):
        notes.append(f"rows without an image: {unnamed}, so only the given features can be used")
    if unnamed and len(features) > 1:
        notes.append(f"of several feature files the first, {min(features)}, is the default")
    labels, label_names = multi_hot([cell.split() for cell in manifest.columns["labels"]])
    if not labels.any():
        raise InputError(
            f"{manifest.path}: the labels of all rows are empty; relevance is defined by labels, "
            f"so give each row the names of its classes"
        )
    return Dataset(
        name=path.resolve().name,
        labels=labels,
        label_names=label_names,
        tags=[tuple(dict.fromkeys(cell.split())) for cell in manifest.columns["tags"]],
        split=_read_split(manifest),
        fingerprint=_fingerprint(manifest.path, states),
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


def _read_manifest(path: Path) -> Manifest:
    if not is_file(path):
        raise InputError(
            f"{path} is missing: a folder data set needs such a file, with the columns "
            f"{','.join(COLUMNS)}"
        )
    rows, lines = _records(path)
    if not rows:
        raise InputError(f"{path} is empty: its first line must name {','.join(COLUMNS)}")
    header = [name.strip() for name in rows[0]]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(
            f"{path} lacks the column {' and '.join(missing)}: its first line must name "
            f"{','.join(COLUMNS)} (cells of image, tags and labels may be empty)"
        )
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if twice:
        raise InputError(f"{path} has two columns {twice[0]}: remove or rename one")
    del rows[0], lines[0]
    if not rows:
        raise InputError(f"{path} has no row below its first line: give each item one")
    for row, line in zip(rows, lines, strict=True):
        if len(row) > len(header):
            raise InputError(
                f"{path}, line {line}: the row has {len(row)} cells, but the first line names "
                f"{len(header)}; put cells that hold a comma in quotation marks"
            )
        row += [""] * (len(header) - len(row))
    place = {column: header.index(column) for column in COLUMNS}
    return Manifest(path, {c: [row[k] for row in rows] for c, k in place.items()}, lines)


def _records(path: Path) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, the header first, and the line in which each begins."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    rows, lines, before = [], [], 0
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append(row)
                lines.append(before + 1)
            before = reader.line_num
    except csv.Error as error:
        raise InputError(
            f"{path}, line {before + 1}: the row cannot be read ({error}); close its quotation "
            "marks"
        ) from None
    return rows, lines


def _check_images(manifest: Manifest, has_features: bool) -> list[str]:
    """Normalised image paths, which may be empty only if features are given."""
    cells = manifest.columns["image"]
    names = [posixpath.normpath(cell.strip()) if cell.strip() else "" for cell in cells]
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        where = manifest.where(row)
        if not name:
            if not has_features:
                raise InputError(
                    f"{where}: the row has no image, and there is no features/<name>.npy; give "
                    f"one of the two"
                )
        elif name.startswith(("/", "../")) or name in (".", ".."):
            raise InputError(f"{where}: image {name} must be a path inside the folder")
        elif name in first:
            raise InputError(
                f"{where}: image {name} is already in line {manifest.lines[first[name]]}; remove "
                "one"
            )
        else:
            first[name] = row
    return names


def _file_states(
    folder: Path, names: Sequence[str], manifest: Manifest
) -> Mapping[str, tuple[int, int]]:
    """Size in bytes and time of change of each image file."""
    states, missing = {}, []
    home = os.path.realpath(folder)
    # Real paths of folders, of which there are far fewer than images.
    places: dict[str, str] = {}
    for row, name in enumerate(names):
        if not name:
            continue
        file = folder / name
        if not is_file(file):
            missing.append(row)
            continue
        parent = posixpath.dirname(name)
        if parent not in places:
            places[parent] = os.path.realpath(folder / parent)
        real = os.path.realpath(file) if file.is_symlink() else places[parent]
        if os.path.commonpath([home, real]) != home:
            raise InputError(
                f"{manifest.where(row)}: image {name} is a link to a file outside the folder; "
                "copy the file into it"
            )
        status = file.stat()
        states[name] = status.st_size, status.st_mtime_ns
    if missing:
        row = missing[0]
        raise InputError(
            f"{manifest.path}: missing image files: {len(missing)} of {len(names)}, the first is "
            f"{names[row]} (line {manifest.lines[row]}); copy them to {folder} or remove the rows"
        )
    return states


def _read_split(manifest: Manifest) -> Split:
    cells = manifest.columns["split"]
    words = {cell: {word.strip() for word in cell.split("+")} for cell in dict.fromkeys(cells)}
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
        raise InputError(f"{manifest.where(cells.index(cell))}: {wrong}")
    parts = {
        part: np.array([i for i, cell in enumerate(cells) if part in words[cell]], dtype=np.int64)
        for part in PARTS
    }
    for part, items in parts.items():
        if not len(items):
            raise InputError(f"{manifest.path}: no row has {part} in the column split")
    return Split(**parts)


def _fingerprint(manifest: Path, states: Mapping[str, tuple[int, int]]) -> str:
    digest = hashlib.sha256(manifest.read_bytes())
    for name, size in states.items():
        digest.update(f"{name}\0{size}\n".encode())
    return digest.hexdigest()
