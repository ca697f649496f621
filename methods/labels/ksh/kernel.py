"""Centred Gaussian kernel values of items on random anchors, shared by the forms of KSH."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from methods.algebra.blocks import row_blocks, squared_distances
from methods.sharing import shared


class KernelMap(NamedTuple):
    """What turns an item into a vector of kernel values.

    Attributes
    ----------
    anchors : (m, d) array of float64
    tau : () array of float64
        Width of the kernel: the mean squared distance of the training items to the anchors.
    mean : (m,) array
        Mean of the raw kernel values over the training items.
    """

    anchors: np.ndarray
    tau: np.ndarray
    mean: np.ndarray

    def values(self, X: np.ndarray) -> np.ndarray:
        """``exp(-||x - a||^2 / (2 tau))`` less its training mean, for every item and anchor.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, m) array of float64
        """
        values = np.empty((len(X), len(self.anchors)))
        for rows in row_blocks(len(X)):
            distances = squared_distances(X[rows], self.anchors)
            values[rows] = np.exp(distances / (-2 * self.tau)) - self.mean
        return values


@shared
def kernel_map(X: np.ndarray, *, n_anchors: int, random_state: int | None) -> KernelMap:
    """The kernel map of a training set whose anchors are training items drawn at random.

    Parameters
    ----------
    X : (n, d) array of float
    n_anchors : int
        m, at most n.
    random_state : int, optional
        Seed of the draw.
    """
    rows = np.random.default_rng(random_state).permutation(len(X))[:n_anchors]
    anchors = X[np.sort(rows)].astype(np.float64)
    blocks = row_blocks(len(X))
    total = sum(squared_distances(X[rows], anchors).sum() for rows in blocks)
    # Items that are all equal have no distances to go by.
    tau = np.array(total / (len(X) * n_anchors) or 1.0)
    raw = KernelMap(anchors, tau, np.zeros(n_anchors))
    mean = sum(raw.values(X[rows]).sum(axis=0) for rows in blocks) / len(X)
    return KernelMap(anchors, tau, mean)


def skip_kernel(n_train: int, n_anchors: int) -> str | None:
    """Why so many anchors cannot be drawn, or None."""
    return f"needs n >= n_anchors = {n_anchors}" if n_train < n_anchors else None
