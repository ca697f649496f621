"""Iterative quantisation (ITQ)."""

from __future__ import annotations

import numpy as np

from methods import Hasher, Task, register
from methods.algebra.pca import principal_axes, skip_pca
from methods.algebra.rotations import quantising_rotation


@register(
    "itq",
    paper="Gong et al., TPAMI 2013",
    supervision="none",
    fidelity="author-code",
)
class ITQ(Hasher):
    """PCA, then the rotation that brings the scores closest to the corners of the cube.

    Minimises ``||B - V R||_F^2`` over codes B in {-1, +1}^(n x b) and rotations R, where V holds
    the scores on the first b principal axes (no whitening).  Codes and rotation take turns: for
    fixed R the codes are ``sgn(V R)``; for fixed B the rotation solves the orthogonal Procrustes
    problem, ``R = S2 S1'`` with the singular value decomposition ``B'V = S1 Sigma S2'``.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    n_iter : int
        Rounds of the alternation; the paper finds 50 enough.
    random_state : int, optional
        Seed of the initial rotation.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    rotation_ : (b, b) array
        R.
    W_ : (d, b) array
        Principal axes times R.
    losses_ : (2 n_iter,) array
        The objective after each half step; never increases.

    References
    ----------
    Y. Gong, S. Lazebnik, A. Gordo, F. Perronnin, "Iterative quantization: a Procrustean approach
    to learning binary codes for large-scale image retrieval", IEEE TPAMI 35(12), 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X = np.random.default_rng(0).standard_normal((200, 32))
    >>> itq = make_pipeline(StandardScaler(), ITQ(n_bits=16, random_state=0)).fit(X)
    >>> itq.transform(X[:3]).shape
    (3, 16)
    """

    def __init__(
        self, n_bits: int = 32, *, n_iter: int = 50, random_state: int | None = None
    ) -> None:
        self.n_bits = n_bits
        self.n_iter = n_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d, b = task.n_train, task.n_features, self.n_bits
        return 2 * n * d * (d + b) + 9 * d**3 + self.n_iter * 4 * n * b**2

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> ITQ:
        X = self.check_training_data(X)
        pca = principal_axes(X, self.n_bits)
        self.mean_ = pca.mean
        V = pca.scores(X)
        R, self.losses_ = quantising_rotation(V, self.n_iter, self.random_state)
        self.rotation_ = R
        self.W_ = pca.axes @ R
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_
