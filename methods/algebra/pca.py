"""Principal axes of the training features, shared by PCAH, ITQ, SH and others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from sklearn.utils import gen_batches

from methods.sharing import shared

#: Axes are computed in steps of this many, so that all usual code lengths share one result.
AXES_STEP = 512

#: Rows handled at once, so that float32 features of any length never become one float64 copy.
ROWS_AT_ONCE = 8192


class PrincipalAxes(NamedTuple):
    """Mean, axes and variances of a training set.

    Attributes
    ----------
    mean : (d,) array
    axes : (d, k) array
        Orthonormal columns, by decreasing variance; in each the entry of largest magnitude is
        positive.  Zero where the training data do not vary: scores there would be rounding
        errors, and so would be their signs.
    variances : (k,) array
        Eigenvalues of the covariance matrix, normalised by n - 1.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Coordinates of items on the axes, shape (n, k), float64."""
        scores = np.empty((len(X), self.axes.shape[1]))
        for rows in gen_batches(len(X), ROWS_AT_ONCE):
            scores[rows] = (X[rows] - self.mean) @ self.axes
        return scores


def principal_axes(X: np.ndarray, n_components: int) -> PrincipalAxes:
    """The first principal axes of X.

    Parameters
    ----------
    X : (n, d) array of float
    n_components : int
        At most min(d, n - 1).

    Returns
    -------
    PrincipalAxes
        With ``n_components`` axes; a shorter request gives a prefix of a longer one.
    """
    computed = min(X.shape[1], -(-n_components // AXES_STEP) * AXES_STEP)
    full = _leading_axes(X, n_components=computed)
    return PrincipalAxes(full.mean, full.axes[:, :n_components], full.variances[:n_components])


def skip_pca(n_bits: int, n_train: int, n_features: int) -> str | None:
    """Why a method that takes one principal axis per bit cannot run, or None."""
    limit = min(n_features, n_train - 1)
    return f"needs bits <= min(d, n - 1) = {limit}" if n_bits > limit else None


def fix_signs(vectors: np.ndarray) -> np.ndarray:
    """Flip columns so that the entry of largest magnitude in each is positive."""
    largest = np.abs(vectors).argmax(axis=0)
    return vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])


@shared
def _leading_axes(X: np.ndarray, *, n_components: int) -> PrincipalAxes:
    n, d = X.shape
    mean = X.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((d, d))
    for rows in gen_batches(n, ROWS_AT_ONCE):
        block = X[rows] - mean
        covariance += block.T @ block
    covariance /= n - 1
    variances, axes = eigh(covariance, subset_by_index=(d - n_components, d - 1))
    order = np.argsort(-variances, kind="stable")
    variances, axes = np.maximum(variances[order], 0), fix_signs(axes[:, order])
    varies = variances > d * np.finfo(float).eps * variances[0]
    return PrincipalAxes(mean, axes * varies, variances)
