"""Weakly-supervised multimodal hashing (WMH), a reconstruction."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import coo_array, csr_array, diags_array
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from methods import Hasher, Task, register
from methods.algebra.blocks import centred
from methods.algebra.pca import fix_signs, skip_pca
from methods.algebra.rotations import quantising_rotation, random_rotation

#: Neighbourhoods handled at once: each copies the features of its k + 1 items.
BLOCKS_AT_ONCE = 512


@register(
    "wmh",
    paper="Tang and Li, TCSVT 2018",
    supervision="tags",
    fidelity="reconstruction",
)
class WMH(Hasher):
    """Orthogonal projections that follow tags and variance and respect visual neighbourhoods.

    A reconstruction from what the abstract tells: semantic structure from tags, local
    discriminative structure and geometry from the features, orthogonal projections, maximum
    entropy, one eigenvalue problem.  The paper's matrices and weights are not known; its results
    must not be expected.  Maximises over W with ``W'W = I``, with Xc the centred features::

        tr W'Xc'(S / n + eta I / n - alpha L_D / m - beta L_G / m) Xc W

    S is the cosine of the items' tag sets (0 without tags) and eta I stands for the entropy.
    L_G and L_D live on at most ``max_graph_items`` items, m of them: L_G is the normalised
    Laplacian of their symmetric k-nearest-neighbour graph with weights
    ``exp(-||x - y||^2 / s^2)``, s the mean distance of neighbours, and L_D the sum over items of
    ``C (C Xi Xi'C + delta I)^-1 C``, where Xi holds an item and its k neighbours and C centres.

    The first axes carry most of what is maximised and the last ones little, so that with W alone
    more bits are no better ones.  The rotation of :class:`~methods.unsupervised.itq.ITQ`, which is
    ours, spreads it evenly and changes neither the maximum nor the distances of items.  Measured on
    Corel5k (mAP at 12, 24, 32, 48 bits): .118 .149 .157 .165 (two seeds), without it .089 .100 .097
    .085.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    eta, alpha, beta : float
        Weights of entropy, local discrimination and geometry against the tags.
    delta : float
        Ridge of the local discrimination, positive, in units of squared features.
    n_neighbors : int
        k, at most n - 1.
    max_graph_items : int
        Items drawn at random for the neighbour graph, if there are more.
    rotation : {"itq", "random", "none"}
        What W is multiplied by; ``none`` is the form that the abstract tells of.
    n_iter : int
        Rounds of ITQ's alternation.
    preset : {"default", "paper"}
        ``paper``: without a rotation.
    random_state : int, optional
        Seed of the draw and of the rotation.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    objective_ : (d, d) array
        The symmetric matrix between W' and W.
    W_ : (d, b) array
        Eigenvectors times the rotation.

    References
    ----------
    J. Tang, Z. Li, "Weakly supervised multimodal hashing for scalable social image retrieval",
    IEEE TCSVT 28(10), 2018.
    """

    choices: ClassVar[dict] = {"rotation": ("itq", "random", "none")}
    presets: ClassVar[dict] = {"paper": {"rotation": "none"}}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        eta: float = 1.0,
        alpha: float = 0.1,
        beta: float = 0.1,
        delta: float = 1.0,
        n_neighbors: int = 5,
        max_graph_items: int = 20_000,
        rotation: str = "itq",
        n_iter: int = 50,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.eta = eta
        self.alpha = alpha
        self.beta = beta
        self.delta = delta
        self.n_neighbors = n_neighbors
        self.max_graph_items = max_graph_items
        self.rotation = rotation
        self.n_iter = n_iter
        self.preset = preset
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        n_graph = min(task.n_train, self.max_graph_items)
        if not 1 <= self.n_neighbors < n_graph:
            return f"needs 1 <= n_neighbors <= min(n, max_graph_items) - 1 = {n_graph - 1}"
        if self.delta <= 0:
            return "needs delta > 0"
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d = task.n_train, task.n_features
        m = min(n, self.max_graph_items)
        rotation = self.n_iter * 4.0 * n * self.n_bits**2
        return 2.0 * d * (n * d + m * m + m * d) + 9.0 * d**3 + rotation

    def fit(self, X: np.ndarray, *, tags: csr_array | None = None, labels: None = None) -> WMH:
        X = self.check_training_data(X)
        Xc, n = centred(X), len(X)
        T = Xc.transposed_times(unit_rows(tags))
        M = T @ T.T / n + self.eta / n * Xc.scatter()
        rng = np.random.default_rng(self.random_state)
        some = np.sort(rng.permutation(n)[: self.max_graph_items])
        if self.alpha or self.beta:
            Z = X[some] - Xc.mean
            graph = neighbours(Z, self.n_neighbors)
            L = self.alpha * local_laplacian(Z, graph[1], self.delta)
            L += self.beta * graph_laplacian(*graph)
            M -= Z.T @ (L @ Z) / len(Z)
        self.mean_, self.objective_ = Xc.mean, (M + M.T) / 2
        d = len(M)
        top = eigh(self.objective_, subset_by_index=(d - self.n_bits, d - 1))[1]
        self.W_ = fix_signs(top[:, ::-1])
        rotation = self.in_force().rotation
        if rotation == "itq":
            V = Xc.times(self.W_)
            self.W_ = self.W_ @ quantising_rotation(V, self.n_iter, self.random_state)[0]
        elif rotation == "random":
            self.W_ = self.W_ @ random_rotation(self.n_bits, self.random_state)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_


def unit_rows(tags: csr_array) -> csr_array:
    """The image-tag matrix as 0 and 1, rows scaled to length 1; rows without tags stay 0."""
    hot = csr_array(tags) > 0
    count = np.maximum(hot.sum(axis=1), 1)
    return csr_array(diags_array(count**-0.5) @ hot)


def neighbours(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances to and indices of the k nearest others of each item, shape (n, k) each."""
    # Without an argument the search leaves each item itself out, also among equal items.
    return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(X).kneighbors()


def graph_laplacian(distances: np.ndarray, index: np.ndarray) -> csr_array:
    """``I - D^-1/2 A D^-1/2`` of the symmetric neighbour graph A with heat-kernel weights.

    Parameters
    ----------
    distances, index : (n, k) arrays
        As from :func:`neighbours`.

    Returns
    -------
    (n, n) sparse array
    """
    n, k = index.shape
    width = distances.mean() or 1.0
    weights = np.exp(-((distances / width) ** 2))
    A = csr_array((weights.ravel(), index.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    A = A.maximum(A.T)
    # A far item's weights may all vanish; it then stands alone.
    root = np.sqrt(np.maximum(A.sum(axis=1), np.finfo(float).tiny))
    scale = diags_array(1 / root)
    return csr_array(diags_array(np.ones(n)) - scale @ A @ scale)


def local_laplacian(X: np.ndarray, index: np.ndarray, delta: float) -> csr_array:
    """Sum over items of ``C (C Xi Xi'C + delta I)^-1 C``, each at the rows of its k + 1 items.

    Parameters
    ----------
    X : (n, d) array
    index : (n, k) array of int
        Neighbours of each item.
    delta : float

    Returns
    -------
    (n, n) sparse array
        At most n (k + 1)^2 entries.
    """
    n = len(X)
    members = np.column_stack([np.arange(n), index])
    size = members.shape[1]
    C = np.eye(size) - 1 / size
    blocks = np.empty((n, size, size))
    for rows in gen_batches(n, BLOCKS_AT_ONCE):
        Xi = C @ X[members[rows]]
        # An outlier makes the matrix singular to the last digit; eigenvalues survive that.
        values, V = np.linalg.eigh(Xi @ Xi.transpose(0, 2, 1))
        V = C @ V
        blocks[rows] = (V / (np.maximum(values, 0) + delta)[:, None]) @ V.transpose(0, 2, 1)
    row = np.repeat(members, size, axis=1)
    column = np.tile(members, (1, size))
    return csr_array(coo_array((blocks.ravel(), (row.ravel(), column.ravel())), shape=(n, n)))
