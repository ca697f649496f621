"""Sparse embedding and least variance encoding (SELVE)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh, inv
from scipy.sparse import csr_array

from methods import Hasher, Task, register
from methods.algebra.anchors import (
    AnchorGraph,
    graph_operations,
    kmeans,
    link,
    link_training_set,
    skip_anchors,
    usable_anchors,
)
from methods.algebra.blocks import row_blocks
from methods.sharing import shared
from methods.unsuitable import Unsuitable


class Embedding(NamedTuple):
    """The projection (mean, orthonormal axes) and the anchor graph in the projected space."""

    mean: np.ndarray
    axes: np.ndarray
    anchors: np.ndarray
    sigma: np.ndarray
    neighbors: np.ndarray
    weights: np.ndarray


@register(
    "selve",
    paper="Zhu et al., TIP 2014",
    supervision="none",
    fidelity="author-code",
)
class SELVE(Hasher):
    """Signs of the coefficients that a small dictionary gives to an item's weights on anchors.

    An item becomes the vector z of its weights on the nearest k-means centres, measured after a
    projection that keeps the scatter between clusters and suppresses that within them, divided
    by the square roots of the anchors' total weights.  The dictionary D (columns of norm at most
    1) and the coefficients minimise, in turn::

        sum_i ||z_i - D s_i||^2 + lambda sum_i ||s_i - s_mean||^2

    A bit is 1 where ``s(x) = (D'D + lambda I)^-1 (D'z(x) + lambda s_mean)`` exceeds its mean over
    the training items.  The authors' code takes the total weights from the items being encoded;
    here they come from the training items, so that a code depends on its item alone.

    Parameters
    ----------
    n_bits : int
        Code length b, at most m.
    n_anchors : int
        Number of k-means centres m; where there are fewer items, these, with a warning.
    n_neighbors : int
        Centres with a weight in each z.
    kmeans_iter : int
        Iterations of k-means.
    n_components : int
        Dimension d' of the projection, or d where that is less.
    beta : float
        How much the scatter within clusters counts against the total scatter.
    lam : float
        lambda, the weight of the variance of the coefficients.
    n_iter : int
        Rounds of the alternation.
    n_passes : int
        Passes over the columns of D in one round.
    random_state : int, optional
        Seed of k-means and of the initial dictionary.

    Attributes
    ----------
    mean_, axes_ : (d,) array, (d, d') array
        The projection ``(x - mean) axes``.
    anchors_, sigma_ : (m, d') array, float
        Projected centres, and the bandwidth of the weights.
    dictionary_ : (m, b) array
        D.
    W_, offset_ : (m, b) array, (b,) array
        Scores per unit of weight on each anchor, and their training mean.
    losses_ : (3 n_iter + 3,) array
        The objective at the start, after each step (coefficients, their mean, D) and after a last
        one for coefficients and mean; never increases.

    References
    ----------
    X. Zhu, L. Zhang, Z. Huang, "A sparse embedding and least variance encoding approach to
    hashing", IEEE TIP 23(9), 2014.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        n_anchors: int = 300,
        n_neighbors: int = 2,
        kmeans_iter: int = 10,
        n_components: int = 300,
        beta: float = 0.5,
        lam: float = 0.1,
        n_iter: int = 10,
        n_passes: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.n_anchors = n_anchors
        self.n_neighbors = n_neighbors
        self.kmeans_iter = kmeans_iter
        self.n_components = n_components
        self.beta = beta
        self.lam = lam
        self.n_iter = n_iter
        self.n_passes = n_passes
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        limit = min(task.n_train, self.n_anchors)
        if self.n_bits > limit:
            return f"needs bits <= min(n, n_anchors) = {limit}"
        return skip_anchors(task.n_train, self.n_anchors, self.n_neighbors)

    def operations(self, task: Task) -> float:
        n, d, b = task.n_train, task.n_features, self.n_bits
        graph = graph_operations(n, d, self.n_anchors, self.kmeans_iter)
        projection = 2 * n * d * (d + self.n_components) + 9 * d**3
        one_round = 2 * b * (n * (2 * self.n_neighbors + b) + self.n_passes * self.n_anchors * b)
        return graph + projection + self.n_iter * one_round

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> SELVE:
        X = self.check_training_data(X)
        embedding = embed(
            X,
            n_anchors=usable_anchors(self.n_anchors, len(X)),
            n_neighbors=self.n_neighbors,
            n_iter=self.kmeans_iter,
            n_components=min(self.n_components, X.shape[1]),
            beta=self.beta,
            random_state=self.random_state,
        )
        graph = AnchorGraph(*embedding[2:])
        if self.n_bits > len(graph.anchors):
            raise Unsuitable(
                f"there are only {len(graph.anchors)} distinct anchors for {self.n_bits} bits; "
                "ask for fewer bits or give more distinct training items"
            )
        self.mean_, self.axes_ = embedding.mean, embedding.axes
        self.anchors_, self.sigma_ = graph.anchors, float(graph.sigma)
        root = np.sqrt(graph.mass)
        Z = graph.Z.multiply(1 / root).tocsr()
        self.dictionary_, self.losses_ = self._alternate(Z)
        T = coding_matrices(self.dictionary_, self.lam)[1]
        # The term lambda A s_mean is the same for all items: it cancels against the mean.
        self.W_ = T.T / root[:, None]
        self.offset_ = T @ Z.mean(axis=0)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        projected = (X - self.mean_) @ self.axes_
        Z = link(projected, self.anchors_, self.sigma_, self.n_neighbors)
        return Z @ self.W_ - self.offset_

    def _alternate(self, Z: csr_array) -> tuple[np.ndarray, np.ndarray]:
        D = initial_dictionary(Z.shape[1], self.n_bits, self.random_state)
        S, mean = np.zeros((Z.shape[0], self.n_bits)), np.zeros(self.n_bits)
        losses = [objective(Z, D, S, mean, self.lam)]
        for n_done in range(self.n_iter + 1):
            A, T = coding_matrices(D, self.lam)
            S = Z @ T.T + self.lam * A @ mean
            losses.append(objective(Z, D, S, mean, self.lam))
            mean = S.mean(axis=0)
            losses.append(objective(Z, D, S, mean, self.lam))
            if n_done < self.n_iter:
                D = update_dictionary(D, Z.T @ S, S.T @ S, self.n_passes)
                losses.append(objective(Z, D, S, mean, self.lam))
        return D, np.array(losses)


@shared
def embed(
    X: np.ndarray,
    *,
    n_anchors: int,
    n_neighbors: int,
    n_iter: int,
    n_components: int,
    beta: float,
    random_state: int | None,
) -> Embedding:
    """Projection and anchor graph of a training set, the same for every code length.

    The axes are the eigenvectors of ``beta G'G - C'C`` with the smallest eigenvalues, where C
    holds the centred items and G their differences from their clusters' centres.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    centres, assignment = kmeans(X, n_anchors, n_iter, random_state)
    centres = centres - mean
    scatter, sums = np.zeros((X.shape[1], X.shape[1])), np.zeros(centres.shape)
    for rows in row_blocks(len(X)):
        C = X[rows] - mean
        scatter += C.T @ C
        np.add.at(sums, assignment[rows], C)
    # G'G = C'C - F - F' + H with F = C'E and H = E'E, where row i of E is the centre of item i.
    F = sums.T @ centres
    H = (centres.T * np.bincount(assignment)) @ centres
    contrast = beta * (H - F - F.T) - (1 - beta) * scatter
    axes = eigh(contrast, subset_by_index=(0, n_components - 1))[1]
    projected = np.vstack([(X[rows] - mean) @ axes for rows in row_blocks(len(X))])
    return Embedding(mean, axes, *link_training_set(projected, centres @ axes, n_neighbors))


def initial_dictionary(m: int, b: int, random_state: int | None) -> np.ndarray:
    """Uniform entries, columns of mean 0 and norm 1, shape (m, b)."""
    D = np.random.default_rng(random_state).uniform(-0.5, 0.5, (m, b))
    D -= D.mean(axis=0)
    return D / np.linalg.norm(D, axis=0)


def coding_matrices(D: np.ndarray, lam: float) -> tuple[np.ndarray, np.ndarray]:
    """``A = (D'D + lambda I)^-1``, shape (b, b), and ``T = A D'``, shape (b, m)."""
    A = inv(D.T @ D + lam * np.eye(D.shape[1]))
    return A, A @ D.T


def update_dictionary(D: np.ndarray, ZS: np.ndarray, SS: np.ndarray, n_passes: int) -> np.ndarray:
    """Lower ``||Z - S D'||_F^2`` over D with columns of norm at most 1, given ``Z'S`` and ``S'S``.

    One column at a time: with the others fixed, the minimum in the unit ball is the unconstrained
    minimiser, shortened to norm 1 where it is longer.
    """
    D = D.copy()
    for _ in range(n_passes):
        for j in np.flatnonzero(np.diag(SS) > 0):
            column = D[:, j] + (ZS[:, j] - D @ SS[:, j]) / SS[j, j]
            D[:, j] = column / max(1.0, np.linalg.norm(column))
    return D


def objective(Z: csr_array, D: np.ndarray, S: np.ndarray, mean: np.ndarray, lam: float) -> float:
    """``||Z - S D'||_F^2 + lambda sum_i ||s_i - mean||^2``, without forming ``S D'``."""
    fit = Z.power(2).sum() - 2 * np.sum((Z @ D) * S) + np.sum((S.T @ S) * (D.T @ D))
    return fit + lam * np.sum((S - mean) ** 2)
