"""Products with centred training features, in blocks so that no float64 copy is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from methods.anchors import row_blocks


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
