"""Anchor graph hashing (AGH) with one and with two layers."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from methods import Hasher, Task, register
from methods.algebra.anchors import (
    AnchorGraph,
    anchor_graph,
    graph_operations,
    link,
    skip_anchors,
    usable_anchors,
)
from methods.algebra.parts import connected_parts, join_small_parts, part_contrasts
from methods.algebra.pca import fix_signs

#: Eigenvalues up to here are zero but for rounding, and may exceed their bound 1 by as much.
EIGENVALUE_ERROR = 1e-10

#: Decimals of an eigenvalue by which eigenvectors are ordered; equal ones come by part.
DECIMALS = 9

#: Entries of a unit eigenvector up to here are zero but for rounding.
ENTRY_ERROR = 1e-13


@register(
    "agh",
    paper="Liu et al., ICML 2011",
    supervision="none",
    fidelity="author-code",
)
class AGH(Hasher):
    """Signs of the smoothest functions on a graph that links items through shared anchors.

    The graph ``A = Z Lambda^-1 Z'`` joins items by their weights Z on the nearest k-means
    centres.  Its eigenvectors of the largest eigenvalues apart from the constant one, extended to
    any item x as ``z(x)' W``, are the smoothest functions with mean zero; each gives one bit.

    Parameters
    ----------
    n_bits : int
        Code length b, at most m - 1.
    n_anchors : int
        Number of k-means centres m; where there are fewer items, these, with a warning.
    n_neighbors : int
        Anchors linked to each item, s; the authors advise 2 to m / 10.
    max_eigenvalue : float
        Eigenvectors with larger eigenvalues are left out.  The authors' code has 0.999, which
        makes a difference only where the graph falls (almost) apart: then it leaves out just
        those eigenvectors that tell the parts from each other.  Here they are taken, in the
        form of :func:`methods.algebra.parts.part_contrasts`, and small parts are joined to the
        rest (:func:`methods.algebra.parts.join_small_parts`), as no bit is worth a few items.
    kmeans_iter : int
        Iterations of k-means.
    random_state : int, optional
        Seed of k-means.

    Attributes
    ----------
    anchors_ : (m, d) array
    sigma_ : float
        Bandwidth of the weights.
    eigenvalues_ : (b,) array
        Descending.
    W_ : (m, b) array
        Scores per unit of weight on each anchor.

    References
    ----------
    W. Liu, J. Wang, S. Kumar, S.-F. Chang, "Hashing with graphs", ICML 2011.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        n_anchors: int = 300,
        n_neighbors: int = 2,
        max_eigenvalue: float = 1.0,
        kmeans_iter: int = 10,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.n_anchors = n_anchors
        self.n_neighbors = n_neighbors
        self.max_eigenvalue = max_eigenvalue
        self.kmeans_iter = kmeans_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_agh(self.n_bits, task.n_train, self.n_anchors, self.n_neighbors)

    def operations(self, task: Task) -> float:
        graph = graph_operations(task.n_train, task.n_features, self.n_anchors, self.kmeans_iter)
        return graph + 9.0 * self.n_anchors**3

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> AGH:
        self._fit_eigenvectors(X, self.n_bits)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return link(X, self.anchors_, self.sigma_, self.n_neighbors) @ self.W_

    def _fit_eigenvectors(self, X: np.ndarray, count: int) -> AnchorGraph:
        X = self.check_training_data(X)
        graph = fitting_graph(
            X,
            count,
            n_anchors=self.n_anchors,
            n_neighbors=self.n_neighbors,
            n_iter=self.kmeans_iter,
            random_state=self.random_state,
        )
        self.anchors_ = graph.anchors
        self.sigma_ = float(graph.sigma)
        self.eigenvalues_, self.W_ = graph_eigenvectors(graph, count, self.max_eigenvalue)
        return graph


@register(
    "agh2",
    paper="Liu et al., ICML 2011",
    supervision="none",
    fidelity="author-code",
)
class AGH2(AGH):
    """AGH with two bits for each eigenvector: its sign, and which half of that side.

    With y the function of an eigenvector, the first bit is ``y > 0`` and the second compares y
    with a threshold on either side: ``y > upper`` where y is positive, ``y < lower`` elsewhere.
    The thresholds make the second bits as smooth on the graph as they can be with mean zero.

    Parameters
    ----------
    n_bits : int
        Code length b, even, at most 2 (m - 1): b / 2 first bits, then b / 2 second ones.
    n_anchors, n_neighbors, max_eigenvalue, kmeans_iter, random_state
        As for :class:`AGH`.

    Attributes
    ----------
    anchors_, sigma_, eigenvalues_, W_
        As for :class:`AGH`, with b / 2 eigenvectors.
    upper_, lower_ : (b / 2,) array
        Thresholds of the second bits.

    References
    ----------
    W. Liu, J. Wang, S. Kumar, S.-F. Chang, "Hashing with graphs", ICML 2011, section 4.
    """

    def skip(self, task: Task) -> str | None:
        if self.n_bits % 2:
            return "needs an even number of bits"
        return skip_agh(
            self.n_bits // 2, task.n_train, self.n_anchors, self.n_neighbors, "bits / 2"
        )

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> AGH2:
        graph = self._fit_eigenvectors(X, self.n_bits // 2)
        self.upper_, self.lower_ = second_thresholds(graph, graph.Z @ self.W_)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        first = super().project(X)
        second = np.where(first > 0, first - self.upper_, self.lower_ - first)
        return np.hstack([first, second])


def skip_agh(
    n_eigenvectors: int, n_train: int, n_anchors: int, n_neighbors: int, need: str = "bits"
) -> str | None:
    """Why so many eigenvectors of an anchor graph cannot be had, or None."""
    limit = min(n_train, n_anchors) - 1
    if n_eigenvectors > limit:
        return f"needs {need} <= min(n, n_anchors) - 1 = {limit}"
    return skip_anchors(n_train, n_anchors, n_neighbors)


def fitting_graph(
    X: np.ndarray,
    n_eigenvectors: int,
    *,
    n_anchors: int,
    n_neighbors: int,
    n_iter: int,
    random_state: int | None,
) -> AnchorGraph:
    """The anchor graph that so many eigenvectors are taken of: small parts joined to the rest."""
    graph = anchor_graph(
        X,
        n_anchors=usable_anchors(n_anchors, len(X)),
        n_neighbors=n_neighbors,
        n_iter=n_iter,
        random_state=random_state,
    )
    return join_small_parts(graph, X, max(n_eigenvectors + 1, n_neighbors))


def graph_eigenvectors(
    graph: AnchorGraph, count: int, max_eigenvalue: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvectors of the graph ``A = Z Lambda^-1 Z'`` with the largest eigenvalues.

    They come from the small matrix ``M = Lambda^-1/2 Z'Z Lambda^-1/2``, whose positive
    eigenvalues A shares: ``M V = V S`` gives ``W = sqrt(n) Lambda^-1/2 V S^-1/2``, and ``Y = Z W``
    holds the eigenvectors of A, with ``Y'Y = n I`` and column sums 0.  On a graph that falls into
    parts, M does too: the eigenvectors with eigenvalue 1 other than the constant one are the
    :func:`~methods.algebra.parts.part_contrasts`, and each of the others lives on one part and is
    0 elsewhere.

    Parameters
    ----------
    graph : AnchorGraph
    count : int
        How many.
    max_eigenvalue : float
        Eigenvectors with larger eigenvalues are left out.

    Returns
    -------
    eigenvalues : (count,) array
        Descending.
    W : (m, count) array

    Raises
    ------
    ValueError
        If the graph has fewer such eigenvectors with positive eigenvalues.
    """
    parts = connected_parts(graph)
    across = part_contrasts(graph, parts)
    found = [_within(graph, parts.of_anchor == part) for part in range(len(parts.sizes))]
    eigenvalues = np.concatenate([np.ones(across.shape[1]), *(values for values, _ in found)])
    W = np.hstack([across, *(columns for _, columns in found)])
    kept = np.flatnonzero(eigenvalues <= max_eigenvalue + EIGENVALUE_ERROR)
    if len(kept) < count:
        raise ValueError(
            f"the anchor graph has {len(kept)} eigenvectors, but {count} are needed; ask for "
            "fewer bits or give more distinct training items"
        )
    # Rounding must not put others before those across parts, nor exchange repeated ones.
    order = kept[np.argsort(-np.round(eigenvalues[kept], DECIMALS), kind="stable")][:count]
    return eigenvalues[order], W[:, order]


def _within(graph: AnchorGraph, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positive eigenvalues and columns of W of one part, but for its constant function."""
    Z = graph.Z[:, np.flatnonzero(part)]
    root = np.sqrt(graph.mass[part])
    M = (Z.T @ Z).toarray() / np.outer(root, root)
    M -= np.outer(root, root) / np.sum(root**2)
    eigenvalues, V = eigh(M)
    positive = eigenvalues > EIGENVALUE_ERROR
    eigenvalues, V = eigenvalues[positive][::-1], V[:, positive][:, ::-1]
    # Where an eigenvector does not reach, rounding must not choose the bit.
    V = fix_signs(np.where(np.abs(V) > ENTRY_ERROR, V, 0))
    W = np.zeros((len(part), len(eigenvalues)))
    W[part] = np.sqrt(graph.Z.shape[0] / eigenvalues) * V / root[:, None]
    return eigenvalues, W


def second_thresholds(graph: AnchorGraph, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds of the second bits on the positive and on the other side of each eigenvector.

    With P the items where y > 0, n1 and n2 the sizes of P and its complement, p its indicator::

        q     = (sum_P y - p'A|y|) / (n1 - p'A p)
        upper = (2 sum_P y + n2 q) / n
        lower = (n1 q - 2 sum_P y) / n

    They make the second scores, ``y - upper`` on P and ``lower - y`` elsewhere, sum to 0.

    Parameters
    ----------
    graph : AnchorGraph
    Y : (n, k) array
        Eigenvectors of the graph.

    Returns
    -------
    upper, lower : (k,) array
    """
    n, Z = len(Y), graph.Z
    P = Y > 0
    n1 = P.sum(axis=0)
    total = np.where(P, Y, 0).sum(axis=0)
    left = Z.T @ P.astype(float)
    right = (Z.T @ np.abs(Y)) / graph.mass[:, None]
    cut = n1 - (left**2 / graph.mass[:, None]).sum(axis=0)
    # Nothing links the two sides: their thresholds do not depend on each other.
    linked = cut > 1e-12 * n
    q = np.where(linked, total - (left * right).sum(axis=0), 0) / np.where(linked, cut, 1)
    return (2 * total + (n - n1) * q) / n, (n1 * q - 2 * total) / n
