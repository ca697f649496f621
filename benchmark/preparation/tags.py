"""The tags of a run: which are kept, and where their word vectors come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.digests import checksum, code_digest, value_digest
from benchmark.errors import InputError
from benchmark.files import is_file
from benchmark.log import printable
from features.writing import sealed, unsealed

if TYPE_CHECKING:
    from features.tags import TagMatrix

#: Origin of the word vectors if the user names no file.
OWN_VECTORS = "skip-gram on the training tags"

#: Files of at least this size are announced, since reading them takes a while.
MIN_ANNOUNCED_BYTES = 100_000_000


@dataclass(frozen=True)
class TagRequest:
    """The options of the command on tags.

    Attributes
    ----------
    word_vectors : Path or None
        File of word vectors; None for vectors trained on the training tags.
    min_count : int
        Training images that a tag must occur in to be kept.
    """

    word_vectors: Path | None = None
    min_count: int = 1


@dataclass(frozen=True)
class TagSource:
    """How the tags of training items become an image-tag matrix.

    Attributes
    ----------
    min_count : int
        Training images that a tag must occur in to be kept.
    words : tuple of V str
        The tags, in alphabetical order.
    vectors : (V, e) array of float32, or None
        Their word vectors, zero for a tag without one; None if methods train their own.
    origin : dict or str
        Name and checksum of the file of word vectors, or :data:`OWN_VECTORS`.
    """

    min_count: int
    words: tuple[str, ...]
    vectors: np.ndarray | None
    origin: dict[str, str] | str

    @property
    def identity(self) -> dict[str, Any]:
        """What identifies the tags in the key of a cell."""
        return {"min_count": self.min_count, "word_vectors": self.origin}

    def matrix(self, tags: Sequence[tuple[str, ...]]) -> TagMatrix:
        """The image-tag matrix of training items, or of some of them."""
        from features.tags import tag_matrix

        matrix = tag_matrix(tags, min_count=self.min_count)
        if self.vectors is not None:
            row = {word: i for i, word in enumerate(self.words)}
            matrix.vectors = self.vectors[[row[word] for word in matrix.words]]
        return matrix


def open_tags(
    dataset: Dataset, request: TagRequest, cache: Path, log: Callable[[str], None]
) -> TagSource:
    """Look up the word vectors of the training tags, and keep them in `cache` for the next run.

    Raises
    ------
    InputError
        If the file of word vectors is missing, damaged, of another kind or without any of the
        tags, or if no tag is frequent enough.
    """
    from features.tags import frequent_tags

    tags = [dataset.tags[i] for i in dataset.split.train]
    words = tuple(frequent_tags(tags, request.min_count))
    if any(tags) and not words:
        raise InputError(
            f"--min-tag-count {request.min_count}: no tag of data set {dataset.name} occurs in at "
            f"least {request.min_count} training images; lower it"
        )
    if request.word_vectors is None:
        return TagSource(request.min_count, words, None, OWN_VECTORS)
    path = Path(request.word_vectors)
    option = f"--word-vectors {path}"
    if not words:
        raise InputError(f"{option}: data set {dataset.name} has no tags; omit the option")
    if not is_file(path):
        raise InputError(f"{option}: there is no such file")
    origin = {"file": printable(path.name), "checksum": checksum(path)[:32]}
    vectors = _looked_up(path, origin["checksum"], words, cache / "word-vectors", log)
    if not vectors.any():
        raise InputError(
            f"{option}: the file has none of the {len(words):,} training tags of data set "
            f"{dataset.name} ({', '.join(words[:5])} ...); give a file in the language of the tags"
        )
    return TagSource(request.min_count, words, vectors, origin)


def describe_tags(identity: Mapping[str, Any]) -> str:
    """The word vectors and the kept tags in words, for footnotes."""
    origin, min_count = identity["word_vectors"], identity["min_count"]
    text = f"word vectors from {origin['file']}" if isinstance(origin, Mapping) else origin
    return f"{text}; tags in at least {min_count} training images" if min_count > 1 else text


def _looked_up(
    path: Path, content: str, words: tuple[str, ...], folder: Path, log: Callable[[str], None]
) -> np.ndarray:
    from features.tags import load_word_vectors

    key = value_digest([content, words, code_digest("features.word_vectors"), "sealed"])
    stored = folder / f"{key}.npy"
    known = unsealed(stored, log)
    if known is not None:
        return np.load(known, allow_pickle=False)
    if path.stat().st_size >= MIN_ANNOUNCED_BYTES:
        log(f"reading word vectors from {path.name}")
    vectors = load_word_vectors(path, words)
    if not vectors.any():
        return vectors
    with sealed(stored) as temporary:
        np.save(temporary, vectors)
    return vectors
