"""How sure a mean is: bootstrap intervals over queries and seeds.

What goes in is what the benchmark stores of a cell, one value for each query and seed, NaN where
the protocol leaves a query out.  The queries are the same for every seed and every method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

#: Probability that an interval covers the mean, and its resamples: its ends then vary by a few per
#: cent of its length.
CONFIDENCE, RESAMPLES = 0.95, 2000
#: Random numbers that are held at once.
CHUNK = 4_000_000


class Interval(NamedTuple):
    """Ends of a confidence interval."""

    low: float
    high: float


def mean_over_queries(values: np.ndarray) -> float:
    """Mean over seeds of the mean over queries that count; NaN if none does.

    Parameters
    ----------
    values : (seeds, queries) array of float64
    """
    counted = ~np.isnan(values)
    means = ratio(np.where(counted, values, 0).sum(axis=1), counted.sum(axis=1))
    return float(ratio(np.nansum(means), np.sum(~np.isnan(means))))


def bootstrap_interval(
    values: np.ndarray,
    *,
    confidence: float = CONFIDENCE,
    n_resamples: int = RESAMPLES,
    random_state: int = 0,
) -> Interval:
    """Percentile bootstrap interval of :func:`mean_over_queries`, over queries and seeds.

    Each resample draws the queries with replacement, the same for all seeds since they met the
    same queries, and independently the seeds; its mean is weighted by how often each was drawn
    (the pigeonhole bootstrap; Owen, Annals of Applied Statistics 2007, section 3).  With one
    seed this is the ordinary bootstrap over queries, and the interval says nothing of other
    training runs; few seeds show less than their whole variation.

    Parameters
    ----------
    values : (seeds, queries) array of float64
    confidence : float
    n_resamples : int
    random_state : int

    Returns
    -------
    Interval
        NaN where no query counts.
    """
    return bootstrap_intervals([np.atleast_2d(values)], confidence, n_resamples, random_state)[0]


def bootstrap_intervals(
    methods: Sequence[np.ndarray],
    confidence: float = CONFIDENCE,
    n_resamples: int = RESAMPLES,
    random_state: int = 0,
) -> list[Interval]:
    """:func:`bootstrap_interval` of each of several methods, from the same draws.

    Parameters
    ----------
    methods : sequence of (seeds, queries) arrays of float64
        Seeds may differ in number, queries may not.
    confidence, n_resamples, random_state
        As above.
    """
    if not methods:
        return []
    rows = np.concatenate([np.asarray(values, dtype=np.float64) for values in methods])
    counted = ~np.isnan(rows)
    filled, weights = np.where(counted, rows, 0).T, counted.T.astype(np.float64)
    ends = np.cumsum([len(values) for values in methods])
    rng = np.random.default_rng(random_state)
    # One generator for each number of seeds: an interval is the same in whatever company.
    of_seeds = {n: np.random.default_rng([random_state, n]) for n in set(map(len, methods))}
    means: list[list[np.ndarray]] = [[] for _ in methods]
    for size in chunks(n_resamples, len(filled)):
        drawn = draw(rng, size, len(filled))
        of_rows = ratio(drawn @ filled, drawn @ weights)
        times = {n: draw(of_seeds[n], size, n) for n in of_seeds}
        for found, part in zip(means, np.split(of_rows, ends[:-1], axis=1), strict=True):
            found.append(mean_over_drawn(part, times[part.shape[1]]))
    return [_percentiles(np.concatenate(found), confidence) for found in means]


def _percentiles(means: np.ndarray, confidence: float) -> Interval:
    if np.isnan(means).all():
        return Interval(np.nan, np.nan)
    tail = 50 * (1 - confidence)
    return Interval(*map(float, np.nanpercentile(means, (tail, 100 - tail))))


def mean_over_drawn(means: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Mean over the seeds that were drawn so many times and have a mean, (size, seeds) each."""
    counts = np.where(np.isnan(means), 0, times)
    return ratio((counts * np.nan_to_num(means)).sum(axis=1), counts.sum(axis=1))


def draw(rng: np.random.Generator, size: int, n: int, n_draws: int | None = None) -> np.ndarray:
    """How often each of n items is drawn with replacement in n draws, or so many, (size, n)."""
    drawn = rng.integers(0, n, (size, n_draws or n)) + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def chunks(total: int, width: int) -> Iterator[int]:
    """Numbers of rows of that width that add up to `total`."""
    most = max(1, CHUNK // max(width, 1))
    for start in range(0, total, most):
        yield min(most, total - start)


def ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """`total` / `count`, NaN where nothing was counted."""
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
