"""Distances and centred products of features, in blocks so that no float64 copy is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from methods.base import ROWS_AT_ONCE


class Centred(NamedTuple):
    """Training features X, shape (n, d), less their mean (d,), called Xc below."""

    X: np.ndarray
    mean: np.ndarray

    def times(self, W: np.ndarray) -> np.ndarray:
        """``Xc W``, shape (n, k), for W of shape (d, k)."""
        return np.vstack([(self.X[rows] - self.mean) @ W for rows in row_blocks(len(self.X))])

    def transposed_times(self, B: np.ndarray | csr_array) -> np.ndarray:
        """``Xc'B``, shape (d, k), for B of shape (n, k), dense or sparse."""
        product = np.zeros((self.X.shape[1], B.shape[1]))
        for rows in row_blocks(len(self.X)):
            product += (B[rows].T @ (self.X[rows] - self.mean)).T
        return product

    def scatter(self) -> np.ndarray:
        """``Xc'Xc``, shape (d, d)."""
        scatter = np.zeros((self.X.shape[1], self.X.shape[1]))
        for rows in row_blocks(len(self.X)):
            block = self.X[rows] - self.mean
            scatter += block.T @ block
        return scatter


def centred(X: np.ndarray) -> Centred:
    """The features with their mean, in float64."""
    return Centred(X, X.mean(axis=0, dtype=np.float64))


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
