"""K-means anchors and the anchor graph, shared by AGH, DGH, SELVE and others.

An anchor graph links every item to its few nearest anchors instead of to other items, so that
its affinity matrix ``A = Z Lambda^-1 Z'`` has a low rank and never needs to be formed.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning

from methods.algebra.blocks import row_blocks, squared_distances
from methods.sharing import shared

#: Decimals kept of a squared distance in units of the squared bandwidth.  It drowns what the
#: order of additions does to the last digits, so that ties break the same way in any batch.
DECIMALS = 9

#: Items among which k-means++ chooses its start (ten per cluster, if that is more): on all of a
#: large set the start would take longer than the iterations.
START_ROWS = 10_000

#: An anchor whose training weights sum to less than this takes no part in the graph.
LEAST_MASS = 1e-9


class Clusters(NamedTuple):
    """Result of :func:`kmeans`.

    Attributes
    ----------
    centres : (k, d) array of float64
    assignment : (n,) array of int
        For every item the index of its nearest centre; each centre has at least one item.
    """

    centres: np.ndarray
    assignment: np.ndarray


class AnchorGraph(NamedTuple):
    """Anchors and the weights that link the training items to them.

    Attributes
    ----------
    anchors : (m, d) array of float64
    sigma : () array of float64
        Bandwidth: the mean distance of a training item to its s-th nearest anchor.
    neighbors : (n, s) array of int
        Anchors of each training item, nearest first.
    weights : (n, s) array of float64
        Their weights; each row sums to 1.
    """

    anchors: np.ndarray
    sigma: np.ndarray
    neighbors: np.ndarray
    weights: np.ndarray

    @property
    def Z(self) -> csr_array:
        """The weights as a sparse matrix, shape (n, m)."""
        return _sparse(self.neighbors, self.weights, len(self.anchors))

    @property
    def mass(self) -> np.ndarray:
        """Diagonal of ``Lambda = diag(Z' 1)``, shape (m,): total weight of each anchor."""
        return np.bincount(self.neighbors.ravel(), self.weights.ravel(), len(self.anchors))


def kmeans(X: np.ndarray, n_clusters: int, n_iter: int, random_state: int | None) -> Clusters:
    """Lloyd's k-means from one k-means++ start, on a random part of X if X is large.

    Parameters
    ----------
    X : (n, d) array of float
    n_clusters : int
        At most n.
    n_iter : int
        Number of Lloyd iterations, fewer if the assignment stops changing.
    random_state : int, optional

    Returns
    -------
    Clusters
        Without the clusters that ended up empty, hence possibly with fewer than asked for (as
        when X has fewer distinct rows).  The same for any number of threads.
    """
    return _kmeans(X, n_clusters=n_clusters, n_iter=n_iter, random_state=random_state)


@shared
def anchor_graph(
    X: np.ndarray, *, n_anchors: int, n_neighbors: int, n_iter: int, random_state: int | None
) -> AnchorGraph:
    """The anchor graph of a training set whose anchors are its k-means centres.

    Parameters
    ----------
    X : (n, d) array of float
    n_anchors, n_iter, random_state : int
        Parameters of :func:`kmeans`.
    n_neighbors : int
        Anchors linked to each item, s.

    Raises
    ------
    ValueError
        If k-means finds fewer than s distinct anchors.
    """
    centres = kmeans(X, n_anchors, n_iter, random_state).centres
    return link_training_set(X, centres, n_neighbors)


def link_training_set(X: np.ndarray, anchors: np.ndarray, n_neighbors: int) -> AnchorGraph:
    """The anchor graph of a training set for given anchors.

    Parameters
    ----------
    X : (n, d) array of float
    anchors : (m, d) array of float
        Those that no training item is linked to are dropped.
    n_neighbors : int
        Anchors linked to each item, s.

    Raises
    ------
    ValueError
        If there are fewer than s anchors.
    """
    if len(anchors) < n_neighbors:
        raise ValueError(
            f"{len(anchors)} distinct anchors cannot give each item n_neighbors = {n_neighbors}; "
            "lower n_neighbors or give more distinct training items"
        )
    sigma = np.array(_bandwidth(X, anchors, n_neighbors))
    graph = _linked(X, anchors, sigma, n_neighbors)
    used = graph.Z.sum(axis=0) > LEAST_MASS
    if used.sum() >= n_neighbors and not used.all():
        return relinked(graph, X, used)
    return graph


def relinked(graph: AnchorGraph, X: np.ndarray, kept: np.ndarray) -> AnchorGraph:
    """The graph of the same training items and bandwidth with some of the anchors alone.

    Parameters
    ----------
    graph : AnchorGraph
    X : (n, d) array of float
    kept : (m,) array of bool
        At least as many as each item has anchors.
    """
    return _linked(X, graph.anchors[kept], graph.sigma, graph.neighbors.shape[1])


def link(X: np.ndarray, anchors: np.ndarray, sigma: float, n_neighbors: int) -> csr_array:
    """Weights of the s nearest anchors of each item.

    Item x gives weight ``exp(-||x - a||^2 / sigma^2)`` to each of its s nearest anchors a, scaled
    to sum 1, and nothing to the others.  Among anchors at equal distance the first wins.  Each
    row depends on its item alone.

    Parameters
    ----------
    X : (n, d) array of float
    anchors : (m, d) array of float
    sigma : float
        Bandwidth, positive.
    n_neighbors : int
        s, at most m.

    Returns
    -------
    (n, m) sparse array of float64
        s stored entries in every row, nearest anchor first.
    """
    neighbors = np.empty((len(X), n_neighbors), dtype=np.int32)
    weights = np.empty((len(X), n_neighbors))
    for rows in row_blocks(len(X)):
        distances = np.round(squared_distances(X[rows], anchors) / sigma**2, DECIMALS)
        nearest = distances.argsort(axis=1, kind="stable")[:, :n_neighbors]
        distances = np.take_along_axis(distances, nearest, axis=1)
        neighbors[rows] = nearest
        # Relative to the nearest, so that a far item does not get weights 0 / 0.
        weights[rows] = np.exp(distances[:, :1] - distances)
    weights /= weights.sum(axis=1, keepdims=True)
    return _sparse(neighbors, weights, len(anchors))


def skip_anchors(n_train: int, n_anchors: int, n_neighbors: int) -> str | None:
    """Why an anchor graph with these parameters cannot be built, or None."""
    # With one neighbour each, no two anchors would be linked.
    if n_neighbors < 2 or n_neighbors > min(n_train, n_anchors):
        return f"needs 2 <= n_neighbors <= min(n, n_anchors) = {min(n_train, n_anchors)}"
    return None


def usable_anchors(n_anchors: int, n_train: int) -> int:
    """As many anchors as asked for, or as there are items, with a warning."""
    if n_train < n_anchors:
        warnings.warn(
            f"n_anchors = {n_anchors}, but there are only {n_train} training items; each of them "
            "becomes an anchor",
            stacklevel=3,
        )
    return min(n_anchors, n_train)


def graph_operations(n_train: int, n_features: int, n_anchors: int, n_iter: int) -> float:
    """Rough number of floating-point operations of :func:`anchor_graph`."""
    # k-means++ tries 2 + ln m candidates for each centre, and waits for memory most of the time.
    start = 4 * min(n_train, START_ROWS) * (2 + np.log(n_anchors))
    return 2.0 * n_features * n_anchors * (n_train * (n_iter + 2) + start)


@shared
def _kmeans(X: np.ndarray, *, n_clusters: int, n_iter: int, random_state: int | None) -> Clusters:
    n_rows = max(START_ROWS, 10 * n_clusters)
    rows = np.sort(np.random.default_rng(random_state).permutation(len(X))[:n_rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        some = X[rows].astype(np.float64)
        start = kmeans_plusplus(some, n_clusters, random_state=random_state)[0]
        # Fewer distinct items than clusters give the same start twice.
        start = start[np.sort(np.unique(start, axis=0, return_index=True)[1])]
        search = KMeans(len(start), init=start, n_init=1, max_iter=n_iter, tol=0).fit(X)
    kept, assignment = np.unique(search.labels_, return_inverse=True)
    return Clusters(search.cluster_centers_[kept].astype(np.float64), assignment)


def _bandwidth(X: np.ndarray, anchors: np.ndarray, n_neighbors: int) -> float:
    """Mean distance to the s-th nearest anchor; 1 if every item lies on its s anchors."""
    s = n_neighbors - 1
    total = 0.0
    for rows in row_blocks(len(X)):
        distances = squared_distances(X[rows], anchors)
        total += np.sqrt(np.partition(distances, s, axis=1)[:, s]).sum()
    return total / len(X) or 1.0


def _linked(X: np.ndarray, anchors: np.ndarray, sigma: np.ndarray, n_neighbors: int) -> AnchorGraph:
    Z, shape = link(X, anchors, float(sigma), n_neighbors), (len(X), n_neighbors)
    return AnchorGraph(anchors, sigma, Z.indices.reshape(shape), Z.data.reshape(shape))


def _sparse(neighbors: np.ndarray, weights: np.ndarray, n_anchors: int) -> csr_array:
    n, s = neighbors.shape
    starts = np.arange(0, n * s + 1, s)
    return csr_array((weights.ravel(), neighbors.ravel(), starts), shape=(n, n_anchors))
