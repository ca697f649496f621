"""Photos of a collection, found by name or by photo id in whatever folders they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.errors import InputError

#: Missing images that a message names; the others are counted.
NAMED = 5


def photo_id(name: str) -> str:
    """The photo's number on Flickr, '' for a name without one.

    It is the number after the first ``_`` of ``actor/0001_2124494179.jpg`` and of
    ``83796_799247112_276c55a843_m.jpg``, and the first one of ``799247112_276c55a843_m.jpg``,
    whose last letter is a size.
    """
    parts = PurePosixPath(name).stem.split("_")
    sized = len(parts) > 1 and len(parts[-1]) == 1 and parts[-1].isalpha()
    if sized:
        del parts[-1]
    if len(parts) == 2 and (sized or not parts[1].isdigit()):
        # A photo id and its secret.
        del parts[1]
    number = parts[1] if len(parts) > 1 else parts[0]
    return number if number.isdigit() else ""


class PhotoIndex:
    """The files below a folder, for looking up photos of a list.

    Parameters
    ----------
    folder : Path
        Sub-folders may be links.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.paths = set(_files_below(self.folder))

    def find(self, name: str) -> str | None:
        """Path of a photo below the folder, with forward slashes; None if it is not there.

        A file of exactly this path comes first, then the one of this file name that has the most
        folders in common with it, from the end on, then the one with the same photo id.

        Raises
        ------
        InputError
            If several files fit equally well.
        """
        if name in self.paths:
            return name
        wanted = name.split("/")
        same = self._by_name.get(wanted[-1], ())
        if same:
            common = [_common_tail(wanted, path.split("/")) for path in same]
            best = [path for path, n in zip(same, common, strict=True) if n == max(common)]
            return self._only(name, best)
        number = photo_id(name)
        return self._only(name, self._by_id[number]) if number in self._by_id else None

    def _only(self, name: str, found: list[str]) -> str:
        if len(found) > 1:
            first, second = sorted(found)[:2]
            raise InputError(
                f"{self.folder}: image {name} may be {first} or {second}; remove one of the two "
                "from the folder"
            )
        return found[0]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    @cached_property
    def _by_id(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.paths:
            number = photo_id(path)
            if number:
                found.setdefault(number, []).append(path)
        return found


class Found(Sequence):
    """Path of each image on disk, below the folder of the images; None for one that is missing.

    Parameters
    ----------
    names : sequence of str
        Path of each image in the list.
    index : PhotoIndex
    """

    def __init__(self, names: Sequence[str], index: PhotoIndex) -> None:
        self.names = names
        self.index = index

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> str | None:
        return self.index.find(self.names[i])

    def missing(self, rows: np.ndarray) -> list[str]:
        """Names of those of the given images that are not on disk."""
        return [self.names[row] for row in rows.tolist() if self[row] is None]

    def present(self, rows: np.ndarray, notes: list[str]) -> np.ndarray:
        """Those of the given images that are on disk; a note names and counts the others."""
        places = [self[row] for row in rows.tolist()]
        there = np.array([place is not None for place in places], dtype=bool)
        if not there.all():
            gone = rows[~there].tolist()
            shown = ", ".join(self.names[row] for row in gone[:NAMED])
            more = f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else ""
            notes.append(
                f"left out because missing in {self.index.folder}: {len(gone):,} of {len(rows):,} "
                f"images: {shown}{more}"
            )
        pairs = zip(rows.tolist(), places, strict=True)
        moved = sum(place not in (None, self.names[row]) for row, place in pairs)
        if moved:
            notes.append(
                f"images found in {self.index.folder} by file name or photo id, not by the path "
                f"of the list: {moved:,}"
            )
        return rows[there]


def _common_tail(first: list[str], second: list[str]) -> int:
    """Components that two paths have in common, counted from the end."""
    n = 0
    for a, b in zip(reversed(first), reversed(second), strict=False):
        if a != b:
            break
        n += 1
    return n


def _files_below(folder: Path) -> Iterator[str]:
    """Relative paths of the files in a folder and its sub-folders, with forward slashes."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        # A link may lead back to a folder above it.
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        prefix = Path(place).relative_to(folder).as_posix()
        yield from files if prefix == "." else (f"{prefix}/{file}" for file in files)
