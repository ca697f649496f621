"""Tags of photos from the official files, joined by photo id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.copies.photos import photo_id
from benchmark.errors import InputError

ALL_TAGS = "All_Tags.txt"


def with_tags(dataset: Dataset, place: Path) -> Dataset:
    """The data set with tags of a file or folder, see :func:`read_tags`.

    Raises
    ------
    InputError
        If it has no images by whose names tags can be joined, or if none of them has tags there.
    """
    if dataset.images is None:
        raise InputError(f"--tags {place}: data set {dataset.name} has no images to join them to")
    names = [dataset.images.name(i) for i in range(len(dataset))]
    notes: list[str] = []
    tags = joined_tags(names, place, notes)
    digest = hashlib.sha256(dataset.fingerprint.encode())
    digest.update("\n".join(map(" ".join, tags)).encode())
    notes = [*dataset.notes, *notes]
    return replace(dataset, tags=tags, fingerprint=digest.hexdigest(), notes=notes)


def joined_tags(names: Sequence[str], place: Path, notes: list[str]) -> list[tuple[str, ...]]:
    """Tags of photos by their names.

    Parameters
    ----------
    names : sequence of str
        Paths of the photos.
    place : Path
        See :func:`read_tags`.
    notes : list of str
        A line on what was joined is added.

    Returns
    -------
    list of tuples of str

    Raises
    ------
    InputError
        If no photo has a line or file of tags.
    """
    known = read_tags(place)
    keys = [photo_id(name) or Path(name).stem for name in names]
    found = sum(key in known for key in keys)
    if not found:
        raise InputError(
            f"{place}: it has tags of {len(known):,} photos, but of none of the {len(names):,} of "
            f"this data set, for example {names[0]}"
        )
    notes.append(f"tags of {place}, joined by photo id: {found:,} of {len(names):,} items")
    return [known.get(key, ()) for key in keys]


def read_tags(place: Path) -> Mapping[str, tuple[str, ...]]:
    """Tags by photo id.

    Parameters
    ----------
    place : Path
        ``All_Tags.txt`` of NUS-WIDE (a line is a photo id and its tags, limited to
        ``Final_Tag_List.txt`` beside it), or the folder ``meta/tags`` of MIRFLICKR (photo
        ``im<i>`` has the file ``tags<i>.txt``, limited to ``doc/common_tags.txt``).

    Raises
    ------
    InputError
        If it is neither.
    """
    if place.is_dir():
        files = {f"im{path.stem[4:]}": path for path in place.glob("tags*.txt")}
        lines = {key: _text(path).split() for key, path in files.items()}
        word_list = place.parent.parent / "doc" / "common_tags.txt"
    elif place.is_file():
        rows = [line.split() for line in _text(place).split("\n") if line.strip()]
        lines = {words[0]: words[1:] for words in reversed(rows) if words[0].isdigit()}
        word_list = place.with_name("Final_Tag_List.txt")
    else:
        raise InputError(f"{place}: there is no such file or folder of tags")
    if not lines:
        raise InputError(
            f"{place} holds no tags: give {ALL_TAGS} of NUS-WIDE, whose lines start with a photo "
            "id, or the folder meta/tags of MIRFLICKR"
        )
    kept = None
    if word_list.is_file():
        kept = {line.split()[0] for line in _text(word_list).split("\n") if line.strip()}
    return {
        key: tuple(dict.fromkeys(word for word in words if kept is None or word in kept))
        for key, words in lines.items()
    }


def find_tags(names: Sequence[str], folders: Sequence[Path]) -> Path | None:
    """The official tags of such photos in one of the folders; None if they are not there."""
    first = Path(names[0])
    is_flickr25k = first.stem.startswith("im") and first.stem[2:].isdigit()
    if not is_flickr25k and not photo_id(first.name):
        return None
    ends = (
        ("mirflickr/meta/tags", "meta/tags", "mirflickr25k/mirflickr/meta/tags")
        if is_flickr25k
        else (ALL_TAGS, f"NUS_WID_Tags/{ALL_TAGS}", f"nuswide/NUS_WID_Tags/{ALL_TAGS}")
    )
    places = (folder / end for folder in folders for end in ends)
    return next((place for place in places if place.exists()), None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
