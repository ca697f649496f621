"""NUS-WIDE: 269,648 photos of Flickr with 81 concepts and the tags of their users."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets import register_dataset
from benchmark.datasets.collection import Collection, require
from benchmark.datasets.copies.photos import photo_id
from benchmark.datasets.copies.published import Published
from benchmark.datasets.reading import read_text
from benchmark.errors import InputError
from features.errors import one_line

TITLE = "NUS-WIDE"
SOURCE = "the official NUS-WIDE page of the National University of Singapore (LMS)"

#: Folders of the official archives; any of them marks the folder of the collection.
FOLDERS = ("Groundtruth", "ImageList", "NUS_WID_Tags", "ConceptsList", "All_Tags.txt")

#: The 21 concepts with the most images, in the order of Concepts81.txt.
FREQUENT = (
    *("animal", "beach", "buildings", "clouds", "flowers", "grass", "lake", "mountain"),
    *("ocean", "person", "plants", "reflection", "road", "rocks", "sky", "snow", "sunset"),
    *("tree", "vehicle", "water", "window"),
)

#: Queries and database items of the published splits, by number of labels.
SIZES = {21: (2000, 100_000), 81: (5000, 264_648)}


@register_dataset("nuswide", source="NUS-WIDE, Chua et al., CIVR 2009")
class NUSWIDE(Published):
    """NUS-WIDE, 21 most frequent concepts (100,000 + 2,000) or all 81 (264,648 + 5,000).

    With 21 labels, only images with one of them are drawn; with 81, all images.  The training set
    is the database.  Tags are those of ``All_Tags.txt``, limited to the 5,018 words of
    ``Final_Tag_List.txt`` if that file is present.  Of an image that is listed twice the first
    row is kept if the labels agree, otherwise none.  ``setting=wmh`` has 5,000 + 1,000 items with
    a label and a tag that at least 20 images carry.  Parameters are those of :class:`Published`.
    """

    homes = ("nuswide", "NUS-WIDE", "NUS_WIDE", "nus-wide", ".")
    signs = FOLDERS
    mark = "nus"
    usual_train = 10_500
    usual_labels = 21
    sizes = SIZES

    def read(self, home: Path, n_labels: int) -> Collection:
        """The whole collection from the official files, see :func:`read_nuswide`."""
        return read_nuswide(home, n_labels)


def read_nuswide(home: Path, n_labels: int) -> Collection:
    """The whole collection from the official files.

    Parameters
    ----------
    home : Path
        Folder that holds the official archives' folders.
    n_labels : int
        21 or 81.

    Returns
    -------
    Collection
        In the order of the image list.

    Raises
    ------
    InputError
        If files are missing (all are named), or if files differ in length.
    """
    image_list = home / "ImageList" / "Imagelist.txt"
    tag_file = _placed(home, "NUS_WID_Tags", "All_Tags.txt")
    truth = home / "Groundtruth"
    # The train and test files hold a bad value; they are used only if AllLabels is missing.
    halves = (truth / "TrainTestLabels").is_dir() and not (truth / "AllLabels").is_dir()
    concept_file = _placed(home, "ConceptsList", "Concepts81.txt")
    # The successor of the official page has no image list; All_Tags.txt has the same order.
    listed = image_list.exists() or halves
    needed = [tag_file, truth / ("TrainTestLabels" if halves else "AllLabels")]
    needed += [image_list] if listed else []
    folders = (home / "Flickr", home / "images", home / "Images")
    pictures = next((folder for folder in folders if folder.is_dir()), home)
    require(TITLE, SOURCE, [*needed, *([concept_file] if n_labels == 81 else [])], pictures)
    notes: list[str] = []
    concepts = FREQUENT
    if n_labels == 81:
        concepts = _read_concepts(concept_file, notes)
    lists = [image_list] if listed else []
    if halves:
        lists = [home / "ImageList" / f"{part}Imagelist.txt" for part in ("Train", "Test")]
    files = {concept: _label_files(truth, concept, halves) for concept in concepts}
    require(TITLE, SOURCE, [*lists, *(file for group in files.values() for file in group)])

    names = _read_image_list(image_list) if listed else _read_ids(tag_file)
    order = names
    if halves:
        order = [name for file in lists for name in _read_image_list(file)]
    notes.insert(0, _reading(image_list if listed else tag_file, truth, halves))
    columns = [_read_label(files[concept], len(order), notes) for concept in concepts]
    labels = np.column_stack(columns)
    if halves:
        labels = _reordered(labels, order, names, image_list)
    tags = _read_tags(tag_file, names, notes)
    usable = _without_duplicates(names, labels, notes)
    if n_labels == 21:
        usable &= labels.any(axis=1)
    return Collection(
        title=TITLE,
        source=SOURCE,
        home=home,
        images=pictures,
        names=names,
        labels=labels,
        label_names=tuple(concepts),
        tags=tags,
        usable=usable,
        notes=notes,
    )


def _read_concepts(path: Path, notes: list[str]) -> list[str]:
    """The names of the 81 concepts, which are parts of file names."""
    concepts = read_text(path).split()
    odd = [name for name in concepts if not re.fullmatch(r"[\w-]+", name)]
    if odd:
        raise InputError(f"{path}: {odd[0]!r} is no name of a concept")
    if not concepts or len(set(concepts)) < len(concepts):
        what = "names a concept twice" if concepts else "names no concept"
        raise InputError(f"{path} {what}: it must list the 81 concepts; download it again")
    if len(concepts) != 81:
        notes.append(f"{path.name} has {len(concepts)} concepts, not 81")
    return concepts


def _placed(home: Path, folder: str, name: str) -> Path:
    """A file in its official folder, or where an archive without folders leaves it."""
    official, bare = home / folder / name, home / name
    return bare if bare.exists() and not official.exists() else official


def _reading(order: Path, truth: Path, halves: bool) -> str:
    """One line on what was found and how it was read."""
    labels = "TrainTestLabels" if halves else "AllLabels"
    return f"read as official files: labels of {truth / labels} in the order of {order.name}"


def _read_ids(path: Path) -> list[str]:
    """The photo id at the start of each line of the tag file."""
    text = read_text(path, errors="replace")
    return [line.split(maxsplit=1)[0] for line in text.split("\n") if line.strip()]


def _label_files(truth: Path, concept: str, halves: bool) -> list[Path]:
    if not halves:
        return [truth / "AllLabels" / f"Labels_{concept}.txt"]
    folder = truth / "TrainTestLabels"
    return [folder / f"Labels_{concept}_{part}.txt" for part in ("Train", "Test")]


def _read_image_list(path: Path) -> list[str]:
    """Paths with forward slashes; the list has back-slashes and trailing blanks."""
    lines = read_text(path).splitlines()
    names = [line.strip().replace("\\", "/") for line in lines if line.strip()]
    if not names:
        raise InputError(f"{path} names no image: download it again")
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            raise InputError(f"{path}: image {name} must be a path below the folder of images")
    return names


def _read_label(files: list[Path], n: int, notes: list[str]) -> np.ndarray:
    """One concept's column; a value other than 0 and 1 reads as 0 and is noted."""
    parts = []
    for file in files:
        try:
            text = io.StringIO(read_text(file))
            values = pd.read_csv(text, header=None, dtype=np.int64)[0].to_numpy()
        except InputError:
            raise
        except Exception as error:
            # Of what is no number pandas raises ValueError, OverflowError, ParserError ...
            raise InputError(f"{file} must hold one 0 or 1 per line ({one_line(error)})") from None
        odd = (values != 0) & (values != 1)
        if odd.any():
            line = int(odd.argmax())
            notes.append(
                f"{file.name}: values other than 0 and 1, which read as 0: {odd.sum()}, the first "
                f"is {values[line]} in line {line + 1:,}"
            )
        parts.append(values == 1)
    column = np.concatenate(parts)
    if len(column) != n:
        shown = " and ".join(file.name for file in files)
        raise InputError(
            f"{files[0].parent}: {shown} has {_lines(len(column))}, but the image list {n}"
        )
    return column


def _reordered(
    labels: np.ndarray, order: list[str], names: list[str], image_list: Path
) -> np.ndarray:
    """Rows of the train and test lists, put in the order of the image list."""
    row = {name: k for k, name in enumerate(order)}
    missing = [name for name in names if name not in row]
    if missing:
        raise InputError(
            f"{image_list}: images that are in neither TrainImagelist.txt nor "
            f"TestImagelist.txt: {len(missing)}, the first is {missing[0]}"
        )
    return labels[[row[name] for name in names]]


def _read_tags(path: Path, names: list[str], notes: list[str]) -> list[tuple[str, ...]]:
    """Tags of each line; a line starts with the photo's number."""
    word_list = path.with_name("Final_Tag_List.txt")
    limited = word_list.exists()
    # One string for every word, however often it is read.
    known: dict[str, str] = {}
    if limited:
        known = {word: word for word in read_text(word_list, errors="replace").split()}
    else:
        notes.append("Final_Tag_List.txt is missing, so all tags are kept in place of its 5,018")
    photos, tags = [], []
    with io.StringIO(read_text(path, errors="replace"), newline="\n") as lines:
        for line in lines:
            photo, *words = line.split() or [None]
            if photo is not None:
                photos.append(photo)
                own = dict.fromkeys(filter(known.__contains__, words) if limited else words)
                tags.append(tuple([known.setdefault(word, word) for word in own]))
    if len(photos) != len(names):
        raise InputError(
            f"{path} has {_lines(len(photos))}, but the image list {len(names)}; one is truncated"
        )
    strangers = sum(photo != photo_id(name) for photo, name in zip(photos, names, strict=True))
    if strangers:
        notes.append(f"{path.name}: lines with the number of another photo: {strangers:,}")
    return tags


def _lines(n: int) -> str:
    return "1 line" if n == 1 else f"{n} lines"


def _without_duplicates(names: list[str], labels: np.ndarray, notes: list[str]) -> np.ndarray:
    """Rows to keep, (n,) of bool: of one photo's rows the first if the labels agree, else none."""
    photos = [photo_id(name) for name in names]
    repeated = {photo for photo, count in Counter(photos).items() if count > 1}
    rows: dict[str, list[int]] = {}
    for row, photo in enumerate(photos):
        if photo in repeated:
            rows.setdefault(photo, []).append(row)
    keep = np.ones(len(names), dtype=bool)
    agreeing = conflicting = 0
    for same in rows.values():
        agree = bool((labels[same] == labels[same[0]]).all())
        keep[same[1:] if agree else same] = False
        agreeing += agree
        conflicting += not agree
    if agreeing or conflicting:
        notes.append(
            f"photos listed more than once: {agreeing} whose labels agree (the first was kept), "
            f"{conflicting} whose labels differ (all were left out)"
        )
    return keep
