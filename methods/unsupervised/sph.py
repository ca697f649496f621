"""Spherical hashing (SpH)."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import orth
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches

from methods import Hasher, Task, register
from methods.algebra.blocks import ROWS_AT_ONCE, squared_distances

#: Random training items whose mean a centre starts from.
ITEMS_PER_CENTER = 5


@register(
    "sph",
    paper="Heo et al., CVPR 2012",
    supervision="none",
    fidelity="author-code",
)
class SpH(Hasher):
    """Each bit says whether the item lies inside a sphere.

    Every sphere holds half of the training items, rounded down; its radius ends half way between
    the last of them and the next. Its centre is pushed away from spheres that
    share more than a quarter of the items with it and drawn to those that share less::

        f_i = 1/b sum_j 1/2 (o_ij - n/4) / (n/4) (c_i - c_j),

    where o_ij counts the items inside both spheres and n is twice the items in one. All centres
    move at once, by their f_i, until the overlaps are about n/4, as they would be if the bits were
    independent.

    Parameters
    ----------
    n_bits : int
        Code length b.
    max_iter : int
        Moves of the centres after which the best ones so far are kept, with a warning.
    mean_tol, std_tol : float
        Largest mean deviation of the overlaps from n/4, and largest standard deviation of the
        overlaps, as fractions of n/4.
    max_train : int
        Random training items to learn from, if there are more.
    random_state : int, optional
        Seed of that choice and of the first centres.

    Attributes
    ----------
    centers_ : (b, d) array
        Centres of the spheres.
    squared_radii_ : (b,) array
    n_iter_ : int
        Moves made.
    mean_error_, std_error_ : float
        The two deviations at the end, in the units of the tolerances.

    References
    ----------
    J.-P. Heo, Y. Lee, J. He, S.-F. Chang, S.-E. Yoon, "Spherical hashing", CVPR 2012.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        max_iter: int = 300,
        mean_tol: float = 0.10,
        std_tol: float = 0.15,
        max_train: int = 20_000,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.max_iter = max_iter
        self.mean_tol = mean_tol
        self.std_tol = std_tol
        self.max_train = max_train
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        fewest = ITEMS_PER_CENTER + 1
        if self.max_train < fewest:
            return f"needs max_train >= {fewest}, not {self.max_train}"
        # With fewer items all centres would start from the same mean.
        return f"needs n >= {fewest} training items" if task.n_train < fewest else None

    def operations(self, task: Task) -> float:
        n, d, b = min(task.n_train, self.max_train), task.n_features, self.n_bits
        return 2 * n * b * d + min(self.max_iter, 100) * 4 * n * b**2

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> SpH:
        X = self.check_training_data(X)
        rng = np.random.default_rng(self.random_state)
        if len(X) > self.max_train:
            X = X[np.sort(rng.choice(len(X), self.max_train, replace=False))]
        spheres = _Spheres(X, first_centers(X, self.n_bits, rng))
        self.centers_, self.squared_radii_ = self._spread(spheres)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return self.squared_radii_ - squared_distances(X, self.centers_)

    def _spread(self, spheres: _Spheres) -> tuple[np.ndarray, np.ndarray]:
        """Move the centres until the overlaps are even; return the best centres and radii."""
        centers = spheres.starts
        least = np.inf
        self.n_iter_ = 0
        while True:
            radii, overlaps = spheres.measure(centers)
            errors = overlap_errors(overlaps, spheres.quarter)
            # At most 1 where both tolerances are met.
            excess = max(errors[0] / self.mean_tol, errors[1] / self.std_tol)
            if excess < least:
                least, best = excess, (spheres.in_feature_space(centers), radii)
                self.mean_error_, self.std_error_ = errors
            if excess <= 1 or self.n_iter_ == self.max_iter:
                break
            centers = centers + forces(centers, overlaps, spheres.quarter)
            self.n_iter_ += 1
        if least > 1:
            warnings.warn(
                f"SpH at {self.n_bits} bits: after {self.max_iter} iterations the overlaps deviate "
                f"from n/4 by {self.mean_error_:.0%} on average (tolerance {self.mean_tol:.0%}), "
                f"standard deviation {self.std_error_:.0%} (tolerance {self.std_tol:.0%})",
                ConvergenceWarning,
                stacklevel=3,
            )
        return best


class _Spheres:
    """Balanced spheres on a training set.

    Centres move along differences of centres, so that they stay in the space that the first ones
    span.  They are given by their coordinates there, and no move costs more for features of
    higher dimension.

    Parameters
    ----------
    X : (n, d) array of float
    starts : (b, d) array
        First centres.

    Attributes
    ----------
    starts : (b, r) array
        Their coordinates, r <= min(b, d).
    """

    def __init__(self, X: np.ndarray, starts: np.ndarray) -> None:
        # About the mean, where the terms of a squared distance cancel least.
        self.mean = X.mean(axis=0, dtype=np.float64)
        self.basis = orth((starts - self.mean).T)
        self.starts = (starts - self.mean) @ self.basis
        self.items = np.empty((len(X), self.basis.shape[1]))
        self.norms = np.empty(len(X))
        for rows in gen_batches(len(X), ROWS_AT_ONCE):
            block = X[rows] - self.mean
            self.items[rows] = block @ self.basis
            self.norms[rows] = np.einsum("nd,nd->n", block, block)
        self.half = len(X) // 2
        self.quarter = self.half / 2

    def in_feature_space(self, centers: np.ndarray) -> np.ndarray:
        """The centres with these coordinates, (b, d)."""
        return centers @ self.basis.T + self.mean

    def measure(self, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squared radii that enclose half of the items, (b,), and common items, (b, b)."""
        distances = self.items @ (-2 * centers.T)
        distances += self.norms[:, None]
        distances += np.einsum("br,br->b", centers, centers)
        radii = squared_radii(distances, self.half)
        inside = (distances < radii).astype(np.float32)
        return radii, (inside.T @ inside).astype(np.float64)


def first_centers(X: np.ndarray, n_centers: int, rng: np.random.Generator) -> np.ndarray:
    """Means of a few random items each, shape (n_centers, d)."""
    size = min(ITEMS_PER_CENTER, len(X))
    chosen = [rng.choice(len(X), size, replace=False) for _ in range(n_centers)]
    return np.stack([X[rows].mean(axis=0, dtype=np.float64) for rows in chosen])


def squared_radii(distances: np.ndarray, count: int) -> np.ndarray:
    """Squared radii of spheres that enclose a given number of items each.

    Parameters
    ----------
    distances : (n, b) array of float
        Squared distances of the items from each centre.
    count : int
        Items to enclose; items at the same distance as the last of them are inside too.

    Returns
    -------
    (b,) array of float
    """
    inner = np.partition(distances, count - 1, axis=0)[count - 1]
    # The paper's radius is that of the last item inside. Half way to the next item (which is as
    # good for the training set) the bit does not hang on how a distance is rounded, and the
    # strict comparison of all methods does; items that coincide up to rounding count as one.
    same = inner + 1e-12 * np.abs(distances).max(axis=0)
    outer = np.where(distances > same, distances, np.inf).min(axis=0)
    outer = np.where(np.isfinite(outer), outer, 2 * same - inner)
    return np.nextafter((inner + outer) / 2, np.inf)


def overlap_errors(overlaps: np.ndarray, quarter: float) -> tuple[float, float]:
    """Mean deviation of the overlaps from n/4 and their standard deviation, in units of n/4."""
    pairs = overlaps[np.triu_indices(len(overlaps), k=1)]
    if not pairs.size:
        return 0.0, 0.0
    return float(np.abs(pairs - quarter).mean() / quarter), float(pairs.std() / quarter)


def forces(centers: np.ndarray, overlaps: np.ndarray, quarter: float) -> np.ndarray:
    """How far each centre moves: ``1/b sum_j 1/2 (o_ij - n/4) / (n/4) (c_i - c_j)``."""
    pushes = (overlaps - quarter) / (2 * quarter * len(centers))
    return pushes.sum(axis=1, keepdims=True) * centers - pushes @ centers
