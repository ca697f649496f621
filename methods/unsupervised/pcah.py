"""PCA hashing (PCAH)."""

from __future__ import annotations

import numpy as np

from methods import Hasher, Task, register
from methods.algebra.pca import principal_axes, skip_pca


@register(
    "pcah",
    paper="Wang et al., TPAMI 2012",
    supervision="none",
    fidelity="author-code",
)
class PCAH(Hasher):
    """Signs of the scores on the first principal axes.

    Maximises ``tr(W' Xc' Xc W)`` subject to ``W'W = I``, where Xc holds the centred items: the
    unsupervised case of semi-supervised hashing. Later axes carry little variance, so that more
    bits may rank worse.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    random_state : int, optional
        Not used; there is nothing random.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    W_ : (d, b) array
        Principal axes by decreasing variance; zero where the training data do not vary.
    variances_ : (b,) array
        Variances of the training scores.

    References
    ----------
    J. Wang, S. Kumar, S.-F. Chang, "Semi-supervised hashing for large-scale search", IEEE TPAMI
    34(12), 2012.
    """

    def skip(self, task: Task) -> str | None:
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d = task.n_train, task.n_features
        return 2 * n * d**2 + 9 * d**3

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> PCAH:
        X = self.check_training_data(X)
        pca = principal_axes(X, self.n_bits)
        self.mean_ = pca.mean
        self.variances_ = pca.variances
        self.W_ = pca.axes
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_
