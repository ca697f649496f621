"""Whether two methods differ: pure functions of per-query values.

All of them take what the benchmark stores of a cell, one value for each query and seed, NaN where
the protocol leaves a query out.  The queries are the same for every seed and every method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmark.significance.bootstrap import chunks, mean_over_queries, ratio

#: Probability of a false alarm anywhere among the comparisons of one column.
LEVEL = 0.05


def paired_test(
    a: np.ndarray, b: np.ndarray, *, n_resamples: int = 9999, random_state: int = 0
) -> float:
    """Two-sided p-value of the paired randomisation test of equal means.

    If two methods are alike, each query might as well have had their values the other way
    round.  The p-value is the share of such exchanges, the sign of each query's difference
    flipped or not, that move the means at least as far apart as they are.  Every exchange is
    tried where there are no more than `n_resamples`; otherwise so many are drawn, and the
    observed one counts among them.

    Parameters
    ----------
    a, b : (queries,) arrays of float64
        Values of the same queries; one with NaN in either is left out.
    n_resamples, random_state : int

    Returns
    -------
    float
        In (0, 1]; 1 for methods whose values are all equal.
    """
    values = np.stack([np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)])
    pairs = np.array([[0, 1]])
    return float(_paired_p_values(values, pairs, n_resamples, random_state)[0])


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values corrected for their number, so that the chance of any false alarm is bounded.

    The i-th smallest of m is multiplied by m - i + 1 (Holm, Scandinavian Journal of Statistics
    1979), and none becomes smaller than one before it.  This holds however the comparisons
    depend on each other.

    Parameters
    ----------
    p_values : (m,) array of float64

    Returns
    -------
    (m,) array of float64
        To be compared with the level as they are.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    corrected = np.empty_like(scaled)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected


@dataclass(frozen=True)
class Comparison:
    """All pairs of methods on the same queries.

    Attributes
    ----------
    methods : tuple of str
    means : (m,) array of float64
        :func:`mean_over_queries` of each.
    differences : (m, m) array of float64
        Mean of row minus column over the queries that count for both; antisymmetric.
    p_values : (m, m) array of float64
        Of the paired randomisation test, corrected over all pairs; symmetric, 1 on the diagonal.
    level : float
        A difference is significant if its corrected p-value does not exceed this.
    """

    methods: tuple[str, ...]
    means: np.ndarray
    differences: np.ndarray
    p_values: np.ndarray
    level: float = LEVEL

    def is_better(self, one: str, other: str) -> bool:
        """Whether `one` has the larger mean and the difference is significant."""
        i, j = self.methods.index(one), self.methods.index(other)
        return bool(self.differences[i, j] > 0 and self.p_values[i, j] <= self.level)

    def worse_than(self, method: str) -> tuple[str, ...]:
        """The methods that `method` is significantly better than."""
        return tuple(other for other in self.methods if self.is_better(method, other))


def compare_methods(
    per_query: Mapping[str, np.ndarray], *, level: float = LEVEL, random_state: int = 0
) -> Comparison:
    """Compare every pair of methods by the paired randomisation test, with Holm's correction.

    Values are averaged over seeds first: what is tested is whether the methods, trained as often
    as they were, differ on such queries.

    Parameters
    ----------
    per_query : mapping of str to (seeds, queries) array of float64
        Seeds may differ in number, queries may not.
    level : float
    random_state : int

    Raises
    ------
    ValueError
        If the methods have not met the same number of queries.
    """
    arrays = [np.atleast_2d(np.asarray(v, dtype=np.float64)) for v in per_query.values()]
    if len({array.shape[1] for array in arrays}) > 1:
        raise ValueError("methods must be compared on the same queries")
    m = len(arrays)
    differences, p_values = np.zeros((m, m)), np.ones((m, m))
    pairs = np.array([(i, j) for i in range(m) for j in range(i + 1, m)]).reshape(-1, 2)
    if len(pairs):
        values = np.stack([_mean_over_seeds(array) for array in arrays])
        # Enough exchanges for the smallest corrected p-value to be a fifth of the level.
        n_resamples = max(9999, int(np.ceil(5 * len(pairs) / level)) - 1)
        p = holm(_paired_p_values(values, pairs, n_resamples, random_state))
        i, j = pairs.T
        delta = values[i] - values[j]
        both = ~np.isnan(delta)
        d = np.nan_to_num(ratio(np.where(both, delta, 0).sum(axis=1), both.sum(axis=1)))
        differences[i, j], differences[j, i] = d, -d
        p_values[i, j] = p_values[j, i] = p
    means = np.array([mean_over_queries(array) for array in arrays])
    return Comparison(tuple(per_query), means, differences, p_values, level)


def _paired_p_values(
    values: np.ndarray, pairs: np.ndarray, n_resamples: int, random_state: int
) -> np.ndarray:
    """p-value of each pair of rows, with the same exchanges of queries for all pairs.

    A flipped difference of two methods is the difference of their flipped values, so that one
    matrix product serves every pair.  A query that one of two methods lacks must not count for
    the other: the product is made once for each pattern of missing queries.
    """
    n_queries = values.shape[1]
    counted = ~np.isnan(values)
    filled = np.where(counted, values, 0)
    patterns, pattern_of = np.unique(counted, axis=0, return_inverse=True)
    pattern_of = pattern_of.reshape(-1)
    i, j = pairs.T
    masked = filled[None] * patterns[:, None]
    observed = np.abs(masked[pattern_of[j], i].sum(axis=1) - masked[pattern_of[i], j].sum(axis=1))
    # Sums in another order differ by rounding, which must not decide.
    size = np.abs(filled).sum(axis=1)
    least = observed - 1e-12 * (size[i] + size[j])
    reached, tried = np.zeros(len(pairs), dtype=np.int64), 0
    for signs in _exchanges(n_queries, n_resamples, random_state):
        flipped = np.einsum("gmq,cq->gmc", masked, signs, optimize=True)
        moved = np.abs(flipped[pattern_of[j], i] - flipped[pattern_of[i], j])
        reached += (moved >= least[:, None]).sum(axis=1)
        tried += len(signs)
    if _is_enumerable(n_queries, n_resamples):
        return reached / tried
    return (reached + 1) / (tried + 1)


def _is_enumerable(n_queries: int, n_resamples: int) -> bool:
    return n_queries <= 62 and 2**n_queries <= n_resamples


def _exchanges(n_queries: int, n_resamples: int, random_state: int) -> Iterator[np.ndarray]:
    """Rows of signs, all of them or drawn, some at a time."""
    if _is_enumerable(n_queries, n_resamples):
        codes = np.arange(2**n_queries)[:, None] >> np.arange(n_queries)
        yield 1.0 - 2.0 * (codes & 1)
        return
    rng = np.random.default_rng(random_state)
    for size in chunks(n_resamples, n_queries):
        yield rng.integers(0, 2, (size, n_queries), dtype=np.int8) * 2.0 - 1.0


def _mean_over_seeds(values: np.ndarray) -> np.ndarray:
    """Mean of each query over the seeds for which it counts; NaN if there are none."""
    counted = ~np.isnan(values)
    return ratio(np.where(counted, values, 0).sum(axis=0), counted.sum(axis=0))
