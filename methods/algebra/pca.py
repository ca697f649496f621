"""Principal axes of the training features, shared by PCAH, ITQ, SH and others."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackError, eigsh

from methods.algebra.blocks import Centred, moments
from methods.sharing import shared

#: Axes are computed in steps of this many, so that all usual code lengths share one result.
AXES_STEP = 64

#: Lanczos iterations find the axes where they are at most this share of all; elsewhere, and in
#: few dimensions, a decomposition of the whole matrix is as fast.  Of 4096 axes the first 64 take
#: 2.1 s in place of 12.3, and differ by 3e-14.
FEW_AXES, MANY_DIMENSIONS = 1 / 16, 1000

#: Variances below this share of the largest are rounding errors of the scatter of float32
#: features; of float64 features, that are d times finer, see :func:`_rounding`.
SINGLE_ERROR = 1e-6


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
        return Centred(X, self.mean).times(self.axes)


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
    mean, scatter = moments(X)
    scatter /= len(X) - 1
    variances, axes = largest_eigenvectors(scatter, n_components)
    variances, axes = np.maximum(variances, 0), fix_signs(axes)
    varies = variances > _rounding(X) * variances[0]
    return PrincipalAxes(mean, axes * varies, variances)


def largest_eigenvectors(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest eigenvalues of a symmetric matrix, descending, and their unit eigenvectors.

    Parameters
    ----------
    matrix : (d, d) array of float64
    count : int

    Returns
    -------
    (count,) array, (d, count) array
    """
    d = len(matrix)
    values = None
    if d >= MANY_DIMENSIONS and count <= FEW_AXES * d:
        start = np.random.default_rng(0).standard_normal(d)
        # A matrix of a rank below count has no more Krylov space.
        with suppress(ArpackError):
            values, vectors = eigsh(matrix, count, ncv=5 * count // 2, v0=start)
    if values is None:
        values, vectors = eigh(matrix, subset_by_index=(d - count, d - 1))
    order = np.argsort(-values, kind="stable")
    return values[order], vectors[:, order]


def _rounding(X: np.ndarray) -> float:
    """Share of the largest variance that a direction without any may seem to have."""
    if X.dtype == np.float32:
        return SINGLE_ERROR
    return X.shape[1] * np.finfo(np.float64).eps
