"""Isotropic hashing (IsoHash)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from methods import Hasher, Task, register
from methods.algebra.pca import fix_signs, principal_axes, skip_pca
from methods.algebra.rotations import random_rotation

#: Variances that differ by less than this share of their mean count as equal.
TOLERANCE = 1e-6


@register("isohash", paper="Kong and Li, NIPS 2012", supervision="none", fidelity="paper")
class IsoHash(Hasher):
    """Principal axes, rotated so that all bits have the same variance.

    With Lambda the diagonal matrix of the b largest variances, whose mean is a, a rotation Q is
    sought for which every diagonal entry of ``Q' Lambda Q`` is a.  Lift and projection (section
    3.2) goes back and forth between two sets of matrices: those with the diagonal a, which are
    reached by writing a there, and those with the eigenvalues Lambda, which are reached by putting
    Lambda in the place of the eigenvalues.  The distance of the two never grows.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    n_iter : int
        Rounds at most; they end once all variances are equal to one part in a million.
    random_state : int, optional
        Seed of the rotation that the first round starts from.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    rotation_ : (b, b) array
        Q.
    W_ : (d, b) array
        Principal axes times Q.
    distances_ : (at most n_iter,) array
        Distance ``||diag(Q' Lambda Q) - a||`` before each round.

    References
    ----------
    W. Kong, W.-J. Li, "Isotropic hashing", NIPS 2012.
    """

    def __init__(
        self, n_bits: int = 32, *, n_iter: int = 100, random_state: int | None = None
    ) -> None:
        self.n_bits = n_bits
        self.n_iter = n_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d, b = task.n_train, task.n_features, self.n_bits
        return 2 * n * d**2 + 9 * d**3 + self.n_iter * 9 * b**3

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> IsoHash:
        X = self.check_training_data(X)
        pca = principal_axes(X, self.n_bits)
        start = random_rotation(self.n_bits, self.random_state)
        Q, self.distances_ = isotropic_rotation(pca.variances, start, self.n_iter)
        self.mean_ = pca.mean
        self.rotation_ = Q
        self.W_ = pca.axes @ Q
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_


def isotropic_rotation(
    variances: np.ndarray, start: np.ndarray, n_iter: int
) -> tuple[np.ndarray, np.ndarray]:
    """The rotation after which all variances are (nearly) equal, by lift and projection.

    Parameters
    ----------
    variances : (b,) array
        By decreasing size.
    start : (b, b) array
        Orthogonal.
    n_iter : int

    Returns
    -------
    Q : (b, b) array
    distances : (at most n_iter,) array
        Norm of the deviations of the variances from their mean before each round.
    """
    Q, mean, distances = start, variances.mean(), []
    for _ in range(n_iter):
        S = Q.T @ (variances[:, None] * Q)
        distances.append(np.linalg.norm(np.diag(S) - mean))
        if distances[-1] <= TOLERANCE * mean:
            break
        np.fill_diagonal(S, mean)
        Q = fix_signs(eigh(S)[1][:, ::-1]).T
    return Q, np.array(distances)
