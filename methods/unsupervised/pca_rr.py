"""PCA and one random rotation (PCA-RR)."""

from __future__ import annotations

import numpy as np

from methods import Hasher, Task, register
from methods.algebra.pca import principal_axes, skip_pca
from methods.algebra.rotations import random_rotation


@register("pca-rr", paper="Gong et al., TPAMI 2013", supervision="none", fidelity="paper")
class PCARR(Hasher):
    """Scores on the first principal axes, turned by one random rotation.

    The rotation spreads the variance of the axes over all bits, and nothing else is learnt: where
    ITQ (:mod:`methods.unsupervised.itq`) begins, this method ends.  It is the baseline of the
    paper of ITQ, and of comparisons on the features of foundation models.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    random_state : int, optional
        Seed of the rotation.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    W_ : (d, b) array
        Principal axes times the rotation.

    References
    ----------
    Y. Gong, S. Lazebnik, A. Gordo, F. Perronnin, "Iterative quantization: a Procrustean approach
    to learning binary codes for large-scale image retrieval", IEEE TPAMI 35(12), 2013, section 3.
    """

    def skip(self, task: Task) -> str | None:
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d = task.n_train, task.n_features
        return 2 * n * d**2 + 9 * d**3

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> PCARR:
        X = self.check_training_data(X)
        pca = principal_axes(X, self.n_bits)
        self.mean_ = pca.mean
        self.W_ = pca.axes @ random_rotation(self.n_bits, self.random_state)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_
