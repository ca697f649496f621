"""Density sensitive hashing (DSH, not to be confused with deep supervised hashing)."""

from __future__ import annotations

import numpy as np

from methods import Hasher, Task, register
from methods.algebra.anchors import kmeans
from methods.algebra.blocks import squared_distances
from methods.unsuitable import Unsuitable


@register(
    "dsh",
    paper="Jin et al., IEEE T. Cybernetics 2014",
    supervision="none",
    fidelity="author-code",
)
class DSH(Hasher):
    """The most balanced of the hyperplanes half way between neighbouring k-means groups.

    A short run of k-means gives about ``alpha b`` groups. Each pair of centres c_i, c_j of which
    one is among the other's nearest neighbours offers the hyperplane that bisects them,
    ``(x - (c_i + c_j) / 2)' (c_i - c_j) = 0``. The b planes that split the groups, weighted by
    their sizes, most evenly are kept: those of highest entropy ``-P ln P - (1 - P) ln (1 - P)``,
    where P is the share of items whose centre lies on the positive side.

    Parameters
    ----------
    n_bits : int
        Code length b.
    alpha : float
        Number of groups per bit.
    n_neighbors : int
        Nearest centres that a centre is paired with; raised where that gives fewer than b pairs.
    n_iter : int
        Iterations of k-means; a rough quantisation is all that is wanted.
    random_state : int, optional
        Seed of k-means.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean; a common shift of all items changes no code.
    W_ : (d, b) array
        Normals ``c_i - c_j``.
    thresholds_ : (b,) array
        ``((c_i + c_j) / 2 - mean)' (c_i - c_j)``.
    pairs_ : (b, 2) array of int
        The two groups of each bit.
    balances_ : (b,) array
        ``min(P, 1 - P)`` of each bit, descending; it orders planes as the entropy does.

    References
    ----------
    Z. Jin, C. Li, Y. Lin, D. Cai, "Density sensitive hashing", IEEE Transactions on Cybernetics
    44(8), 2014.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        alpha: float = 1.5,
        n_neighbors: int = 3,
        n_iter: int = 3,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.alpha = alpha
        self.n_neighbors = n_neighbors
        self.n_iter = n_iter
        self.random_state = random_state

    @property
    def n_groups(self) -> int:
        """``alpha b``, rounded half up."""
        return int(self.alpha * self.n_bits + 0.5)

    def skip(self, task: Task) -> str | None:
        groups = self.n_groups
        if groups * (groups - 1) // 2 < self.n_bits:
            return f"alpha = {self.alpha} gives {groups} groups, whose pairs are fewer than bits"
        return f"needs n >= alpha * bits = {groups}" if task.n_train < groups else None

    def operations(self, task: Task) -> float:
        k = self.n_groups
        trials = 2 + np.log(k)  # candidates that k-means++ tries for each centre
        return 2 * k * (task.n_train * task.n_features * (self.n_iter + trials) + k**2)

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> DSH:
        X = self.check_training_data(X)
        groups = kmeans(X, self.n_groups, self.n_iter, self.random_state)
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        centres = groups.centres - self.mean_
        pairs = self._pairs(centres)
        normals, thresholds = bisectors(centres, pairs)
        sizes = np.bincount(groups.assignment)
        positive = sizes @ (centres @ normals > thresholds)
        smaller = np.minimum(positive, len(X) - positive)
        chosen = np.argsort(-smaller, kind="stable")[: self.n_bits]
        self.W_ = normals[:, chosen]
        self.thresholds_ = thresholds[chosen]
        self.pairs_ = pairs[chosen]
        self.balances_ = smaller[chosen] / len(X)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_ - self.thresholds_

    def _pairs(self, centres: np.ndarray) -> np.ndarray:
        """Neighbouring centres, with as many neighbours each as b pairs need."""
        most = len(centres) - 1
        if most * (most + 1) // 2 < self.n_bits:
            raise Unsuitable(
                f"DSH: the training items form only {most + 1} distinct groups, whose pairs are "
                f"fewer than {self.n_bits} bits"
            )
        for n_neighbors in range(min(self.n_neighbors, most), most + 1):
            pairs = neighbor_pairs(centres, n_neighbors)
            if len(pairs) >= self.n_bits:
                break
        return pairs


def neighbor_pairs(centres: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Pairs of points of which at least one is among the nearest neighbours of the other.

    Parameters
    ----------
    centres : (k, d) array of float
    n_neighbors : int
        At most k - 1.

    Returns
    -------
    (p, 2) array of int
        Each pair once, as i < j, in lexicographic order.
    """
    distances = squared_distances(centres, centres)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    linked = np.zeros(distances.shape, dtype=bool)
    np.put_along_axis(linked, nearest, True, axis=1)
    return np.argwhere(np.triu(linked | linked.T))


def bisectors(centres: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hyperplanes ``x'w = t`` half way between the two points of each pair.

    Returns
    -------
    normals : (d, p) array
        ``w = c_i - c_j``.
    thresholds : (p,) array
        ``t = ((c_i + c_j) / 2)'w``.
    """
    first, second = centres[pairs[:, 0]], centres[pairs[:, 1]]
    normals = first - second
    return normals.T, np.einsum("pd,pd->p", (first + second) / 2, normals)
