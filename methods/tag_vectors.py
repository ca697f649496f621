"""Tags as vectors: what methods that learn from tags share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from features.tags import aggregate, skip_gram_vectors
from methods.sharing import shared

#: Length of the skip-gram vectors, that of the word vectors that the papers take.
SIZE = 300


class TagVectors(NamedTuple):
    """Vectors of the tags, (V, e) array of float32."""

    vectors: np.ndarray


def word_vectors(tags: sparse.sparray) -> np.ndarray:
    """The word vectors that came with the tags, else skip-gram vectors trained on these tags.

    Parameters
    ----------
    tags : (n, V) sparse matrix
        Image-tag matrix of the training images; a :class:`features.tags.TagMatrix` may carry
        word vectors.

    Returns
    -------
    (V, e) array of float32
        All zero for a tag without a vector.
    """
    vectors = getattr(tags, "vectors", None)
    if vectors is not None:
        return vectors
    return _trained(_coordinates(tags), n_tags=tags.shape[1]).vectors


def image_vectors(
    tags: sparse.sparray, how: str = "mean", base: str = "assignments", form: str = "raw"
) -> np.ndarray:
    """One vector per image, made of the word vectors of its tags.

    Parameters
    ----------
    tags : (n, V) sparse matrix
    how, base : str
        The weights of the tags; see :func:`features.tags.aggregate`.
    form : {"raw", "unit", "centred"}
        ``unit``: scaled to unit length.  ``centred``: less the mean of all images with a known
        tag, then scaled to unit length, so that cosines tell images apart even where all vectors
        share a large part.

    Returns
    -------
    (n, e) array of float64
        All zero for an image without any known tag.
    """
    W = aggregate(tags, word_vectors(tags), how, base)
    if form == "centred":
        known = has_vector(W)
        W[known] -= W[known].mean(axis=0)
    if form != "raw":
        norms = np.linalg.norm(W, axis=1, keepdims=True)
        W /= np.where(norms > 0, norms, 1)
    return W


def has_vector(W: np.ndarray) -> np.ndarray:
    """Which images have a vector that is not zero, (n,) of bool; the others cannot be learnt from.

    Parameters
    ----------
    W : (n, e) array
        From :func:`image_vectors`.
    """
    return np.any(W, axis=1)


@shared
def _trained(coordinates: np.ndarray, *, n_tags: int) -> TagVectors:
    """Skip-gram vectors of an image-tag matrix that is given by its non-zeros, in order."""
    images, columns = coordinates.T
    ones = np.ones(len(columns), dtype=bool)
    n_images = images[-1] + 1 if len(images) else 0
    tags = sparse.csr_array((ones, (images, columns)), shape=(n_images, n_tags))
    return TagVectors(skip_gram_vectors(tags, size=SIZE, seed=0))


def _coordinates(tags: sparse.sparray) -> np.ndarray:
    """Row and column of the non-zeros, in order, (nnz, 2) of int64."""
    tags = sparse.csr_array(tags != 0)
    tags.sort_indices()
    images = np.repeat(np.arange(tags.shape[0]), np.diff(tags.indptr))
    return np.column_stack([images, tags.indices]).astype(np.int64)
