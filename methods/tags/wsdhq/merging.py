"""Tags made ready for WSDHQ: vectors enhanced by their neighbours, near-duplicates merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.cluster import DBSCAN

#: The most frequent tags that are kept: margins of all pairs then take 16 MB at most.
MOST_TAGS = 2000


@dataclass(frozen=True)
class MergedTags:
    """T columns, each of which stands for one tag or for several that mean nearly the same.

    Attributes
    ----------
    carried : (n, T) sparse array of bool
        Which image carries at least one tag of a column.
    vectors : (T, e) array of float64
        Mean of the enhanced vectors of a column's tags, each of unit length; none is zero.
    columns : (V,) array of int
        Column of each original tag, -1 for one that was left out.
    """

    carried: sparse.csr_array
    vectors: np.ndarray
    columns: np.ndarray


def merged_tags(
    tags: sparse.sparray,
    vectors: np.ndarray,
    *,
    k: int = 5,
    tau: float = 0.5,
    eps: float = 0.05,
    most: int = MOST_TAGS,
) -> MergedTags:
    """Enhance the vectors of tags, then merge tags whose vectors nearly coincide.

    Enhanced vectors are scaled to unit length, so that no member of a column outweighs another.
    DBSCAN makes clusters of enhanced vectors, with a cosine distance of eps as radius; two tags
    are enough for a cluster, and a tag that is in none stays alone.  Tags without a vector, tags
    that no image carries, and all but the most frequent ones are left out.

    Parameters
    ----------
    tags : (n, V) sparse matrix
        Image-tag matrix of the training images.
    vectors : (V, e) array of float
        All zero for a tag without a vector.
    k, tau : int, float
        See :func:`enhanced`.
    eps : float
        0 merges nothing.
    most : int
        Tags kept at most.
    """
    carried = sparse.csr_array(tags != 0).astype(np.int64)
    kept = _kept(carried.sum(axis=0) * np.any(vectors, axis=1), most)
    better = unit_rows(enhanced(np.asarray(vectors, dtype=np.float64)[kept], k, tau))
    clusters = _clusters(better, eps)
    shape = (len(kept), clusters.max(initial=-1) + 1)
    members = sparse.csr_array((np.ones(len(kept)), (np.arange(len(kept)), clusters)), shape=shape)
    columns = np.full(tags.shape[1], -1)
    columns[kept] = clusters
    return MergedTags(
        carried=sparse.csr_array(carried[:, kept] @ members > 0),
        vectors=(members.T @ better) / members.sum(axis=0)[:, None],
        columns=columns,
    )


def enhanced(vectors: np.ndarray, k: int, tau: float) -> np.ndarray:
    """Each tag's vector as the mean of itself and its neighbours in the correlation graph.

    Neighbours are those of the k nearest other tags by cosine whose cosine is at least tau.

    Parameters
    ----------
    vectors : (V, e) array of float
        None of them zero.
    """
    V = len(vectors)
    unit = unit_rows(vectors)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(k, V - 1)]
    tag, place = np.nonzero(np.take_along_axis(cosines, nearest, axis=1) >= tau)
    ones = np.ones(len(tag))
    graph = sparse.csr_array((ones, (tag, nearest[tag, place])), shape=(V, V))
    return (vectors + graph @ vectors) / (1 + graph.sum(axis=1))[:, None]


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to unit length; zero rows stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _kept(counts: np.ndarray, most: int) -> np.ndarray:
    """Numbers of the most frequent tags, in their own order."""
    frequent = np.argsort(-counts, kind="stable")[:most]
    return np.sort(frequent[counts[frequent] > 0])


def _clusters(vectors: np.ndarray, eps: float) -> np.ndarray:
    """Number of the cluster of each vector, (V,); those outside all clusters get one each."""
    if eps <= 0 or not len(vectors):
        return np.arange(len(vectors))
    labels = DBSCAN(eps=eps, min_samples=2, metric="cosine").fit_predict(vectors)
    alone = labels < 0
    labels[alone] = labels.max() + 1 + np.arange(alone.sum())
    return labels
