"""Cross-modal copies: features or images, labels and tags as variables of MATLAB or HDF5 files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.copies.converted import BLOCK_VALUES, converted
from benchmark.datasets.copies.matlab import SUFFIXES, Matrix, opened
from benchmark.datasets.copies.pixels import PixelFile
from benchmark.datasets.splits import SplitRequest, drawn_or_stored
from benchmark.errors import InputError

#: Variables of all items: features or images, labels, tags.
WHOLE = (("XAll", "IAll", "images"), "LAll", "YAll")
#: Variables of the parts of a split, in the order of the items: features or images, labels, tags.
SPLITS = (
    {
        "database": ("I_db", "L_db", "T_db"),
        "train": ("I_tr", "L_tr", "T_tr"),
        "query": ("I_te", "L_te", "T_te"),
    },
    {
        "database": ("data_set", "dataset_L", ""),
        "train": ("train_data", "train_L", ""),
        "query": ("test_data", "test_L", ""),
    },
)
#: Files with the words of the columns of tags.
WORD_LISTS = ("common_tags.txt", "TagList1k.txt")


@dataclass
class _Found:
    """Variables that belong together; part k of a split is entry k of each list."""

    features: dict[str, list[Matrix]] = field(default_factory=dict)
    labels: list[Matrix] = field(default_factory=list)
    tags: list[Matrix] = field(default_factory=list)
    is_split: bool = False


def matrix_files(folder: Path) -> list[Path]:
    """The files of a folder that may hold such variables."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def read_crossmodal(
    files: Sequence[Path], name: str, cache: Path, request: SplitRequest
) -> Dataset:
    """Read what such files of one folder hold together.

    Parameters
    ----------
    files : sequence of Path
    name : str
        Name of the data set.
    cache : Path
        Folder of splits and converted features.
    request : SplitRequest
        What to draw where the files hold no split, and the number of labels where files with
        several numbers of labels are there.

    Returns
    -------
    Dataset
        Items in the order of the files; of files with a split: database, training, queries.

    Raises
    ------
    InputError
        If variables are missing, or do not fit together.
    """
    place = files[0].parent if len(files) > 1 else files[0]
    with ExitStack() as stack:
        variables = [stack.enter_context(opened(path)) for path in files]
        found = _find(place, variables, request.labels)
        labels, tags, notes = _labels_and_tags(found)
        n = len(labels)
        features, images = _values(found, files, n, cache)
    fingerprint = _fingerprint(files, labels, tags)
    if found.is_split:
        split = _given_split([len(matrix) for matrix in found.labels])
        notes.append(
            "the split is that of the file; its training items are apart from its database"
        )
    else:
        split, more = drawn_or_stored(np.arange(n), request, cache, name, fingerprint)
        notes += more
    return Dataset(
        name=name,
        labels=labels,
        label_names=[f"label{k + 1}" for k in range(labels.shape[1])],
        tags=tags,
        split=split,
        fingerprint=fingerprint,
        images=images,
        features=features,
        default_features="alexnet-fc7" if images else min(features),
        notes=notes,
    )


def _find(place: Path, variables: Sequence[dict[str, Matrix]], n_labels: int | None) -> _Found:
    """The variables of one of the known forms."""
    by_name: dict[str, list[Matrix]] = {}
    for content in variables:
        for name, matrix in content.items():
            by_name.setdefault(name, []).append(matrix)
    for parts in SPLITS:
        if all(parts[part][1] in by_name for part in parts):
            return _parts(place, parts, by_name)
    found = _Found()
    labels = by_name.get(WHOLE[1], [])
    if not labels:
        wanted = "LAll, or L_tr, L_te and L_db, or dataset_L, train_L and test_L"
        names = ", ".join(sorted(by_name)) or "none"
        raise InputError(f"{place}: there is no variable of labels ({wanted}); there are {names}")
    found.labels = [_chosen(labels, n_labels)]
    n = len(found.labels[0])
    images = [matrix for name in WHOLE[0] for matrix in by_name.get(name, ())]
    fitting = [matrix for matrix in images if matrix.has_items(n)]
    if not fitting:
        shapes = ", ".join(f"{m.path.name} {m.shape}" for m in images) or "none"
        raise InputError(
            f"{place}: no variable {' or '.join(WHOLE[0])} with {n} items beside the labels of "
            f"{found.labels[0].path.name}; there are {shapes}"
        )
    found.features = {matrix.path.stem: [matrix.of_items(n)] for matrix in fitting}
    tags = [m for m in by_name.get(WHOLE[2], ()) if m.has_items(n)]
    found.tags = [tags[0].of_items(n)] if tags else []
    return found


def _chosen(labels: list[Matrix], n_labels: int | None) -> Matrix:
    """The labels with so many columns, or the only ones."""
    fitting = [m for m in labels if n_labels in (None, m.shape[1])]
    if len(fitting) == 1:
        return fitting[0]
    known = " and ".join(f"{m.path.name} with {m.shape[1]} labels" for m in labels)
    if fitting:
        raise InputError(
            f"{labels[0].path.parent} can be read in {len(fitting)} ways: {known}; choose one with "
            f"[labels={fitting[0].shape[1]}]"
        )
    raise InputError(f"{labels[0].path.parent}: there are no {n_labels} labels, but {known}")


def _parts(place: Path, parts: dict, by_name: dict[str, list[Matrix]]) -> _Found:
    found = _Found(is_split=True)
    for part, (images, labels, tags) in parts.items():
        for name in (images, labels):
            if len(by_name.get(name, ())) != 1:
                files = ", ".join(m.path.name for m in by_name.get(name, ()))
                wrong = f"is in several files ({files})" if files else "is missing"
                raise InputError(f"{place}: the variable {name} of the {part} items {wrong}")
        label, image = by_name[labels][0], by_name[images][0]
        n = max(label.shape) if min(label.shape) == 1 else len(label)
        found.labels.append(label.of_items(n))
        found.features.setdefault(image.path.stem, []).append(image.of_items(n))
        if tags in by_name:
            found.tags.append(by_name[tags][0].of_items(n))
    if len(found.features) > 1:
        raise InputError(f"{place}: the images of one split are in several files")
    return found


def _labels_and_tags(found: _Found) -> tuple[np.ndarray, list[tuple[str, ...]], list[str]]:
    labels = _multi_hot([matrix.whole() for matrix in found.labels])
    used = [*found.labels, *found.tags]
    for matrices in found.features.values():
        used += matrices
    files = ", ".join(dict.fromkeys(matrix.path.name for matrix in used))
    notes = [f"read as matrices: {files}"]
    n = len(labels)
    if len(found.tags) != len(found.labels):
        return labels, [()] * n, notes
    width = found.tags[0].shape[1]
    words = _words(found.tags[0].path.parent, width, notes)
    tags: list[tuple[str, ...]] = []
    for matrix in found.tags:
        step = max(1, BLOCK_VALUES // width)
        for start in range(0, len(matrix), step):
            block = matrix.rows(start, min(start + step, len(matrix)))
            if not ((block >= 0) & (block == np.round(block))).all():
                notes.append(f"{matrix.name} holds no counts of tags, so the items have no tags")
                return labels, [()] * n, notes
            tags += [tuple(words[k] for k in np.flatnonzero(row)) for row in block]
    return labels, tags, notes


def _multi_hot(parts: list[np.ndarray]) -> np.ndarray:
    """Labels of all parts, (n, c) of bool; a single column holds class numbers."""
    whole = np.concatenate([part.reshape(len(part), -1) for part in parts])
    if whole.shape[1] > 1:
        return whole > 0
    return whole == np.unique(whole)


def _words(folder: Path, width: int, notes: list[str]) -> list[str]:
    """The words of the columns of tags; made-up ones where no list has that many."""
    for name in WORD_LISTS:
        file = folder / name
        if file.is_file():
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            words = [line.split()[0] for line in lines if line.strip()]
            if len(words) == width:
                notes.append(f"the {width:,} columns of tags are the words of {name}")
                return words
            notes.append(f"{name} has {len(words):,} words, but there are {width:,} columns")
    notes.append(
        f"the words of the {width:,} columns of tags are not known, so word vectors cannot be "
        f"looked up; put {' or '.join(WORD_LISTS)} beside the file"
    )
    return [f"tag{k + 1}" for k in range(width)]


def _values(
    found: _Found, files: Sequence[Path], n: int, cache: Path
) -> tuple[dict[str, Path], PixelFile | None]:
    """Features by name, and the images if there are some in place of features."""
    features: dict[str, Path] = {}
    images = None
    for name, parts in found.features.items():
        shape = (n, *parts[0].shape[1:])
        sources = [path for path in files if path.stem == name]
        is_image = len(shape) == 4
        dtype = np.uint8 if is_image else np.float32
        path = converted(cache, sources, shape, lambda parts=parts: _blocks(parts), dtype=dtype)
        if is_image:
            images = PixelFile(path)
        else:
            features[name] = path
    return features, images


def _blocks(parts: Sequence[Matrix]) -> Iterator[tuple[slice, np.ndarray]]:
    start = 0
    for matrix in parts:
        step = max(1, BLOCK_VALUES // int(np.prod(matrix.shape[1:])))
        for first in range(0, len(matrix), step):
            values = matrix.rows(first, min(first + step, len(matrix)))
            yield slice(start + first, start + first + len(values)), values
        start += len(matrix)


def _given_split(sizes: Sequence[int]) -> Split:
    """Database, training items and queries in this order."""
    ends = np.cumsum(sizes)
    database, train, query = np.split(np.arange(ends[-1]), ends[:-1])
    return Split(train=train, database=database, query=query)


def _fingerprint(files: Sequence[Path], labels: np.ndarray, tags: Sequence[tuple[str, ...]]) -> str:
    digest = hashlib.sha256(np.packbits(labels, axis=1))
    for path in files:
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    for given in tags:
        digest.update(f"{' '.join(given)}\n".encode())
    return digest.hexdigest()
