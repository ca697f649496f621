"""Additive codebooks: an item is a sum of code words, one from each codebook.

The error of a code is measured through inner products with given vectors V (T, e), in WSDHQ the
word vectors of the tags: ``||r - x||_G^2 = sum_t (v_t . (r - x))^2`` with G = V'V.
:func:`metric_factor` turns that into plain Euclidean distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_array
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils import gen_batches

#: Items whose codes are chosen at once: bounds the (items, code words) matrix of products.
ROWS_AT_ONCE = 4096
#: Bits of an item's code at most: at 512 the inner products of all code words take over 6 GB.
MOST_BITS = 256
#: Keeps the update of the codebooks solvable where code words are unused or always used together.
RIDGE = 1e-3
#: Decimals of embeddings that tell items apart; single precision has seven digits.
DECIMALS = 6
#: Updated code words of a smaller squared norm were hardly used and keep their old value.
SMALLEST_SQUARED_NORM = 1e-8


@dataclass(frozen=True)
class Codebooks:
    """M codebooks of K_1 .. K_M code words each, one below the other.

    Attributes
    ----------
    words : (K_1 + .. + K_M, e) array of float64
    sizes : tuple of int
        K_1 .. K_M.
    """

    words: np.ndarray
    sizes: tuple[int, ...]

    @property
    def starts(self) -> np.ndarray:
        """First row of each codebook, and the number of all rows."""
        return np.cumsum([0, *self.sizes])

    def one_hot(self, codes: np.ndarray) -> csr_array:
        """H, shape (n, K_1 + .. + K_M), with a one for each code word of codes (n, M)."""
        n, M = codes.shape
        ends = np.arange(0, n * M + 1, M)
        return csr_array(
            (np.ones(n * M), (codes + self.starts[:-1]).ravel(), ends), shape=(n, len(self.words))
        )

    def reconstruct(self, codes: np.ndarray) -> np.ndarray:
        """The sums of code words that codes (n, M) stand for, shape (n, e)."""
        return self.one_hot(codes) @ self.words

    def tables(self, queries: np.ndarray) -> np.ndarray:
        """Inner products of queries (q, e) with all code words, zero beyond the K_m of a codebook.

        Returns
        -------
        (q, M, max K_m) array of float32
        """
        products = queries @ self.words.T
        tables = np.zeros((len(queries), len(self.sizes), max(self.sizes)), dtype=np.float32)
        for m, (start, size) in enumerate(zip(self.starts, self.sizes, strict=False)):
            tables[:, m, :size] = products[:, start : start + size]
        return tables


def metric_factor(V: np.ndarray) -> np.ndarray:
    """F with F F' = V'V, so that ``||x||_G = ||x F||``, shape (e, min(T, e)).

    It is the Cholesky factor of V'V up to the signs of its columns, computed without forming V'V
    and also where V'V is singular.
    """
    return np.linalg.qr(np.asarray(V, dtype=np.float64), mode="r").T


def skip_codebooks(n_bits: int) -> str | None:
    """Why codebooks of so many bits together cannot be learnt, or None."""
    if n_bits > MOST_BITS:
        return f"needs bits <= {MOST_BITS}: the products of all code words would take gigabytes"
    return None


def initial_codebooks(
    R: np.ndarray, sizes: Sequence[int], random_state: int | None = None
) -> Codebooks:
    """Code words that are k-means centres on disjoint blocks of e // M dimensions, zero elsewhere.

    Parameters
    ----------
    R : (n, e) array of float
        Items; where fewer than K_m are distinct, they are the code words, and the rest is zero.
    sizes : sequence of int
        K_1 .. K_M, with M <= e.
    random_state : int, optional
        Seed of k-means.

    Raises
    ------
    ValueError
        If there are more codebooks than dimensions.
    """
    e, M = R.shape[1], len(sizes)
    if e < M:
        raise ValueError(f"needs at most one codebook for each of {e} dimensions, not {M}")
    codebooks = Codebooks(np.zeros((sum(sizes), e)), tuple(sizes))
    for m, start in enumerate(codebooks.starts[:-1]):
        columns = slice(m * (e // M), (m + 1) * (e // M))
        centres = _centres(np.asarray(R[:, columns], dtype=np.float64), sizes[m], random_state)
        codebooks.words[start : start + len(centres), columns] = centres
    return codebooks


def sweep_order(n_codebooks: int, n_sweeps: int, random_state: int | None = None) -> np.ndarray:
    """Which codebook each update of :func:`icm_codes` looks at: every sweep in an order of its own.

    Returns
    -------
    (n_sweeps * n_codebooks,) array of int
    """
    rng = np.random.default_rng(random_state)
    return np.concatenate([rng.permutation(n_codebooks) for _ in range(n_sweeps)])


def icm_codes(
    R: np.ndarray, codebooks: Codebooks, factor: np.ndarray, order: Sequence[int]
) -> np.ndarray:
    """Code words of small error ``||r - sum_m c_m||_G``, by iterated conditional modes (ICM).

    Each update picks the code word of one codebook that leaves the smallest error, given those of
    the other codebooks.  At first no codebook contributes anything.

    Parameters
    ----------
    R : (n, e) array of float
        Items; each is handled on its own.
    codebooks : Codebooks
    factor : (e, f) array
        Of the metric G, from :func:`metric_factor`.
    order : sequence of int
        Codebook of each update, from :func:`sweep_order`; each must occur.

    Returns
    -------
    (n, M) array of uint8
    """
    words = codebooks.words @ factor
    inner = words @ words.T
    codes = np.zeros((len(R), len(codebooks.sizes)), dtype=np.uint8)
    for rows in gen_batches(len(R), ROWS_AT_ONCE):
        # ||r - x - c||^2 / 2 = c.c / 2 - r.c + x.c + (what does not depend on c), all inside G.
        alone = np.diag(inner) / 2 - (R[rows] @ factor) @ words.T
        _choose(alone, inner, codebooks.starts, np.asarray(order), codes[rows])
    return codes


def update_codebooks(codebooks: Codebooks, R: np.ndarray, codes: np.ndarray) -> Codebooks:
    """The codebooks of least squared error for given codes, ``(H'H + 0.001 I)^{-1} H'R``.

    H (n, K_1 + .. + K_M) holds the codes as ones.  Code words whose new squared norm is below
    1e-8, such as unused ones, keep their old value.

    Parameters
    ----------
    codebooks : Codebooks
    R : (n, e) array of float
        Items.
    codes : (n, M) array of integers
    """
    H = codebooks.one_hot(codes)
    gram = (H.T @ H).toarray() + RIDGE * np.eye(len(codebooks.words))
    words = solve(gram, H.T @ np.asarray(R, dtype=np.float64), assume_a="pos")
    kept = (words**2).sum(axis=1) < SMALLEST_SQUARED_NORM
    words[kept] = codebooks.words[kept]
    return Codebooks(words, codebooks.sizes)


def _centres(X: np.ndarray, n_centres: int, random_state: int | None) -> np.ndarray:
    """k-means centres, or all distinct items where they are as few."""
    # Equal items differ in the last digits of their embeddings, by their place in a batch; code
    # words that are as near to each other would be chosen between at random.
    distinct = _distinct_rows(X[: 2 * n_centres])
    if len(distinct) <= n_centres:
        distinct = _distinct_rows(X)
    if len(distinct) <= n_centres:
        return X[distinct]
    means = MiniBatchKMeans(n_centres, n_init=1, random_state=random_state)
    return means.fit(X).cluster_centers_


def _distinct_rows(X: np.ndarray) -> np.ndarray:
    """Numbers of rows that differ from each other in more than the last digits."""
    return np.unique(np.round(X, DECIMALS), axis=0, return_index=True)[1]


@numba.njit(cache=True, nogil=True)
def _choose(alone, inner, starts, order, codes):  # noqa: ANN001, ANN202
    """The updates of :func:`icm_codes`, into codes (n, M).

    ``alone`` (n, all code words) is half the change of the squared error that a code word makes
    without the others, ``inner`` holds the inner products of all code words, and codebook m has the
    rows from ``starts[m]`` up to ``starts[m + 1]``.
    """
    n, M = codes.shape
    buffer = np.empty(np.diff(starts).max())
    contributes = np.empty(M, dtype=np.bool_)
    for i in range(n):
        contributes[:] = False
        for m in order:
            costs = buffer[: starts[m + 1] - starts[m]]
            costs[:] = alone[i, starts[m] : starts[m + 1]]
            for other in range(M):
                if contributes[other] and other != m:
                    with_other = inner[starts[other] + codes[i, other], starts[m] : starts[m + 1]]
                    for k in range(len(costs)):
                        costs[k] += with_other[k]
            codes[i, m] = np.argmin(costs)
            contributes[m] = True
