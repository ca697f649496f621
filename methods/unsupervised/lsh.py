"""Random hyperplanes (LSH)."""

from __future__ import annotations

import numpy as np

from methods import Hasher, Task, register
from methods.algebra.blocks import mean_of


@register(
    "lsh",
    paper="Charikar, STOC 2002",
    supervision="none",
    fidelity="author-code",
)
class LSH(Hasher):
    """Signs of random projections, which agree more often the smaller the angle.

    The columns of W are independent standard Gaussian vectors, so that for each bit
    ``P[bits of x and y differ] = angle(x - mean, y - mean) / pi``.

    Parameters
    ----------
    n_bits : int
        Code length b; may exceed d.
    center : bool
        Measure angles at the training mean. Without it, features that are never negative all lie
        in one orthant and most bits are far from balanced.
    random_state : int, optional
        Seed of W. With the same seed, a short code is the beginning of a long one.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean, or zeros.
    W_ : (d, b) array
        Normals of the hyperplanes.

    References
    ----------
    M. S. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002.
    """

    def __init__(
        self, n_bits: int = 32, *, center: bool = True, random_state: int | None = None
    ) -> None:
        self.n_bits = n_bits
        self.center = center
        self.random_state = random_state

    def operations(self, task: Task) -> float:
        return task.n_features * (task.n_train + 20.0 * self.n_bits)

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> LSH:
        X = self.check_training_data(X)
        d = X.shape[1]
        self.mean_ = mean_of(X) if self.center else np.zeros(d)
        # Drawn one hyperplane after the other: more bits leave the earlier ones as they are.
        self.W_ = np.random.default_rng(self.random_state).standard_normal((self.n_bits, d)).T
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_
