"""Paired differences of methods: how far apart their means are, and how sure that is.

The queries are the same for all methods, the trainings are not: each seed is a training of one
method.  Both are a sample, so that a difference is a statement about methods on such queries, not
about the models that happened to be trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from benchmark.significance.bootstrap import RESAMPLES, chunks, draw, mean_over_drawn, ratio

#: A standard error below this part of the values is rounding.
ROUNDING = 1e-12


class Differences(NamedTuple):
    """All pairs of m methods, row minus column.

    Attributes
    ----------
    means : (m, m) array of float64
        Difference of the means over the queries that count for both; antisymmetric.
    errors : (m, m) array of float64
        Standard error of each; NaN where a method was trained once.
    p_values : (m, m) array of float64
        Two-sided, of no difference; 1 on the diagonal and where a method was trained once.
    """

    means: np.ndarray
    errors: np.ndarray
    p_values: np.ndarray


def paired_differences(
    methods: Sequence[np.ndarray], *, n_resamples: int = RESAMPLES, random_state: int = 0
) -> Differences:
    """The difference of every two methods, over queries and trainings.

    Each resample draws the queries with replacement, the same for all methods, and the seeds of
    each method apart (the pigeonhole bootstrap; Owen, Annals of Applied Statistics 2007, section
    3).  Of n seeds n - 1 are drawn: the variance of their mean is then right, where n draws give
    (n - 1) / n of it (Rao and Wu, JASA 1988), a third too little for three seeds.  The standard
    error is that of the resampled differences, and the p-value that of Student's distribution with
    Satterthwaite's degrees of freedom, because few seeds leave the error itself unsure.

    Parameters
    ----------
    methods : sequence of m (seeds, queries) arrays of float64
        NaN where a query does not count.  Seeds may differ in number, queries may not.
    n_resamples, random_state : int

    Returns
    -------
    Differences
    """
    rows = np.concatenate(methods)
    starts = np.cumsum([0, *map(len, methods)])
    parts = [slice(a, b) for a, b in pairwise(starts)]
    counted = ~np.isnan(rows)
    # A query counts for a method if it does for a seed of it; the other method must have it too.
    patterns, pattern_of = np.unique(
        [counted[part].any(axis=0) for part in parts], axis=0, return_inverse=True
    )
    pattern_of = pattern_of.reshape(-1)
    observed, resampled = _resampled(rows, counted, patterns, parts, n_resamples, random_state)
    m = len(methods)
    means, errors, p_values = np.zeros((m, m)), np.zeros((m, m)), np.ones((m, m))
    for i in range(m):
        for j in range(i + 1, m):
            one = observed[pattern_of[j], parts[i]], resampled[pattern_of[j], i]
            other = observed[pattern_of[i], parts[j]], resampled[pattern_of[i], j]
            n_queries = (patterns[pattern_of[i]] & patterns[pattern_of[j]]).sum()
            delta, error, p = _test(one, other, int(n_queries))
            means[i, j], means[j, i] = delta, -delta
            errors[i, j] = errors[j, i] = error
            p_values[i, j] = p_values[j, i] = p
    return Differences(means, errors, p_values)


def _resampled(
    rows: np.ndarray,
    counted: np.ndarray,
    patterns: np.ndarray,
    parts: Sequence[slice],
    n_resamples: int,
    random_state: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Means over the queries of a pattern: of each row, and resampled of each method.

    Of shapes (patterns, rows) and (patterns, methods, n_resamples).
    """
    filled, weights = np.where(counted, rows, 0), counted.astype(np.float64)
    masked = [((filled * pattern).T, (weights * pattern).T) for pattern in patterns]
    observed = np.array([ratio(f.sum(axis=0), w.sum(axis=0)) for f, w in masked])
    rng = np.random.default_rng(random_state)
    found: list[np.ndarray] = []
    for size in chunks(n_resamples, rows.shape[1]):
        drawn = draw(rng, size, rows.shape[1])
        times = [draw(rng, size, n, max(n - 1, 1)) for n in (p.stop - p.start for p in parts)]
        of_rows = [ratio(drawn @ f, drawn @ w) for f, w in masked]
        found.append(
            np.array(
                [
                    [mean_over_drawn(means[:, p], t) for p, t in zip(parts, times, strict=True)]
                    for means in of_rows
                ]
            )
        )
    return observed, np.concatenate(found, axis=2)


def _test(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], n_queries: int
) -> tuple[float, float, float]:
    """Difference, its standard error and its p-value, from means of seeds and of resamples."""
    seeds = [means[~np.isnan(means)] for means, _ in (one, other)]
    if any(len(means) == 0 for means in seeds):
        return 0.0, np.nan, 1.0
    delta = float(seeds[0].mean() - seeds[1].mean())
    if any(len(means) == 1 for means in seeds) or n_queries < 2:
        return delta, np.nan, 1.0
    variance = float(np.nanvar(one[1] - other[1]))
    error = variance**0.5
    rounding = ROUNDING * float(max(abs(seeds[0].mean()), abs(seeds[1].mean())))
    if error <= rounding:
        return delta, error, float(abs(delta) <= rounding)
    # What the seeds add to the variance, and the queries the rest (Satterthwaite 1946).
    of_seeds = [float(means.var(ddof=1) / len(means)) for means in seeds]
    of_queries = max(variance - sum(of_seeds), 0.0)
    squares = sum(v**2 / (len(means) - 1) for v, means in zip(of_seeds, seeds, strict=True))
    squares += of_queries**2 / (n_queries - 1)
    freedom = max(variance**2 / squares, 1.0)
    return delta, error, float(2 * stdtr(freedom, -abs(delta) / error))
