"""Lists of images, labels and a split, as the code of many papers on deep hashing has them.

Read are ``path l1 ... lC`` lines separated by blanks (DeepHash-pytorch, HashNet, OrthoHash, MeCoQ,
BiHalf, HyP2) or commas, pairs of files with paths and with labels (TreezzZ, HyP2), such pairs with
files of item numbers, and ``allannots.txt`` with a split in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.datasets.copies.place import Place
from benchmark.datasets.lists.content import (
    Content,
    read_labelled,
    read_labels,
    read_numbers,
    read_paths,
    read_split,
)
from benchmark.datasets.lists.items import Listed, to_dataset
from benchmark.datasets.lists.roles import Group, chosen_group, chosen_split, find_lists
from benchmark.errors import InputError

PARTS = ("database", "train", "query")


def found_lists(path: Path) -> str:
    """The list files of a folder; '' if there are none that make a data set."""
    return " or ".join(group.names() for group in find_lists(path).groups.values())


def read_lists(place: Place) -> Dataset:
    """Read the lists of a folder.

    Raises
    ------
    InputError
        If several sets of lists are there and none was chosen, or if lists do not fit together.
    """
    lists = find_lists(place.path)
    name, group = chosen_group(place.path, lists, place.request.lists)
    notes = [f"read as lists {name}: {group.names()}"]
    if any(part == "all" for part, _ in group.files):
        listed = _whole(group, chosen_split(lists.splits), notes)
    else:
        listed = _parts(group, notes)
    return to_dataset(listed, place)


def _whole(group: Group, split: Path | None, notes: list[str]) -> Listed:
    """Lists of everything, with a split in JSON or in files of numbers, or without one."""
    names, labels = _images(group, "all", None)
    n = len(names)
    numbers = {part: group.files.get((part, "numbers")) for part in PARTS}
    parts = None
    if split is not None:
        notes.append(f"the split is that of {split.name}")
        parts = read_split(split, names, notes)
    elif all(numbers.values()):
        parts = {part: read_numbers(file.path, n, notes) for part, file in numbers.items() if file}
    return Listed(names, labels, parts and without_queries(parts, notes), notes=notes)


def _parts(group: Group, notes: list[str]) -> Listed:
    """Lists of the parts of a split; an image of several lists is one item."""
    there = [part for part in PARTS if any(key[0] == part for key in group.files)]
    width = max(_width(group, part) for part in there)
    row: dict[str, int] = {}
    labels: list[np.ndarray] = []
    parts: dict[str, np.ndarray] = {}
    conflicts = 0
    for part in there:
        names, given = _images(group, part, width)
        fresh = [name not in row for name in names]
        for name, new, values in zip(names, fresh, given, strict=True):
            if new and name not in row:
                row[name] = len(row)
                labels.append(values)
            else:
                conflicts += bool((labels[row[name]] != values).any())
        parts[part] = np.unique([row[name] for name in names])
        if len(parts[part]) < len(names):
            notes.append(f"images listed twice for {part}: {len(names) - len(parts[part]):,}")
    if conflicts:
        notes.append(
            f"images with other labels in another list: {conflicts:,}; the first list holds"
        )
    if "train" not in parts:
        notes.append("there is no list of training images, so the database is trained on")
        parts["train"] = parts["database"]
    return Listed(list(row), np.array(labels), without_queries(parts, notes), notes=notes)


def without_queries(parts: Mapping[str, np.ndarray], notes: list[str]) -> dict[str, np.ndarray]:
    """The parts without queries in the database or in the training set, a fault of some lists."""
    kept = {"query": np.unique(parts["query"])}
    for part in ("database", "train"):
        kept[part] = np.setdiff1d(parts[part], parts["query"])
        n_inside = len(np.unique(parts[part])) - len(kept[part])
        if n_inside:
            notes.append(
                f"queries inside the {part} list, which were taken out of it: {n_inside:,}"
            )
    return kept


def _width(group: Group, part: str) -> int:
    """Number of labels of a part."""
    file = group.files.get((part, "labels"))
    return 0 if file is None else read_labels(file).shape[1]


def _images(group: Group, part: str, n_labels: int | None) -> tuple[list[str], np.ndarray]:
    """Paths and labels of a part."""
    labelled = group.files.get((part, "labelled"))
    if labelled is not None:
        return read_labelled(labelled.path)
    file, paths = group.files.get((part, "labels")), group.files.get((part, "paths"))
    if file is None or paths is None:
        raise InputError(
            f"{group.names()}: the list of {part} images needs a file of paths and one of labels"
        )
    names = read_paths(paths.path)
    labels = read_labels(file, n_labels if file.content is Content.CLASSES else None)
    if len(labels) != len(names):
        raise InputError(
            f"{file.path} has {len(labels):,} rows, but {paths.path.name} {len(names):,} images"
        )
    return names, labels
