"""Discrete image hashing from weakly annotated photos (DIH), a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from methods import Hasher, Task, register
from methods.algebra.blocks import centred
from methods.algebra.pca import skip_pca
from methods.unsupervised.itq import ITQ


@register(
    "dih",
    paper="Zhang et al., AAAI 2016",
    supervision="tags",
    fidelity="reconstruction",
)
class DIH(Hasher):
    """Binary codes for items and for tags that agree where an item has a tag, and their regression.

    A reconstruction from what the abstract tells: collaborative filtering of image-tag pairs with
    codes that stay binary throughout.  The paper's formulas are not known; its results must not
    be expected.  Minimises over codes B of the items, D of the tags (-1 or +1) and a projection W::

        sum_pairs (r - b_i'd_t / (2 b) - 1/2)^2 + mu/b ||B - Xc W||_F^2 + lambda/b s ||W||_F^2
            + nu (||1'B||^2 / n + ||1'D||^2 / V)

    where Xc holds the centred features and s their mean squared length, and the pairs are all
    tags of items (r = 1) and as many other tags of the same items, drawn at random (r = 0).  W,
    the columns of B and those of D take turns, each set to its exact minimiser given the others.
    New items get the signs of Xc W.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1): B starts from the codes of ITQ.
    mu : float
        Weight of the distance between codes and projections, positive.  It is divided by b
        because what one bit can do for the pairs is of order 1 / b; without that the pairs have
        no say in long codes.
    lam : float
        lambda, weight of the ridge, positive.  The factor s makes the codes independent of the
        scale of the features.
    nu : float
        Weight of balanced bits.
    n_iter : int
        Most rounds of the alternation; it stops when no bit changes any more.
    random_state : int, optional
        Seed of ITQ and of the pairs with r = 0.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    W_ : (d, b) array
    codes_, tag_codes_ : (n, b) array, (V, b) array of float
        B and D.
    losses_ : array
        The objective after each step (W, B, D) from the first W on; never increases.

    References
    ----------
    H. Zhang, N. Zhao, X. Shang, H. Luan, T.-S. Chua, "Discrete image hashing using large weakly
    annotated photo collections", AAAI 2016.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        mu: float = 1.0,
        lam: float = 1.0,
        nu: float = 1e-3,
        n_iter: int = 20,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.mu = mu
        self.lam = lam
        self.nu = nu
        self.n_iter = n_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        if self.mu <= 0 or self.lam <= 0:
            return "needs mu > 0 and lam > 0"
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d, b = task.n_train, task.n_features, self.n_bits
        start = ITQ(b).operations(task) + 2 * n * d**2 + d**3
        # An item with ten tags has twenty pairs, each visited twice for every bit.
        return start + self.n_iter * b * (4 * n * d + 2 * 20 * 10 * n)

    def fit(self, X: np.ndarray, *, tags: csr_array | None = None, labels: None = None) -> DIH:
        X = self.check_training_data(X)
        b, Xc = self.n_bits, centred(X)
        pairs = draw_pairs(tags, np.random.default_rng(self.random_state))
        B = np.where(ITQ(b, random_state=self.random_state).fit(X).encode(X), 1.0, -1.0)
        D = np.where(csr_array(tags).astype(float).T @ B > 0, 1.0, -1.0)
        scatter = Xc.scatter()
        # Items that are all equal have no scale.
        shrinkage = self.lam * (np.trace(scatter) / len(X) or 1.0)
        ridge = cho_factor(scatter + shrinkage / self.mu * np.eye(X.shape[1]))
        losses = []
        for _ in range(self.n_iter):
            before = B.copy(), D.copy()
            W = cho_solve(ridge, Xc.transposed_times(B))
            P = Xc.times(W)
            losses.append(self._objective(pairs, B, D, P, shrinkage / b * np.sum(W**2)))
            update_codes(B, D, pairs.items, pairs.tags, pairs.r, 2 * self.mu / b * P, self.nu)
            losses.append(self._objective(pairs, B, D, P, shrinkage / b * np.sum(W**2)))
            update_codes(D, B, pairs.tags, pairs.items, pairs.r, np.zeros_like(D), self.nu)
            losses.append(self._objective(pairs, B, D, P, shrinkage / b * np.sum(W**2)))
            if np.array_equal(B, before[0]) and np.array_equal(D, before[1]):
                break
        self.mean_, self.W_, self.codes_, self.tag_codes_ = Xc.mean, W, B, D
        self.losses_ = np.array(losses)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_

    def _objective(
        self, pairs: Pairs, B: np.ndarray, D: np.ndarray, P: np.ndarray, penalty: float
    ) -> float:
        """The objective, for the projections P = Xc W and the ridge's penalty of W."""
        fit = np.sum(misfit(B, D, pairs.items, pairs.tags, pairs.r) ** 2)
        regression = self.mu / self.n_bits * np.sum((B - P) ** 2) + penalty
        balance = sum(np.sum(codes.sum(axis=0) ** 2) / len(codes) for codes in (B, D))
        return fit + regression + self.nu * balance


@dataclass(frozen=True)
class Pairs:
    """Pairs of items and tags, arrays of shape (p,): indices, and r = 1 where the item has it."""

    items: np.ndarray
    tags: np.ndarray
    r: np.ndarray


def draw_pairs(tags: csr_array, rng: np.random.Generator) -> Pairs:
    """All tags of all items, and for each one a random tag that the same item does not have.

    An item that has every tag gets no pairs with r = 0.
    """
    hot = csr_array(csr_array(tags) > 0).tocoo()
    (items, own), n_tags = hot.coords, hot.shape[1]
    taken = np.sort(items.astype(np.int64) * n_tags + own)
    open_items = items[np.bincount(items, minlength=hot.shape[0])[items] < n_tags]
    others = rng.integers(0, n_tags, len(open_items))
    while len(clash := np.flatnonzero(np.isin(open_items * np.int64(n_tags) + others, taken))):
        others[clash] = rng.integers(0, n_tags, len(clash))
    r = np.repeat([1.0, 0.0], [len(own), len(others)])
    return Pairs(np.concatenate([items, open_items]), np.concatenate([own, others]), r)


def misfit(
    B: np.ndarray, D: np.ndarray, rows: np.ndarray, others: np.ndarray, r: np.ndarray
) -> np.ndarray:
    """``r - b_i'd_t / (2 b) - 1/2`` for every pair, shape (p,)."""
    agreement = np.zeros(len(rows))
    for k in range(B.shape[1]):
        agreement += B[rows, k] * D[others, k]
    return r - 0.5 - agreement / (2 * B.shape[1])


def update_codes(
    B: np.ndarray,
    D: np.ndarray,
    rows: np.ndarray,
    others: np.ndarray,
    r: np.ndarray,
    pull: np.ndarray,
    nu: float,
) -> None:
    """Set one column of B after the other, in place, to the exact minimiser given the rest.

    With the other bits fixed, the squared misfit of a pair is linear in the bit, so that the
    objective of a column x is ``-gain'x + nu (1'x)^2 / n`` but for a constant.

    Parameters
    ----------
    B, D : (n, b) and (V, b) arrays of float
        Codes to change and codes of the other side.
    rows, others : (p,) arrays of int
        The pairs: rows of B and of D.
    r : (p,) array
    pull : (n, b) array
        Gain of each bit from elsewhere.
    nu : float
    """
    n, b = B.shape
    left = misfit(B, D, rows, others, r)
    for k in range(b):
        d = D[others, k] / (2 * b)
        left += B[rows, k] * d
        gain = 2 * np.bincount(rows, left * d, n) + pull[:, k]
        B[:, k] = balanced_signs(gain, B[:, k], nu / n)
        left -= B[rows, k] * d


def balanced_signs(gain: np.ndarray, x: np.ndarray, weight: float) -> np.ndarray:
    """The x in {-1, +1}^n that minimises ``-gain'x + weight (1'x)^2``; the given x on ties.

    For a given number of +1 they go to the largest gains, so that only n + 1 candidates remain.
    """
    n = len(gain)
    order = np.argsort(-gain, kind="stable")
    won = np.concatenate([[0], np.cumsum(gain[order])])
    count = np.arange(n + 1)
    costs = won[-1] - 2 * won + weight * (2.0 * count - n) ** 2
    best = costs.argmin()
    now = -(gain @ x) + weight * x.sum() ** 2
    if not costs[best] < now - 1e-12 * (np.abs(gain).sum() + abs(now)):
        return x
    signs = np.full(n, -1.0)
    signs[order[:best]] = 1.0
    return signs
