"""Tags of training images as WSDHQ's released data have them: merged, with their embeddings.

``train_tag.txt`` has a row for each training image, over the columns of ``common_tags.txt`` or
``TagList1k.txt``.  ``tags/TagIdMergeMap.pkl`` says which columns were merged into which new tag
(-1: dropped), and ``tags/FinalTagEmbs.txt`` has a row of numbers for each new tag.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets.copies.pickles import read_pickle
from benchmark.datasets.copies.words import column_words
from benchmark.datasets.lists.content import ListFile, read_labels
from benchmark.digests import value_digest
from benchmark.errors import InputError
from benchmark.files import write_file

MERGED, EMBEDDED = Path("tags/TagIdMergeMap.pkl"), Path("tags/FinalTagEmbs.txt")
#: Key of the columns that were dropped.
DROPPED = -1


def read_embedded_tags(
    file: ListFile, cache: Path, notes: list[str]
) -> tuple[list[tuple[str, ...]], Path | None]:
    """Tags of the training images, and a file with the vectors of their words.

    Parameters
    ----------
    file : ListFile
        ``train_tag.txt``.
    cache : Path
        Where the vectors are written, in the text form of word2vec.
    notes : list of str

    Returns
    -------
    tags : list of tuples of str
        A merged tag has the word of its first column.
    vectors : Path or None
        None where there are no embeddings.

    Raises
    ------
    InputError
        If the files do not fit together.
    """
    folder = file.path.parent
    columns = read_labels(file)
    words = column_words(folder, columns.shape[1], notes)
    if (folder / MERGED).is_file():
        groups = _groups(folder / MERGED, columns.shape[1])
        columns = np.column_stack([columns[:, group].any(axis=1) for group in groups])
        words = [words[group[0]] for group in groups]
        notes.append(f"tags merged by {MERGED.name}: {len(words):,} remain")
    tags = [tuple(words[k] for k in np.flatnonzero(row)) for row in columns]
    if not (folder / EMBEDDED).is_file():
        return tags, None
    notes.append(f"word vectors of the tags: {EMBEDDED.name}, unless --word-vectors names others")
    return tags, _as_word2vec(folder / EMBEDDED, words, cache)


def _groups(path: Path, width: int) -> list[list[int]]:
    """Columns of each new tag, in the order of the new tags."""
    content = read_pickle(path)
    if not isinstance(content, dict) or not all(isinstance(key, int) for key in content):
        raise InputError(f"{path} must hold a dictionary from new tags to lists of columns")
    groups = [content[key] for key in sorted(content) if key != DROPPED]
    for group in groups:
        sound = isinstance(group, list) and group and all(isinstance(k, int) for k in group)
        if not sound or not 0 <= min(group) <= max(group) < width:
            raise InputError(f"{path}: {group} are not columns of the {width} tags")
    return groups


def _as_word2vec(path: Path, words: list[str], cache: Path) -> Path:
    try:
        vectors = np.loadtxt(path, dtype=np.float32, ndmin=2)
    except ValueError as error:
        raise InputError(f"{path} is no matrix of numbers: {error}") from None
    if len(vectors) != len(words):
        raise InputError(f"{path} has {len(vectors)} rows, but there are {len(words)} tags")
    pairs = zip(words, vectors.tolist(), strict=True)
    rows = [f"{word} {' '.join(map(repr, row))}" for word, row in pairs]
    text = f"{len(words)} {vectors.shape[1]}\n" + "\n".join(rows) + "\n"
    target = cache / f"{path.stem}-{value_digest(text)}.txt"
    if not target.exists():
        write_file(target, text)
    return target
