"""MIRFLICKR-25K: 25,000 photos of Flickr with 24 or 38 annotations and user tags."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.datasets import register_dataset
from benchmark.datasets.collection import Collection, require
from benchmark.datasets.copies.published import Published
from benchmark.datasets.reading import files_in, read_text
from benchmark.errors import InputError

TITLE = "MIRFLICKR-25K"
SOURCE = "the official MIRFLICKR page of the LIACS Medialab (mirflickr25k.zip and annotations v080)"
N_IMAGES = 25_000
#: Queries and database items of the published split.
SIZES = (2000, 16_000)
ANNOTATIONS = "mirflickr25k_annotations_v080"


@register_dataset("mirflickr25k", source="MIRFLICKR-25K, Huiskes and Lew, MIR 2008")
class MIRFlickr25K(Published):
    """MIRFLICKR-25K, images with a label out of 38 (or 24): 16,000 + 2,000.

    24 lists of annotations say which images may show a topic; 14 further lists (``_r1``), each
    contained in its base list, say which images are relevant to it.  Two items therefore share
    one of 38 labels exactly if they share one of 24.  The training set is the database.  Tags are
    limited to the 1,386 of ``doc/common_tags.txt`` if that file is present.  ``setting=wmh`` has
    5,000 + 1,000 items with a label and a tag that at least 20 images carry.  Parameters are those
    of :class:`Published`.
    """

    homes = ("mirflickr25k", "MIRFLICKR-25K", "mirflickr", ".")
    signs = (ANNOTATIONS, "mirflickr")
    mark = "mir"
    usual_labels = 38
    sizes: ClassVar = {38: SIZES, 24: SIZES}

    def read(self, home: Path, n_labels: int) -> Collection:
        """The whole collection from the official files, see :func:`read_mirflickr`."""
        return read_mirflickr(home, n_labels)


def read_mirflickr(home: Path, n_labels: int) -> Collection:
    """The whole collection from the official files.

    Parameters
    ----------
    home : Path
        Folder that holds ``mirflickr`` and the annotations.
    n_labels : int
        38: all lists; 24: those without ``_r1``.

    Returns
    -------
    Collection
        Row i - 1 is image i.

    Raises
    ------
    InputError
        If files are missing (all are named), or if a list holds anything but image numbers.
    """
    pictures = home / "mirflickr"
    tag_folder = pictures / "meta" / "tags"
    require(TITLE, SOURCE, [home / ANNOTATIONS, tag_folder], pictures)
    notes = [f"read as official files: {home / ANNOTATIONS} and {tag_folder}"]
    label_names, topics = read_topics(home, n_labels, notes)
    tag_files = _numbered(tag_folder, "tags", ".txt")
    images = _numbered(pictures, "im", ".jpg")
    n = max([0, *tag_files, *images, *(max(numbers, default=0) for numbers in topics)])
    labels = np.zeros((n, len(label_names)), dtype=bool)
    for column, numbers in zip(labels.T, topics, strict=True):
        column[np.array(numbers, dtype=np.int64) - 1] = True
    return Collection(
        title=TITLE,
        source=SOURCE,
        home=home,
        images=pictures if images else home,
        names=[f"im{i}.jpg" for i in range(1, n + 1)],
        labels=labels,
        label_names=label_names,
        tags=_read_tags(pictures, tag_files, n, notes),
        usable=labels.any(axis=1),
        notes=notes,
    )


def read_topics(home: Path, n_labels: int, notes: list[str]) -> tuple[list[str], list[list[int]]]:
    """Names of the topics, and the 1-based image numbers of each."""
    lists = [
        path
        for path in sorted(files_in(home / ANNOTATIONS), key=lambda path: path.stem)
        if path.suffix == ".txt"
        and path.stem.lower() != "readme"
        and (n_labels == 38 or not path.stem.endswith("_r1"))
    ]
    if not lists:
        raise InputError(
            f"{home / ANNOTATIONS} has no list of a topic: unpack the annotations v080 there"
        )
    if len(lists) != n_labels:
        notes.append(f"{home / ANNOTATIONS} has {len(lists)} lists of topics, not {n_labels}")
    return [path.stem for path in lists], [_image_numbers(path) for path in lists]


def _numbered(folder: Path, prefix: str, suffix: str) -> dict[int, Path]:
    """Files ``<prefix><number><suffix>`` of a folder, by number."""
    pattern = re.compile(rf"{prefix}([1-9][0-9]*){re.escape(suffix)}")
    matches = ((pattern.fullmatch(path.name), path) for path in files_in(folder))
    found = {}
    for match, path in matches:
        if match is None:
            continue
        if len(match[1]) > 5 or int(match[1]) > N_IMAGES:
            raise InputError(f"{path}: {TITLE} has images 1 to {N_IMAGES:,}; remove the file")
        found[int(match[1])] = path
    return found


def _image_numbers(path: Path) -> list[int]:
    """The 1-based image numbers of a list."""
    words = read_text(path).split()
    for word in words:
        # More digits would be no image, and too many of them no number for Python.
        if not (re.fullmatch("[0-9]{1,5}", word) and 1 <= int(word) <= N_IMAGES):
            raise InputError(f"{path}: {word!r} is not an image number (1 to {N_IMAGES:,})")
    return [int(word) for word in words]


def _read_tags(
    pictures: Path, files: dict[int, Path], n: int, notes: list[str]
) -> list[tuple[str, ...]]:
    """Tags of each image, one per line; an empty or missing file means no tags."""
    common = pictures / "doc" / "common_tags.txt"
    kept = None
    if common.exists():
        lines = read_text(common, errors="replace").splitlines()
        kept = {line.split()[0] for line in lines if line.strip()}
    else:
        notes.append("doc/common_tags.txt is missing, so all tags are kept in place of its 1,386")
    missing = n - len(files)
    if missing:
        notes.append(f"missing tag files: {missing:,}; their images have no tags")
    tags: list[tuple[str, ...]] = [()] * n
    for number, path in files.items():
        words = read_text(path, errors="replace").split()
        tags[number - 1] = tuple(
            dict.fromkeys(word for word in words if kept is None or word in kept)
        )
    return tags
