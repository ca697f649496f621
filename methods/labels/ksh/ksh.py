"""Supervised hashing with kernels (KSH)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh
from scipy.sparse import csr_array

from methods import Hasher, Task, register
from methods.algebra.anchors import usable_anchors
from methods.algebra.pca import fix_signs
from methods.labels.ksh.kernel import kernel_map
from methods.labels.ksh.pairwise import PairwiseLabels, pairwise_labels

#: Ridge on the diagonal of K'K as a share of its mean, where it is singular without one.
RIDGE = 1e-6

#: How often one step of the refinement may double the bound on the curvature.
MAX_DOUBLINGS = 50


@register(
    "ksh",
    paper="Liu et al., CVPR 2012",
    supervision="labels",
    fidelity="author-code",
)
class KSH(Hasher):
    """Bits on kernel values whose agreement tells whether two items share a label.

    Minimises ``||Y Y' / b - S0||_F^2`` over the codes Y = sgn(K A) of l labelled
    items, where K holds their centred kernel values on m anchors and S0 is +1 for pairs with a
    common label and -1 for the others.  One bit after the other fits what the earlier ones left,
    ``S = b S0 - sum y y'``: it maximises ``y'S y``, first without the sign (the eigenvector of
    ``K'S K a = lambda K'K a`` with the largest eigenvalue), then with the smooth sign
    ``phi(z) = 2 / (1 + exp(-z)) - 1`` by accelerated gradient descent.  The result
    of the descent is kept only where its true ``y'S y`` is the larger one.

    Parameters
    ----------
    n_bits : int
        Code length b.
    labels : {"labels", "tags"}
        What makes two items similar: a common label, or a common tag.
    n_anchors : int
        m; training items drawn at random, or all, with a warning, where they are fewer.
    n_labelled : int
        l, training items drawn at random from those that have labels, or all of these if they
        are fewer.
    n_steps : int
        Most steps of the descent for one bit.
    tol : float
        Stop the descent when the objective per labelled item changes by no more than this.
    random_state : int, optional
        Seed of both draws, which are independent of each other.

    Attributes
    ----------
    kernel_ : KernelMap
        Anchors, width and centre of the kernel.
    W_ : (m, b) array
        A, the weights of the kernel values.
    labelled_ : (l,) array of int
        Rows of the labelled items in the training set.
    codes_ : (l, b) array of float
        Y, their codes, -1 or +1.
    residuals_ : (b + 1,) array
        ``||S||_F^2`` at the start and after each bit.

    References
    ----------
    W. Liu, J. Wang, R. Ji, Y.-G. Jiang, S.-F. Chang, "Supervised hashing with kernels",
    CVPR 2012.
    """

    choices: ClassVar[dict] = {"labels": ("labels", "tags")}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        labels: str = "labels",
        n_anchors: int = 300,
        n_labelled: int = 2000,
        n_steps: int = 500,
        tol: float = 1e-2,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.labels = labels
        self.n_anchors = n_anchors
        self.n_labelled = n_labelled
        self.n_steps = n_steps
        self.tol = tol
        self.random_state = random_state

    @property
    def uses(self) -> tuple[str, ...]:
        return (self.labels,)

    def operations(self, task: Task) -> float:
        n, m, b = task.n_train, self.n_anchors, self.n_bits
        kernel = 4.0 * n * task.n_features * m
        step = 8 * min(n, self.n_labelled) * m
        return kernel + b * (9 * m**3 + self.n_steps * step)

    def fit(
        self, X: np.ndarray, *, tags: csr_array | None = None, labels: np.ndarray | None = None
    ) -> KSH:
        X = self.check_training_data(X)
        given = csr_array(tags if self.labels == "tags" else labels)
        self.labelled_ = draw_labelled(given, self.n_labelled, self.random_state)
        n_anchors = usable_anchors(self.n_anchors, len(X))
        self.kernel_ = kernel_map(X, n_anchors=n_anchors, random_state=self.random_state)
        K = self.kernel_.values(X[self.labelled_])
        self._learn_bits(K, pairwise_labels(given[self.labelled_]))
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return self.kernel_.values(X) @ self.W_

    def _learn_bits(self, K: np.ndarray, S0: PairwiseLabels) -> None:
        n, m = K.shape
        KK = K.T @ K
        KSK = self.n_bits * S0.quadratic(K)
        A, Y = np.zeros((m, self.n_bits)), np.zeros((n, self.n_bits), order="F")
        residuals = [float(self.n_bits * n) ** 2]
        for r in range(self.n_bits):
            S = Residual(S0, self.n_bits, Y[:, :r])
            start = spectral_start(KSK, KK, n)
            candidates = [start, refine(K, S, start, self.n_steps, self.tol * n)]
            codes = [np.where(K @ a > 0, 1.0, -1.0) for a in candidates]
            fits = [y @ S.times(y) for y in codes]
            best = int(fits[1] > fits[0])
            A[:, r], Y[:, r] = candidates[best], codes[best]
            Ky = K.T @ Y[:, r]
            KSK -= np.outer(Ky, Ky)
            residuals.append(residuals[-1] - 2 * fits[best] + n**2)
        self.W_, self.codes_, self.residuals_ = A, Y, np.array(residuals)


class Residual(NamedTuple):
    """``S = b S0 - Y Y'``: what the bits found so far leave to the next one."""

    S0: PairwiseLabels
    n_bits: int
    Y: np.ndarray

    def times(self, v: np.ndarray) -> np.ndarray:
        """``S v``, shape (l,)."""
        return self.n_bits * self.S0.times(v) - self.Y @ (v @ self.Y)


def draw_labelled(labels: csr_array, count: int, random_state: int | None) -> np.ndarray:
    """Rows of at most `count` items drawn from those that have labels, sorted."""
    rows = np.flatnonzero(labels.sum(axis=1) > 0)
    if not len(rows):
        raise ValueError("KSH: no training item has a label")
    # A stream of its own: from that of the anchors all anchors would be labelled items.
    (rng,) = np.random.default_rng(random_state).spawn(1)
    return np.sort(rng.permutation(rows)[:count])


def spectral_start(KSK: np.ndarray, KK: np.ndarray, n: int) -> np.ndarray:
    """The a of largest ``a'K'S K a`` with ``a'K'K a = n``, shape (m,)."""
    m = len(KK)
    a = fix_signs(eigh(KSK, regular(KK), subset_by_index=(m - 1, m - 1))[1])[:, 0]
    length = a @ KK @ a
    return a * np.sqrt(n / length) if length > 0 else a


def regular(KK: np.ndarray) -> np.ndarray:
    """K'K itself, as the authors have it, or with a ridge where its factorisation fails.

    It fails where anchors repeat each other or outnumber the labelled items, up to rounding:
    where a pivot is zero but for rounding, chance would decide whether the factorisation ends.
    """
    m = len(KK)
    try:
        pivots = np.diag(cholesky(KK)) ** 2
    except LinAlgError:
        pivots = np.zeros(m)
    if pivots.min() > 10 * m * np.finfo(float).eps * np.diag(KK).max():
        return KK
    return KK + RIDGE * (np.trace(KK) / m or 1.0) * np.eye(m)


def smooth_cost(S: Residual, scores: np.ndarray) -> tuple[float, np.ndarray]:
    """``-phi(s)'S phi(s)`` for the scores s = K a, and its gradient with respect to them, (l,)."""
    phi = np.tanh(scores / 2)
    S_phi = S.times(phi)
    return -(phi @ S_phi), S_phi * (phi**2 - 1)


def refine(K: np.ndarray, S: Residual, a: np.ndarray, n_steps: int, tol: float) -> np.ndarray:
    """Lower :func:`smooth_cost` by Nesterov's accelerated descent, starting from a.

    The bound c on the curvature starts at 1 and doubles until the step from v to z satisfies
    ``cost(z) <= cost(v) + g'(z - v) + c/2 ||z - v||^2``; it is kept for the next step.

    Parameters
    ----------
    K : (l, m) array
    S : Residual
    a : (m,) array
    n_steps : int
        Most steps.
    tol : float
        Stop when a step changes the cost by no more than this.

    Returns
    -------
    (m,) array
    """
    # Scores travel with their vectors: those of v follow from those of a without a product.
    now = before = np.concatenate([a, K @ a])
    m = len(a)
    cost, momentum, next_momentum, curvature = smooth_cost(S, now[m:])[0], 0.0, 1.0, 1.0
    for _ in range(n_steps):
        v = now + (momentum - 1) / next_momentum * (now - before)
        cost_v, slope = smooth_cost(S, v[m:])
        gradient = K.T @ slope
        direction = np.concatenate([gradient, K @ gradient])
        for _ in range(MAX_DOUBLINGS):
            z = v - direction / curvature
            cost_z = smooth_cost(S, z[m:])[0]
            if cost_z <= cost_v - gradient @ gradient / (2 * curvature):
                break
            curvature *= 2
        now, before = z, now
        momentum, next_momentum = next_momentum, (1 + np.sqrt(1 + 4 * next_momentum**2)) / 2
        if abs(cost_z - cost) <= tol:
            break
        cost = cost_z
    return now[:m]
