"""What a text file of a list data set holds, told from its lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from benchmark.errors import InputError

SUFFIXES = (".txt", ".csv", ".json", ".lst")
#: Lines by which the content is told.
FIRST = 50


class Content(Enum):
    """The kinds of files."""

    LABELLED = "paths with labels"
    PATHS = "paths"
    ONE_HOT = "labels as 0 and 1"
    CLASSES = "class numbers"
    SPLIT = "a split in JSON"


@dataclass(frozen=True)
class ListFile:
    """A text file and what it holds.

    Attributes
    ----------
    path : Path
    content : Content
    """

    path: Path
    content: Content


def look_at(path: Path) -> ListFile | None:
    """What a file holds; None if it is no part of a list data set."""
    if path.suffix.lower() == ".json":
        return ListFile(path, Content.SPLIT) if _is_split(path) else None
    lines = _first_lines(path)
    kinds = {_kind(words_of(line)) for line in lines}
    if kinds == {Content.CLASSES, Content.ONE_HOT}:
        # Lines of class numbers differ in length; some may look like zeros and ones.
        kinds = {Content.CLASSES}
    widths = {len(words_of(line)) for line in lines}
    if len(kinds) != 1 or None in kinds:
        return None
    kind = kinds.pop()
    if kind is Content.ONE_HOT and len(widths) > 1:
        kind = Content.CLASSES
    return ListFile(path, kind)


def words_of(line: str) -> list[str]:
    """The words of a line, separated by blanks or by commas."""
    return line.replace(",", " ").split()


def read_labelled(path: Path) -> tuple[list[str], np.ndarray]:
    """Paths and labels, (n, c) of bool, of lines ``path l1 ... lC``.

    Raises
    ------
    InputError
        With the line, if one is of another form.
    """
    names: list[str] = []
    rows: list[str] = []
    for number, line in _lines(path):
        first, *values = words_of(line)
        names.append(first.replace("\\", "/"))
        rows.append("".join(values))
        if not len(values) == len(rows[-1]) == len(rows[0]) or rows[-1].strip("01"):
            raise InputError(
                f"{path}, line {number:,}: after the path it has {len(values)} words, but "
                f"{len(rows[0])} labels of 0 or 1 were expected as in the first line"
            )
    letters = np.frombuffer("".join(rows).encode(), dtype=np.uint8)
    return names, letters.reshape(len(rows), -1) == ord("1")


def read_paths(path: Path) -> list[str]:
    """One path a line, with forward slashes."""
    return [line.strip().replace("\\", "/") for _, line in _lines(path)]


def read_labels(file: ListFile, n_labels: int | None = None) -> np.ndarray:
    """Labels, (n, c) of bool, one item a line: zeros and ones, or class numbers.

    Parameters
    ----------
    file : ListFile
    n_labels : int, optional
        Number of classes; by default the largest class number and one more.

    Raises
    ------
    InputError
        With the line, if one is of another form.
    """
    rows = []
    # A line without a word is an item without a class.
    text = file.path.read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines() if file.content is Content.CLASSES else text.split("\n")
    for number, line in enumerate(lines, 1):
        words = words_of(line)
        if not words and file.content is Content.ONE_HOT:
            continue
        if not all(word.isdigit() for word in words):
            raise InputError(f"{file.path}, line {number:,}: {line.strip()!r} is no row of numbers")
        rows.append([int(word) for word in words])
    if file.content is Content.ONE_HOT:
        widths = {len(row) for row in rows}
        if len(widths) > 1:
            wrong = next(k for k, row in enumerate(rows, 1) if len(row) != len(rows[0]))
            raise InputError(
                f"{file.path}: row {wrong:,} has {len(rows[wrong - 1])} labels, the first "
                f"{len(rows[0])}"
            )
        return np.array(rows, dtype=np.int64) == 1
    n = max((max(row, default=-1) for row in rows), default=-1) + 1
    labels = np.zeros((len(rows), n if n_labels is None else max(n, n_labels)), dtype=bool)
    for row, classes in zip(labels, rows, strict=True):
        row[classes] = True
    return labels


def read_numbers(path: Path, n: int, notes: list[str]) -> np.ndarray:
    """Item numbers counted from 0, of a file that counts from 1, or from 0 if it holds a 0.

    Raises
    ------
    InputError
        If something else than a number of one of the `n` items is there.
    """
    words = path.read_text(encoding="utf-8", errors="replace").split()
    wrong = next((word for word in words if not word.isdigit()), None)
    if wrong is not None:
        raise InputError(f"{path}: {wrong!r} is not the number of an item")
    return _counted_from_0([int(word) for word in words], path, n, notes, first=1)


def read_split(path: Path, names: Sequence[str], notes: list[str]) -> dict[str, np.ndarray]:
    """Item numbers of ``train``, ``database`` and ``query`` of a JSON file.

    Its lists hold names of images, or numbers counted from 0 (from 1 if the last number is the
    number of items).

    Raises
    ------
    InputError
        If a name or number is of no item.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    row = {Path(name).name: k for k, name in enumerate(names)}
    parts = {}
    for part, keys in JSON_PARTS.items():
        given = next(content[key] for key in keys if key in content)
        if all(isinstance(item, int) for item in given):
            parts[part] = _counted_from_0(given, path, len(names), notes, first=0)
            continue
        unknown = [item for item in given if Path(str(item)).name not in row]
        if unknown:
            raise InputError(
                f"{path}: {len(unknown)} of {len(given)} images of {part} are in no list, the "
                f"first is {unknown[0]}"
            )
        parts[part] = np.array([row[Path(item).name] for item in given], dtype=np.int64)
    return parts


#: Names of the parts of a split in a JSON file.
JSON_PARTS = {
    "train": ("train",),
    "database": ("db", "database", "retrieval"),
    "query": ("query", "test"),
}


def _counted_from_0(
    numbers: Sequence[int], path: Path, n: int, notes: list[str], *, first: int
) -> np.ndarray:
    items = np.array(numbers, dtype=np.int64)
    if len(items) and first == 1 and items.min() == 0:
        first = 0
        notes.append(f"{path.name} counts items from 0")
    elif len(items) and first == 0 and items.max() == n:
        first = 1
        notes.append(f"{path.name} counts items from 1")
    items -= first
    if len(items) and not 0 <= items.min() <= items.max() < n:
        raise InputError(f"{path}: item numbers go beyond the {n:,} items of the lists")
    return items


def _kind(words: list[str]) -> Content | None:
    if not words:
        return Content.CLASSES
    first, *rest = words
    if first.isdigit() and all(word.isdigit() for word in rest):
        return Content.ONE_HOT if rest and set(words) <= {"0", "1"} else Content.CLASSES
    is_path = "." in first or "/" in first
    if len(rest) > 1 and set(rest) <= {"0", "1"} and is_path:
        return Content.LABELLED
    return Content.PATHS if not rest and is_path else None


def _first_lines(path: Path) -> list[str]:
    lines = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            lines.append(line.strip())
            if len(lines) == FIRST:
                break
    return lines


def _is_split(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and all(
        any(isinstance(content.get(key), list) for key in keys) for keys in JSON_PARTS.values()
    )


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are not empty, with their numbers."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [(k, line) for k, line in enumerate(text.split("\n"), 1) if line.strip()]
