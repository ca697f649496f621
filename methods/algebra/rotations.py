"""Random rotations, and those that bring scores close to binary codes."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd


def random_rotation(size: int, random_state: int | None) -> np.ndarray:
    """Left singular vectors of a Gaussian matrix, shape (size, size)."""
    return svd(np.random.default_rng(random_state).standard_normal((size, size)))[0]


def quantising_rotation(
    V: np.ndarray, n_iter: int, random_state: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """The rotation of iterative quantisation, from a random one.

    Minimises ``||B - V R||_F^2`` over codes B in {-1, +1}^(n x b) and rotations R in turn: for
    fixed R the codes are ``sgn(V R)``; for fixed B the rotation solves the orthogonal Procrustes
    problem, ``R = S2 S1'`` with the singular value decomposition ``B'V = S1 Sigma S2'``
    (Gong et al., TPAMI 2013, section 3.2).

    Parameters
    ----------
    V : (n, b) array of float
        Scores with mean zero.
    n_iter : int
    random_state : int, optional
        Seed of the initial rotation.

    Returns
    -------
    R : (b, b) array
    losses : (2 n_iter,) array
        The objective after each half step; never increases.
    """
    R = random_rotation(V.shape[1], random_state)
    losses = []
    # ||B - Z||^2 = n b + ||V||^2 - 2 <B, Z>, as B has entries -1 and 1 and R is orthogonal.
    fixed = V.size + np.sum(V**2)
    Z = V @ R
    for _ in range(n_iter):
        losses.append(fixed - 2 * np.abs(Z).sum())
        B = np.where(Z > 0, 1.0, -1.0)
        S1, sigma, S2t = svd(B.T @ V)
        R = S2t.T @ S1.T
        # <B, V R> = tr(S1 Sigma S2' S2 S1').
        losses.append(fixed - 2 * sigma.sum())
        Z = V @ R
    return R, np.array(losses)
