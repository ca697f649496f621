"""Which methods differ significantly: every pair of a column, corrected for their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.significance.bootstrap import mean_over_queries
from benchmark.significance.paired import paired_differences

#: Probability of a false alarm anywhere among the comparisons of one column.
LEVEL = 0.05


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
class PairwiseTests:
    """All pairs of methods on the same queries.

    Two questions are asked of them, and each is a family of tests of its own: which methods are
    worse than the best (m - 1 tests), and which of any two is better (all pairs).

    Attributes
    ----------
    methods : tuple of str
    means : (m,) array of float64
        :func:`mean_over_queries` of each.
    differences : (m, m) array of float64
        Mean of row minus column over the queries that count for both; antisymmetric.
    p_values : (m, m) array of float64
        Of no difference, corrected over all pairs; symmetric, 1 on the diagonal.
    level : float
        A difference is significant if its corrected p-value does not exceed this.
    against_best : (m,) array of float64, optional
        Of no difference from the method with the largest mean, corrected over these m - 1 tests;
        None stands for the p-values of all pairs.
    uncorrected : (m, m) array of float64, optional
        p-values before any correction; None stands for the corrected ones.
    """

    methods: tuple[str, ...]
    means: np.ndarray
    differences: np.ndarray
    p_values: np.ndarray
    level: float = LEVEL
    against_best: np.ndarray | None = None
    uncorrected: np.ndarray | None = None

    @property
    def best(self) -> str:
        """The method with the largest mean."""
        return self.methods[_best(self.means)]

    def is_better(self, one: str, other: str) -> bool:
        """Whether `one` has the larger mean and the difference is significant among all pairs."""
        i, j = self.methods.index(one), self.methods.index(other)
        return bool(self.differences[i, j] > 0 and self.p_values[i, j] <= self.level)

    def worse_than(self, method: str) -> tuple[str, ...]:
        """The methods that `method` is significantly better than, among all pairs."""
        return tuple(other for other in self.methods if self.is_better(method, other))

    def trails_best(self, method: str) -> bool:
        """Whether a method is significantly worse than the best, among the tests against it."""
        i, j = self.methods.index(self.best), self.methods.index(method)
        p_values = self.p_values[i] if self.against_best is None else self.against_best
        return bool(self.differences[i, j] > 0 and p_values[j] <= self.level)

    def among(self, methods: Sequence[str]) -> PairwiseTests:
        """The same tests where only some methods compete, corrected for these alone."""
        kept = [i for i, name in enumerate(self.methods) if name in set(methods)]
        p_values = self.p_values if self.uncorrected is None else self.uncorrected
        return _corrected(
            tuple(self.methods[i] for i in kept),
            self.means[kept],
            self.differences[np.ix_(kept, kept)],
            p_values[np.ix_(kept, kept)],
            self.level,
        )


def compare_methods(
    per_query: Mapping[str, np.ndarray], *, level: float = LEVEL, random_state: int = 0
) -> PairwiseTests:
    """Compare every pair of methods by :func:`paired_differences`, with Holm's correction.

    What is tested is whether the methods, trained anew, differ on such queries.  A method that was
    trained once differs significantly from none.

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
    means = np.array([mean_over_queries(array) for array in arrays])
    if m < 2:
        return PairwiseTests(tuple(per_query), means, np.zeros((m, m)), np.ones((m, m)), level)
    found = paired_differences(arrays, random_state=random_state)
    return _corrected(tuple(per_query), means, found.means, found.p_values, level)


def _corrected(
    methods: tuple[str, ...],
    means: np.ndarray,
    differences: np.ndarray,
    p_values: np.ndarray,
    level: float,
) -> PairwiseTests:
    """Tests of methods from the p-values of all pairs, each family corrected for its number."""
    m = len(methods)
    of_pairs, against_best = np.ones((m, m)), np.ones(m)
    if m > 1:
        i, j = np.triu_indices(m, 1)
        of_pairs[i, j] = of_pairs[j, i] = holm(p_values[i, j])
        best = _best(means)
        others = np.arange(m) != best
        against_best[others] = holm(p_values[best, others])
    return PairwiseTests(methods, means, differences, of_pairs, level, against_best, p_values)


def _best(means: np.ndarray) -> int:
    return int(np.argmax(np.where(np.isnan(means), -np.inf, means)))
