"""Discrete graph hashing (DGH)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr, svd

from methods import Hasher, Task, register
from methods.algebra.anchors import AnchorGraph, graph_operations, link
from methods.unsupervised.agh import fitting_graph, graph_eigenvectors, skip_agh

#: Singular values of codes up to this share of the codes' norm are zero but for rounding.
RANK_ERROR = 1e-10


@register("dgh", paper="Liu et al., NIPS 2014", supervision="none")
class DGH(Hasher):
    """Codes of the training items that are smooth on the anchor graph and stay binary throughout.

    Maximises ``tr(B'A B) + rho tr(B'Y)`` over codes B in {-1, +1}^(n x b) and real Y with
    ``1'Y = 0`` and ``Y'Y = n I``, which draws the bits towards balance and independence; A is the
    anchor graph of :class:`~methods.unsupervised.agh.AGH`.  Codes and Y take turns, and no step
    lowers the objective.  A new item gets the sign of its weighted mean of the training codes,
    ``B'Z Lambda^-1 z(x)``.

    Parameters
    ----------
    n_bits : int
        Code length b, at most m - 1.
    rho : float
        Weight of balance and independence.
    rotate : bool
        Start from the eigenvectors rotated towards their signs (the paper's DGH-R) instead of
        from the eigenvectors themselves (DGH-I).
    n_anchors, n_neighbors, kmeans_iter
        The anchor graph, as for :class:`methods.unsupervised.agh.AGH`.
    n_iter : int
        Most rounds of the alternation.
    n_inner : int
        Most steps for B in one round.
    tol : float
        Stop when a round raises the objective by less than this share.
    random_state : int, optional
        Seed of k-means, of the initial rotation and of the completion of a singular Y.

    Attributes
    ----------
    anchors_ : (m, d) array
    sigma_ : float
        Bandwidth of the weights.
    codes_ : (n, b) array of float
        B, the codes found for the training items.
    Y_ : (n, b) array
    objectives_ : array
        The objective at the start and after every single step; never decreases.
    W_ : (m, b) array
        Scores per unit of weight on each anchor, ``Lambda^-1 Z'B``.

    References
    ----------
    W. Liu, C. Mu, S. Kumar, S.-F. Chang, "Discrete graph hashing", NIPS 2014.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        rho: float = 0.1,
        rotate: bool = False,
        n_anchors: int = 300,
        n_neighbors: int = 2,
        kmeans_iter: int = 10,
        n_iter: int = 20,
        n_inner: int = 300,
        tol: float = 1e-4,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.rho = rho
        self.rotate = rotate
        self.n_anchors = n_anchors
        self.n_neighbors = n_neighbors
        self.kmeans_iter = kmeans_iter
        self.n_iter = n_iter
        self.n_inner = n_inner
        self.tol = tol
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_agh(self.n_bits, task.n_train, self.n_anchors, self.n_neighbors)

    def operations(self, task: Task) -> float:
        n, b, m = task.n_train, self.n_bits, self.n_anchors
        graph = graph_operations(n, task.n_features, m, self.kmeans_iter)
        # About ten steps for B in a round: far fewer than n_inner.
        one_round = n * b * (10 * (4 * self.n_neighbors + 6) + 8 * b)
        return graph + 9.0 * m**3 + self.n_iter * one_round

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> DGH:
        X = self.check_training_data(X)
        graph = fitting_graph(
            X,
            self.n_bits,
            n_anchors=self.n_anchors,
            n_neighbors=self.n_neighbors,
            n_iter=self.kmeans_iter,
            random_state=self.random_state,
        )
        self.anchors_ = graph.anchors
        self.sigma_ = float(graph.sigma)
        rng = np.random.default_rng(self.random_state)
        Y = graph.Z @ graph_eigenvectors(graph, self.n_bits)[1]
        if self.rotate:
            Y = rotate_towards_signs(Y, rng)
        self._alternate(graph, Y, rng)
        self.W_ = _anchor_means(graph, self.codes_)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return link(X, self.anchors_, self.sigma_, self.n_neighbors) @ self.W_

    def _alternate(self, graph: AnchorGraph, Y: np.ndarray, rng: np.random.Generator) -> None:
        Z = graph.Z

        def smoothed(B: np.ndarray) -> np.ndarray:
            return Z @ _anchor_means(graph, B)

        B = np.where(Y > 0, 1.0, -1.0)
        AB = smoothed(B)
        objectives = [np.sum(B * AB) + self.rho * np.sum(B * Y)]
        for _ in range(self.n_iter):
            before = objectives[-1]
            for _ in range(self.n_inner):
                gradient = 2 * AB + self.rho * Y
                new = np.where(gradient == 0, B, np.where(gradient > 0, 1.0, -1.0))
                if np.array_equal(new, B):
                    break
                B, AB = new, smoothed(new)
                objectives.append(np.sum(B * AB) + self.rho * np.sum(B * Y))
            Y = balanced_orthogonal(B, rng)
            objectives.append(np.sum(B * AB) + self.rho * np.sum(B * Y))
            if objectives[-1] - before < self.tol * abs(before):
                break
        self.codes_, self.Y_, self.objectives_ = B, Y, np.array(objectives)


def balanced_orthogonal(B: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The Y closest to B with ``1'Y = 0`` and ``Y'Y = n I``.

    It is ``sqrt(n) U V'`` with the singular value decomposition ``U S V'`` of B with centred
    columns.  Where a singular value is 0 (a constant bit, or bits that repeat others), U is
    completed by random directions orthogonal to its other columns and to 1.

    Parameters
    ----------
    B : (n, b) array of float
        With b < n.
    rng : numpy.random.Generator

    Returns
    -------
    (n, b) array
    """
    n, b = B.shape
    U, singular, Vt = svd(B - B.mean(axis=0), full_matrices=False)
    smallest = RANK_ERROR * np.sqrt(n * b)
    rank = np.count_nonzero(singular > smallest)
    if rank < b:
        known = np.hstack([np.full((n, 1), n**-0.5), U[:, :rank]])
        random = rng.standard_normal((n, b - rank))
        U[:, rank:] = qr(np.hstack([known, random]), mode="economic")[0][:, rank + 1 :]
    return np.sqrt(n) * U @ Vt


def rotate_towards_signs(Y: np.ndarray, rng: np.random.Generator, n_iter: int = 100) -> np.ndarray:
    """Rotate the columns of Y towards their signs: maximise ``tr(B'Y R)`` over B and R in turn.

    Parameters
    ----------
    Y : (n, b) array
    rng : numpy.random.Generator
        Draws the initial rotation.
    n_iter : int

    Returns
    -------
    (n, b) array
        Y R.
    """
    b = Y.shape[1]
    R = svd(rng.standard_normal((b, b)))[0]
    for _ in range(n_iter):
        U, _, Vt = svd(Y.T @ np.where(Y @ R > 0, 1.0, -1.0))
        R = U @ Vt
    return Y @ R


def _anchor_means(graph: AnchorGraph, B: np.ndarray) -> np.ndarray:
    """``Lambda^-1 Z'B``, shape (m, b): for each anchor the weighted mean of its items' codes."""
    return (graph.Z.T @ B) / graph.mass[:, None]
