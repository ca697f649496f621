"""Which items are similar: those that share at least one label (or tag)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array


def similar(labels: np.ndarray | csr_array, others: np.ndarray | csr_array) -> csr_array:
    """1 where an item of the first set shares a label with one of the second, sparse (n, n').

    Parameters
    ----------
    labels, others : (n, c) and (n', c) arrays, dense or sparse
        Multi-hot labels, or image-tag matrices.
    """
    shared = csr_array(_multi_hot(labels) @ _multi_hot(others).T)
    shared.data = np.ones_like(shared.data)
    return shared


class PairwiseLabels(NamedTuple):
    """The matrix S0 with +1 for similar pairs of items and -1 for the others.

    Items with the same set of labels have the same rows, so that products need only one row for
    every distinct set.  The diagonal is +1 where items have a label.

    Attributes
    ----------
    group : (n,) array of int
        For every item the index of its label set.
    similar : (g, g) sparse array of float64
        1 where two label sets have a label in common.
    """

    group: np.ndarray
    similar: csr_array

    def times(self, V: np.ndarray) -> np.ndarray:
        """``S0 V`` for a vector (n,) or a matrix (n, k), without forming S0."""
        sums = self.sums(V)
        return (2 * (self.similar @ sums) - sums.sum(axis=0))[self.group]

    def quadratic(self, V: np.ndarray) -> np.ndarray:
        """``V'S0 V``: a number for a vector, shape (k, k) for a matrix."""
        sums = self.sums(V)
        total = sums.sum(axis=0)
        return 2 * sums.T @ (self.similar @ sums) - np.multiply.outer(total, total)

    def sums(self, V: np.ndarray) -> np.ndarray:
        """Sum of V over the items of each label set, shape (g,) or (g, k)."""
        n_groups = self.similar.shape[0]
        if V.ndim == 1:
            return np.bincount(self.group, V, n_groups)
        n = len(self.group)
        members = csr_array((np.ones(n), (self.group, np.arange(n))), shape=(n_groups, n))
        return members @ V


def pairwise_labels(labels: np.ndarray | csr_array) -> PairwiseLabels:
    """The pairwise label matrix of some items.

    Parameters
    ----------
    labels : (n, c) array, dense or sparse
        Multi-hot labels, or an image-tag matrix.
    """
    hot = _multi_hot(labels)
    sets = [tuple(row) for row in np.split(hot.indices, hot.indptr[1:-1])]
    number: dict[tuple, int] = {}
    group = np.array([number.setdefault(one, len(number)) for one in sets])
    first = np.unique(group, return_index=True)[1]
    return PairwiseLabels(group, similar(hot[first], hot[first]))


def _multi_hot(labels: np.ndarray | csr_array) -> csr_array:
    """Sparse, with entries 1 and sorted columns, whatever was stored."""
    hot = csr_array(labels).astype(np.float64)
    hot.sum_duplicates()
    hot.eliminate_zeros()
    hot.data = np.ones_like(hot.data)
    return hot
