"""Distances and centred products of features, in blocks so that X is never copied as a whole.

Products of float32 features are made in float32, a block of rows at a time, and blocks are added in
float64: half the time of float64 products, and an error that does not grow with n.  Blocks, tiles
and the order in which they are added are fixed, so that a result is the same for any number of
threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils import gen_batches

from methods.algebra.threads import in_parallel
from methods.sharing import shared

#: Rows that sums over training items take at once: bounds float64 copies (4096-d: 128 MB).
ROWS_AT_ONCE = 4096

#: Rows and columns of a product that one thread computes at once.
TILE = 1024

#: Rows that one thread centres at once, in float64.
CENTRED_AT_ONCE = 256


class Moments(NamedTuple):
    """Mean and scatter of a training set.

    Attributes
    ----------
    mean : (d,) array of float64
    scatter : (d, d) array of float64
        ``Xc'Xc`` with the centred features Xc.
    """

    mean: np.ndarray
    scatter: np.ndarray


class Centred(NamedTuple):
    """Training features X, shape (n, d), less their mean (d,), called Xc below."""

    X: np.ndarray
    mean: np.ndarray

    def times(self, W: np.ndarray) -> np.ndarray:
        """``Xc W``, shape (n, k) of float64, for W of shape (d, k)."""
        product = np.empty((len(self.X), W.shape[1]))

        def multiply(rows: slice) -> None:
            product[rows] = (self.X[rows] - self.mean) @ W

        in_parallel(multiply, gen_batches(len(self.X), TILE))
        return product

    def transposed_times(self, B: np.ndarray | csr_array) -> np.ndarray:
        """``Xc'B``, shape (d, k), for B of shape (n, k), dense or sparse."""
        product = np.zeros((self.X.shape[1], B.shape[1]))
        for rows in row_blocks(len(self.X)):
            product += (B[rows].T @ (self.X[rows] - self.mean)).T
        return product

    def scatter(self) -> np.ndarray:
        """``Xc'Xc``, shape (d, d) of float64."""
        d = self.X.shape[1]
        scatter, columns = np.zeros((d, d)), list(gen_batches(d, TILE))
        upper = [(i, j) for i in columns for j in columns if i.start <= j.start]
        for rows in row_blocks(len(self.X)):
            block = self._block(rows)

            def add(tile: tuple[slice, slice], block: np.ndarray = block) -> None:
                scatter[tile] += block[:, tile[0]].T @ block[:, tile[1]]

            in_parallel(add, upper)
        for i, j in upper:
            scatter[j, i] = scatter[i, j].T
        return scatter

    def _block(self, rows: slice) -> np.ndarray:
        """Some rows of Xc in the precision of X, from differences in float64."""
        X = self.X[rows]
        block = np.empty(X.shape, dtype=X.dtype)

        def centre(some: slice) -> None:
            block[some] = X[some] - self.mean

        in_parallel(centre, gen_batches(len(X), CENTRED_AT_ONCE))
        return block


@shared
def moments(X: np.ndarray) -> Moments:
    """Mean and scatter of a training set, which principal axes and others start from.

    Parameters
    ----------
    X : (n, d) array of float
    """
    Xc = centred(X)
    return Moments(Xc.mean, Xc.scatter())


def centred(X: np.ndarray) -> Centred:
    """The features with their mean, in float64."""
    return Centred(X, mean_of(X))


def mean_of(X: np.ndarray) -> np.ndarray:
    """The mean of the rows of X, added in float64, shape (d,)."""
    sums = in_parallel(lambda rows: X[rows].sum(axis=0, dtype=np.float64), row_blocks(len(X)))
    return np.sum(sums, axis=0) / len(X)


def squared_distances(X: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances in float64, shape (n, m), never negative."""
    # About the anchors' mean, where the terms of the binomial formula cancel least.
    origin = anchors.mean(axis=0, dtype=np.float64)
    X, anchors = X - origin, anchors - origin
    distances = -2 * (X @ anchors.T)
    distances += np.einsum("ij,ij->i", X, X)[:, None]
    distances += np.einsum("ij,ij->i", anchors, anchors)
    return np.maximum(distances, 0, out=distances)


def row_blocks(n: int) -> list[slice]:
    """Slices of n rows, short enough that a float64 copy of one is small."""
    return [slice(start, start + ROWS_AT_ONCE) for start in range(0, n, ROWS_AT_ONCE)]
