"""K-means anchors and the anchor graph, shared by AGH, DGH, SELVE and others.

An anchor graph links every item to its few nearest anchors instead of to other items, so that
its affinity matrix ``A = Z Lambda^-1 Z'`` has a low rank and never needs to be formed.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.cluster import kmeans_plusplus
from sklearn.utils import gen_batches

from methods.algebra.blocks import mean_of, row_blocks, squared_distances
from methods.algebra.threads import in_parallel
from methods.sharing import shared
from methods.unsuitable import Unsuitable

#: Decimals kept of a squared distance in units of the squared bandwidth.  It drowns what the
#: order of additions does to the last digits, so that ties break the same way in any batch.
DECIMALS = 9

#: Items among which k-means++ chooses its start (ten per cluster, if that is more): on all of a
#: large set the start would take longer than the iterations.
START_ROWS = 10_000

#: Blocks of items whose sums for all centres are held at once (10 MB each for 300 x 4096).
SUMS_AT_ONCE = 8

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
        raise Unsuitable(
            f"{len(anchors)} distinct anchors cannot give each item n_neighbors = {n_neighbors}; "
            "lower n_neighbors or give more distinct training items"
        )
    distances = _distances(X, anchors)
    s = n_neighbors - 1
    nearest = [np.partition(distances[rows], s, axis=1)[:, s] for rows in row_blocks(len(X))]
    # 1 if every item lies on its s anchors.
    sigma = np.array(np.sqrt(np.concatenate(nearest)).mean() or 1.0)
    graph = _linked(distances, anchors, sigma, n_neighbors)
    used = graph.Z.sum(axis=0) > LEAST_MASS
    if used.sum() >= n_neighbors and not used.all():
        return _linked(distances[:, used], anchors[used], sigma, n_neighbors)
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
    anchors = graph.anchors[kept]
    return _linked(_distances(X, anchors), anchors, graph.sigma, graph.neighbors.shape[1])


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
    neighbors, weights = _weights(_distances(X, anchors), sigma, n_neighbors)
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
    some = X[rows].astype(np.float64)
    start = kmeans_plusplus(some, n_clusters, random_state=random_state)[0]
    # Fewer distinct items than clusters give the same start twice.
    start = start[np.sort(np.unique(start, axis=0, return_index=True)[1])]
    found = _lloyd(X, start, n_iter)
    kept, assignment = np.unique(found.assignment, return_inverse=True)
    return Clusters(found.centres[kept], assignment)


def _lloyd(X: np.ndarray, centres: np.ndarray, n_iter: int) -> Clusters:
    """Lloyd's rounds from these centres; a centre without items stays where it is."""
    # About the mean, where the terms of the binomial formula cancel least.
    mean = mean_of(X)
    centres, before = centres - mean, np.full(len(X), -1)
    for _ in range(n_iter):
        assignment, sums, sizes = _assigned(X, mean, centres)
        if np.array_equal(assignment, before):
            break
        filled, before = sizes > 0, assignment
        centres[filled] = sums[filled] / sizes[filled, None]
    else:
        assignment = _assigned(X, mean, centres)[0]
    return Clusters(centres + mean, assignment)


def _assigned(
    X: np.ndarray, mean: np.ndarray, centres: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest centre of each item, and sum (k, d) and number (k,) of the items of each centre."""
    k = len(centres)
    C, half = centres.astype(X.dtype), np.einsum("kd,kd->k", centres, centres) / 2
    assignment, sums = np.empty(len(X), dtype=np.int64), np.zeros(centres.shape)

    def assign(rows: slice) -> np.ndarray:
        block = (X[rows] - mean).astype(X.dtype, copy=False)
        nearest = (block @ C.T - half).argmax(axis=1)
        assignment[rows] = nearest
        r = len(nearest)
        members = csr_array((np.ones(r, X.dtype), (nearest, np.arange(r))), shape=(k, r))
        return members @ block

    blocks = row_blocks(len(X))
    for some in gen_batches(len(blocks), SUMS_AT_ONCE):
        for block_sums in in_parallel(assign, blocks[some]):
            sums += block_sums
    return assignment, sums, np.bincount(assignment, minlength=k)


def _distances(X: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Squared distances of all items to all anchors, shape (n, m)."""
    distances = np.empty((len(X), len(anchors)))

    def measure(rows: slice) -> None:
        distances[rows] = squared_distances(X[rows], anchors)

    in_parallel(measure, row_blocks(len(X)))
    return distances


def _weights(
    distances: np.ndarray, sigma: float, n_neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest anchors of each item, (n, s), and their weights, from squared distances (n, m)."""
    neighbors = np.empty((len(distances), n_neighbors), dtype=np.int32)
    weights = np.empty((len(distances), n_neighbors))
    for rows in row_blocks(len(distances)):
        scaled = np.round(distances[rows] / sigma**2, DECIMALS)
        nearest = scaled.argsort(axis=1, kind="stable")[:, :n_neighbors]
        scaled = np.take_along_axis(scaled, nearest, axis=1)
        neighbors[rows] = nearest
        # Relative to the nearest, so that a far item does not get weights 0 / 0.
        weights[rows] = np.exp(scaled[:, :1] - scaled)
    weights /= weights.sum(axis=1, keepdims=True)
    return neighbors, weights


def _linked(
    distances: np.ndarray, anchors: np.ndarray, sigma: np.ndarray, n_neighbors: int
) -> AnchorGraph:
    return AnchorGraph(anchors, sigma, *_weights(distances, float(sigma), n_neighbors))


def _sparse(neighbors: np.ndarray, weights: np.ndarray, n_anchors: int) -> csr_array:
    n, s = neighbors.shape
    starts = np.arange(0, n * s + 1, s)
    return csr_array((weights.ravel(), neighbors.ravel(), starts), shape=(n, n_anchors))
