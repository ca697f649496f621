"""Supervised discrete hashing (SDH)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.linalg import eigh, solve
from scipy.sparse import csr_array

from methods import Hasher, Task, register
from methods.algebra.anchors import usable_anchors
from methods.labels.ksh.kernel import kernel_map
from methods.labels.ksh.ksh import regular

#: Ridges that are tried, as shares of the mean of the diagonal of K'K.
RIDGES = 10.0 ** np.arange(-7, 0.5, 0.5)


@register("sdh", paper="Shen et al., CVPR 2015", supervision="labels", fidelity="adapted")
class SDH(Hasher):
    """Bits from which a linear classifier tells the labels, learnt as bits throughout.

    With Y the labels of the n training items, K their centred kernel values on m anchors, and B
    in {-1, +1}^(n x b), it minimises (equation 3 with the squared loss)

        ``||Y - B W||^2 + lam ||W||^2 + nu ||B - K P||^2``

    in W, P and B in turn.  W and P are ridge and least-squares solutions; the columns of B follow
    one another (discrete cyclic coordinate descent, equation 11): with ``Q = Y W' + nu K P``, the
    best column k for fixed other columns is ``sgn(q_k - B_rest W_rest w_k)``.  No step raises the
    objective.  A bit is ``K P > 0``, where P is at last fitted to B once more, see `ridge`.

    Parameters
    ----------
    n_bits : int
        Code length b.
    n_anchors : int
        m; training items drawn at random, or all, with a warning, where they are fewer.
    lam, nu : float
        Weights of the classifier's ridge and of the distance of bits from kernel scores.
    n_iter : int
        Rounds over W, P and B.
    n_sweeps : int
        Most sweeps over the columns of B in one round; they end once no bit changes.
    ridge : {"gcv", "none"}
        ``gcv``: the final P is a ridge regression whose ridge has the least generalised
        cross-validation error on B; ``none``: least squares, as in the paper, which fits few items
        too closely (mAP at 32 bits with 300 and 4,500 training items of Corel5k: 0.150 and 0.372,
        with ``none`` 0.123 and 0.404).
    preset : {"default", "paper"}
        ``paper``: without the ridge.
    random_state : int, optional
        Seed of the anchors and of the first B.

    Attributes
    ----------
    kernel_ : KernelMap
        Anchors, width and centre of the kernel.
    W_ : (m, b) array
        P, the weights of the kernel values.
    codes_ : (l, b) array of float
        B of the items that have labels.
    losses_ : (n_iter + 1,) array
        The objective after the first classifier and after every round.

    Raises
    ------
    ValueError
        If no training item has a label.

    References
    ----------
    F. Shen, C. Shen, W. Liu, H. T. Shen, "Supervised discrete hashing", CVPR 2015.
    """

    choices: ClassVar[dict] = {"ridge": ("gcv", "none")}
    presets: ClassVar[dict] = {"paper": {"ridge": "none"}}
    grid: ClassVar[dict] = {"nu": (1e-5, 1e-3, 1e-1)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        n_anchors: int = 1000,
        lam: float = 1.0,
        nu: float = 1e-5,
        n_iter: int = 5,
        n_sweeps: int = 10,
        ridge: str = "gcv",
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.n_anchors = n_anchors
        self.lam = lam
        self.nu = nu
        self.n_iter = n_iter
        self.n_sweeps = n_sweeps
        self.ridge = ridge
        self.preset = preset
        self.random_state = random_state

    def operations(self, task: Task) -> float:
        n, m, b = task.n_train, min(self.n_anchors, task.n_train), self.n_bits
        kernel = 2.0 * n * task.n_features * m + 2.0 * n * m**2
        return kernel + self.n_iter * (4.0 * n * m * b + self.n_sweeps * 2.0 * n * b**2)

    def fit(
        self, X: np.ndarray, *, tags: None = None, labels: np.ndarray | csr_array | None = None
    ) -> SDH:
        X = self.check_training_data(X)
        Y = csr_array(labels, dtype=np.float64).toarray()
        marked = np.flatnonzero(Y.sum(axis=1) > 0)
        if not len(marked):
            raise ValueError("SDH: no training item has a label")
        X, Y = X[marked], Y[marked]
        n_anchors = usable_anchors(self.n_anchors, len(X))
        self.kernel_ = kernel_map(X, n_anchors=n_anchors, random_state=self.random_state)
        self._learn_bits(self.kernel_.values(X), Y)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return self.kernel_.values(X) @ self.W_

    def _learn_bits(self, K: np.ndarray, Y: np.ndarray) -> None:
        rng = np.random.default_rng(self.random_state)
        B = np.where(rng.standard_normal((len(K), self.n_bits)) > 0, 1.0, -1.0)
        KK = regular(K.T @ K)
        W, P = classifier(B, Y, self.lam), solve(KK, K.T @ B, assume_a="pos")
        losses = [objective(Y, B, W, K @ P, self.lam, self.nu)]
        for _ in range(self.n_iter):
            B = discrete_codes(B, Y @ W.T + self.nu * (K @ P), W, self.n_sweeps)
            W, P = classifier(B, Y, self.lam), solve(KK, K.T @ B, assume_a="pos")
            losses.append(objective(Y, B, W, K @ P, self.lam, self.nu))
        self.codes_, self.losses_ = B, np.array(losses)
        self.W_ = cross_validated(K, B) if self.in_force().ridge == "gcv" else P


def cross_validated(K: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Weights of the ridge regression of B on K with the least generalised cross-validation error.

    The error is ``||B - H B||^2 / (1 - tr H / n)^2`` with ``H = K (K'K + r I)^-1 K'`` (Golub,
    Heath, Wahba, Technometrics 21(2), 1979); r is one of :data:`RIDGES` times the mean of the
    diagonal of K'K.

    Parameters
    ----------
    K : (n, m) array
    B : (n, b) array

    Returns
    -------
    (m, b) array
    """
    n = len(K)
    values, V = eigh(K.T @ K)
    values = np.maximum(values, 0)
    parts = V.T @ (K.T @ B)
    found = []
    for ridge in RIDGES * (values.mean() or 1.0):
        shrunk = parts / (values + ridge)[:, None]
        # ||B - H B||^2 from the parts: no product with K again.
        residual = (B**2).sum() - 2 * (shrunk * parts).sum() + (values[:, None] * shrunk**2).sum()
        free = 1 - (values / (values + ridge)).sum() / n
        found.append((residual / max(free, 1 / n) ** 2, V @ shrunk))
    return min(found, key=lambda pair: pair[0])[1]


def classifier(B: np.ndarray, Y: np.ndarray, lam: float) -> np.ndarray:
    """W of least ``||Y - B W||^2 + lam ||W||^2``, shape (b, c)."""
    return solve(B.T @ B + lam * np.eye(B.shape[1]), B.T @ Y, assume_a="pos")


def discrete_codes(B: np.ndarray, Q: np.ndarray, W: np.ndarray, n_sweeps: int) -> np.ndarray:
    """Columns of B set to their best in turn, ``sgn(q_k - B_rest W_rest w_k)``, old bits at 0.

    Parameters
    ----------
    B : (n, b) array of float
        -1 and +1.
    Q : (n, b) array
        ``Y W' + nu K P``.
    W : (b, c) array
    n_sweeps : int
        Most sweeps over all columns.

    Returns
    -------
    (n, b) array of float
    """
    B, G = np.array(B, order="F"), W @ W.T
    np.fill_diagonal(G, 0)
    for _ in range(n_sweeps):
        changed = False
        for k in range(B.shape[1]):
            score = Q[:, k] - B @ G[:, k]
            column = np.where(score == 0, B[:, k], np.where(score > 0, 1.0, -1.0))
            changed |= bool((column != B[:, k]).any())
            B[:, k] = column
        if not changed:
            break
    return B


def objective(
    Y: np.ndarray, B: np.ndarray, W: np.ndarray, F: np.ndarray, lam: float, nu: float
) -> float:
    """``||Y - B W||^2 + lam ||W||^2 + nu ||B - F||^2`` with F the kernel scores K P."""
    return float(((Y - B @ W) ** 2).sum() + lam * (W**2).sum() + nu * ((B - F) ** 2).sum())
