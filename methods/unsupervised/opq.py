"""Optimised product quantisation (OPQ)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd

from methods import Quantizer, Task, register
from methods.algebra.pca import principal_axes
from methods.algebra.products import drawn_items, product_codebooks, skip_products

#: Rounds of k-means before the rotation is learnt; the words go on moving with it.
FIRST_ROUNDS = 10


@register("opq", paper="Ge et al., CVPR 2013", supervision="none", fidelity="paper")
class OPQ(Quantizer):
    """Product quantisation of rotated items, with the rotation of least error.

    Minimises ``||V R - Y||_F^2`` over rotations R and products Y of code words, where V holds the
    scores on the first principal axes.  Words, codes and rotation take turns (section 3.1,
    non-parametric solution): codes are the nearest words, words the means of their items, and R
    solves the orthogonal Procrustes problem, ``R = S U'`` with ``Y'V = U Sigma S'``.  R starts from
    the parametric solution (section 3.2), which deals the axes out to the blocks so that the
    products of their variances are alike.  Queries are compared as in
    :mod:`methods.unsupervised.pq`.

    Parameters
    ----------
    n_bits : int
        Bits of an item's M code words together.
    n_components : int
        Principal axes at most that are rotated; the others are left out, which bounds the cost by
        the cube of this.
    n_iter : int
        Rounds.
    random_state : int, optional
        As in :mod:`methods.unsupervised.pq`.

    Attributes
    ----------
    mean_ : (d,) array
    W_ : (d, p) array
        Principal axes times R.
    codebooks_ : ProductCodebooks
    losses_ : (n_iter,) array
        Mean squared error of the drawn items in each round, before the rotation moves; it never
        increases.

    References
    ----------
    T. Ge, K. He, Q. Ke, J. Sun, "Optimized product quantization for approximate nearest neighbor
    search", CVPR 2013.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        n_components: int = 256,
        n_iter: int = 50,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.n_components = n_components
        self.n_iter = n_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_products(self.codebook_sizes, task.n_train, self._n_axes(task))

    def operations(self, task: Task) -> float:
        n, d, p = task.n_train, task.n_features, self._n_axes(task)
        return (
            2.0 * n * d**2 + 9.0 * d**3 + self.n_iter * n * p * (max(self.codebook_sizes) + 2 * p)
        )

    def _n_axes(self, task: Task) -> int:
        return min(task.n_features, max(task.n_train - 1, 1), self.n_components)

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> OPQ:
        X = self.check_training_data(X)
        pca = principal_axes(X, self._n_axes(Task(*X.shape)))
        rows = drawn_items(len(X), self.codebook_sizes, self.random_state)
        V = pca.scores(X[rows])
        R = np.eye(V.shape[1])[:, dealt_axes(pca.variances, len(self.codebook_sizes))]
        books = product_codebooks(V @ R, self.codebook_sizes, FIRST_ROUNDS, self.random_state)
        losses = []
        for _ in range(self.n_iter):
            Z = V @ R
            codes = books.assign(Z)
            books = books.moved(Z, codes)
            Y = books.reconstruct(codes)
            losses.append(((Z - Y) ** 2).sum() / len(Z))
            U, _, St = svd(Y.T @ V, full_matrices=False)
            R = (U @ St).T
        self.losses_ = np.array(losses)
        self.codebooks_ = books
        self.mean_ = pca.mean
        self.W_ = pca.axes @ R
        return self

    def assign(self, X: np.ndarray) -> np.ndarray:
        return self.codebooks_.assign((X - self.mean_) @ self.W_)

    def tables(self, X: np.ndarray) -> np.ndarray:
        return self.codebooks_.tables((X - self.mean_) @ self.W_)


def dealt_axes(variances: np.ndarray, n_blocks: int) -> np.ndarray:
    """Axes in the order of their blocks, so that the blocks' products of variances are alike.

    Axis after axis, by decreasing variance, goes to the block with the smallest product so far
    that is not full (section 3.2.4).

    Parameters
    ----------
    variances : (p,) array
        By decreasing size; zeros count as very small.
    n_blocks : int

    Returns
    -------
    (p,) array of int
    """
    capacities = [len(part) for part in np.array_split(np.arange(len(variances)), n_blocks)]
    logs = np.log(np.maximum(variances, np.finfo(float).tiny))
    # Above zero, so that a block's sum grows with every axis.
    logs -= logs.min() - 1
    blocks: list[list[int]] = [[] for _ in capacities]
    sums = np.zeros(n_blocks)
    for axis, weight in enumerate(logs):
        free = [m for m in range(n_blocks) if len(blocks[m]) < capacities[m]]
        least = min(free, key=lambda m: sums[m])
        blocks[least].append(axis)
        sums[least] += weight
    return np.concatenate(blocks).astype(int)
