"""Tags of images: the image-tag matrix, and one vector per image from its tags' vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from features.skip_gram import has_company, skip_gram_vectors
from features.word_vectors import load_word_vectors

__all__ = [
    "TagAccount",
    "TagMatrix",
    "account_tags",
    "aggregate",
    "frequent_tags",
    "load_word_vectors",
    "skip_gram_vectors",
    "tag_matrix",
]


class TagMatrix(sparse.csr_array):
    """An image-tag matrix with the words of its columns and their word vectors.

    It is a sparse array, since methods take any image-tag matrix; those that need words or vectors
    read the attributes.  Selections of rows and columns, copies and pickles keep both; results of
    arithmetic do not.

    Parameters
    ----------
    *arguments, **options
        As for :class:`scipy.sparse.csr_array`.
    words : sequence of V str
        The tags; empty if they are not known.
    vectors : (V, e) array of float32, optional
        Word vectors; all zero for a tag without one.

    Attributes
    ----------
    words : tuple of str
    vectors : (V, e) array of float32, or None
    """

    def __init__(
        self,
        *arguments: Any,
        words: Sequence[str] = (),
        vectors: np.ndarray | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.words = tuple(words)
        self.vectors = vectors

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        if not isinstance(part, TagMatrix) or part.ndim < 2:
            return part
        chosen = key[1] if isinstance(key, tuple) and len(key) > 1 else slice(None)
        columns = np.arange(self.shape[1])[chosen].ravel()
        part.words = tuple(self.words[j] for j in columns) if self.words else ()
        part.vectors = None if self.vectors is None else self.vectors[columns]
        return part

    def copy(self) -> TagMatrix:
        return self._with_knowledge(super().copy())

    def astype(self, *arguments: Any, **options: Any) -> TagMatrix:
        return self._with_knowledge(super().astype(*arguments, **options))

    def _with_knowledge(self, other: TagMatrix) -> TagMatrix:
        other.words, other.vectors = self.words, self.vectors
        return other


def tag_matrix(tags: Sequence[tuple[str, ...]], *, min_count: int = 1) -> TagMatrix:
    """The image-tag matrix over the images' own vocabulary, in alphabetical order.

    Parameters
    ----------
    tags : sequence of n tuples of str
    min_count : int
        Images that a tag must occur in; rarer tags are dropped.

    Returns
    -------
    (n, V) TagMatrix of bool
    """
    words = frequent_tags(tags, min_count)
    column = {tag: j for j, tag in enumerate(words)}
    columns = [sorted(column[tag] for tag in set(item) if tag in column) for item in tags]
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in columns], dtype=int)])
    indices = np.array([j for each in columns for j in each], dtype=int)
    ones = np.ones(len(indices), dtype=bool)
    return TagMatrix((ones, indices, indptr), shape=(len(tags), len(words)), words=words)


def frequent_tags(tags: Sequence[tuple[str, ...]], min_count: int) -> list[str]:
    """The tags that occur in at least so many images, in alphabetical order."""
    counts: Counter[str] = Counter()
    for item in tags:
        counts.update(set(item))
    return sorted(tag for tag, count in counts.items() if count >= min_count)


def aggregate(
    tags: sparse.sparray, vectors: np.ndarray, how: str = "mean", base: str = "assignments"
) -> np.ndarray:
    """One vector per image: the weighted mean of its tags' vectors, ``w = 1/m sum_t g(t) v_t``.

    For a tag t of n(t) images and an image with m tags, the weight g is 1 for ``mean``,
    ``n(t) / N`` for ``tf`` and ``log(N / n(t))`` for ``itf`` (WDHT, CVPR 2019, equation 1).  Tags
    without a vector count neither in m nor in N.

    Parameters
    ----------
    tags : (n, V) sparse matrix
        Image-tag matrix of the training images.
    vectors : (V, e) array
        All zero for a tag without a vector.
    how : {"mean", "tf", "itf"}
    base : {"assignments", "images"}
        N is the number of tag assignments, ``sum_t n(t)``, or the number of images.  Both are at
        least n(t), so that no weight is negative.

    Returns
    -------
    (n, e) array of float64
        All zero for an image without any known tag.
    """
    if how not in ("mean", "tf", "itf"):
        raise ValueError(f"how must be mean, tf or itf, not {how!r}")
    if base not in ("assignments", "images"):
        raise ValueError(f"base must be assignments or images, not {base!r}")
    known = known_tags(tags, vectors)
    carried = sparse.csr_array(tags != 0).astype(np.float64)[:, known]
    counts = carried.sum(axis=0)
    N = max(counts.sum() if base == "assignments" else tags.shape[0], 1)
    occurrences = np.maximum(counts, 1)
    weights = {"mean": np.ones_like(counts), "tf": counts / N, "itf": np.log(N / occurrences)}[how]
    m = np.maximum(carried.sum(axis=1), 1)
    return carried @ (weights[:, None] * vectors[known].astype(np.float64)) / m[:, None]


def known_tags(tags: sparse.sparray, vectors: np.ndarray | None) -> np.ndarray:
    """Which tags have a vector, (V,) of bool; without vectors, those that skip-gram would learn."""
    return has_company(tags) if vectors is None else np.any(vectors, axis=1)


@dataclass(frozen=True)
class TagAccount:
    """Numbers of tags and images that tag-supervised training uses and leaves out.

    Attributes
    ----------
    vocabulary, assignments : int
        Distinct tags, and tags of all images together.
    unknown_tags, unknown_assignments : int
        Tags and assignments without a vector.
    images, unknown_images : int
        Images, and those without any tag that has a vector.
    """

    vocabulary: int
    assignments: int
    unknown_tags: int
    unknown_assignments: int
    images: int
    unknown_images: int

    def __str__(self) -> str:
        share = 1 - self.unknown_assignments / max(self.assignments, 1)
        return (
            f"{self.vocabulary - self.unknown_tags:,} of {self.vocabulary:,} tags have a vector "
            f"({100 * share:.1f} % of {self.assignments:,} assignments); images without "
            f"such a tag are left out of tag-supervised training: {self.unknown_images:,} of "
            f"{self.images:,}"
        )


def account_tags(tags: sparse.sparray, vectors: np.ndarray | None) -> TagAccount:
    """Count tags with a vector; without vectors, tags that skip-gram would learn.

    Parameters
    ----------
    tags : (n, V) sparse matrix
    vectors : (V, e) array, optional
        All zero for a tag without a vector.
    """
    known = known_tags(tags, vectors)
    carried = sparse.csr_array(tags != 0).astype(np.int64)
    counts = carried.sum(axis=0)
    return TagAccount(
        vocabulary=int((counts > 0).sum()),
        assignments=int(counts.sum()),
        unknown_tags=int(((counts > 0) & ~known).sum()),
        unknown_assignments=int(counts[~known].sum()),
        images=tags.shape[0],
        unknown_images=int((carried @ known.astype(np.int64) == 0).sum()),
    )
