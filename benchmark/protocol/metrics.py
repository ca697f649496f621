"""Metrics: one pure function each, from a ranking profile to one value per query.

Every function takes a :class:`~benchmark.protocol.hamming.Profile` of q queries.  Ties count by
their exact expectation over all orders inside the tie groups; :class:`PerQuery` also holds the
smallest and largest value over those orders.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmark.protocol import expectation as ex
from benchmark.protocol.hamming import Profile

#: How average precision is normalised; see :func:`average_precision`.
NORMALIZERS = ("retrieved", "min", "all")


class PerQuery(NamedTuple):
    """A metric of each query; NaN where the protocol leaves the query out.

    Attributes
    ----------
    value, low, high : (q,) arrays of float64
        Expectation, minimum and maximum over the orders of tied items.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def average_precision(
    profile: Profile, k: int | None = None, *, normalizer: str = "retrieved", no_hit: str = "zero"
) -> PerQuery:
    """Average precision of the top k, AP@k; its mean over queries is mAP@k.

    ``AP@k = (1 / Z) sum_{i <= k} r_i P(i)``, with r_i the relevance and P(i) the precision at
    rank i.

    Parameters
    ----------
    profile : Profile
    k : int, optional
        Cut-off; None, or more than there are items, for the whole ranking.
    normalizer : {"retrieved", "min", "all"}
        Z: the relevant items in the top k, the smaller of k and all relevant items, or all
        relevant items.
    no_hit : {"zero", "skip"}
        A query that cannot have a relevant item in its top k counts 0 or is left out (NaN).  With
        ties across the cut-off, orders without a hit count 0 still.

    Returns
    -------
    PerQuery
    """
    n = _n_items(profile)
    out = np.empty((3, len(profile.items)))
    ex.average_precisions(
        profile.items,
        profile.relevant,
        n if k is None else min(k, n),
        NORMALIZERS.index(normalizer),
        no_hit == "skip",
        ex.harmonic_numbers(n),
        out,
    )
    value, low, high = out
    # Where nothing is tied the three differ by rounding alone.
    return PerQuery(value, np.minimum(low, value), np.maximum(high, value))


def precision_at(profile: Profile, n: int) -> PerQuery:
    """Share of relevant items among the first n, P@n; n is capped at the number of items.

    In expectation a tie group that the cut-off divides gives its share of relevant items.
    """
    out = np.empty((3, len(profile.items)))
    ex.precisions_at(profile.items, profile.relevant, n, out)
    return PerQuery(*out)


def ndcg(profile: Profile, k: int) -> PerQuery:
    """Normalised discounted cumulative gain of the first k, nDCG@k.

    ``DCG@k = sum_{i <= k} g_i / log2(i + 1)``, with the gain g_i the number of labels that the item
    at rank i shares with the query, divided by the DCG@k of the best order of the database
    (Järvelin and Kekäläinen, ACM TOIS 2002, with the discount of Burges et al., ICML 2005).  The
    gain is linear: a number of labels is a quantity, where 2^g - 1 was made for grades of judges.

    DCG is a sum over ranks, so that its expectation over the orders of a tie group has the group's
    mean gain at each rank (McSherry and Najork, ECIR 2008).  A query without a relevant item
    counts 0.

    Parameters
    ----------
    profile : Profile
        With grades.
    k : int
        Cut-off; more than there are items stands for the whole ranking.
    """
    grades, n = _graded(profile), _n_items(profile)
    weights = 1 / np.log2(np.arange(2, min(k, n) + 2))
    gains = np.arange(grades.shape[2])
    best = _cumulated(grades.sum(axis=1)[:, ::-1], gains[::-1], weights, n)
    found = _gained(profile, weights)
    some = best > 0
    return PerQuery(*(np.divide(v, best, out=np.zeros(len(v)), where=some) for v in found))


def cumulative_gain(profile: Profile, k: int) -> PerQuery:
    """Average cumulative gain of the first k, ACG@k; k is capped at the number of items.

    ``ACG@k = (1 / k) sum_{i <= k} g_i``, with g_i the number of labels that the item at rank i
    shares with the query (Järvelin and Kekäläinen, SIGIR 2000).

    Parameters
    ----------
    profile : Profile
        With grades.
    k : int
    """
    n_ranks = min(k, _n_items(profile))
    return _gained(profile, np.full(n_ranks, 1 / n_ranks))


def weighted_precision(profile: Profile, k: int) -> PerQuery:
    """Weighted average precision of the first k, wmAP@k; its mean over queries is weighted mAP.

    ``wmAP@k = (1 / min(k, R)) sum_{i <= k} [g_i > 0] ACG@i``, with R the relevant items of the
    database (Zhao, Huang, Wang and Tan, CVPR 2015, who take the whole ranking; with gains of 0 and
    1 it is average precision).  A query without a relevant item counts 0.

    Parameters
    ----------
    profile : Profile
        With grades.
    k : int
        Cut-off; more than there are items stands for the whole ranking.
    """
    grades, n = _graded(profile), _n_items(profile)
    out = np.empty((3, len(grades)))
    k = min(k, n)
    ex.weighted_precisions(
        profile.items, np.ascontiguousarray(grades), k, ex.harmonic_numbers(n), out
    )
    found = np.minimum(profile.relevant.sum(axis=1), k)
    value, low, high = out / np.maximum(found, 1)
    return PerQuery(value, np.minimum(low, value), np.maximum(high, value))


def recall_at(profile: Profile, r: int) -> PerQuery:
    """Share of the relevant items that are among the first r, recall@r.

    With the nearest neighbours of the query as the relevant items it is the recall of nearest
    neighbour search (Jégou, Douze and Schmid, TPAMI 2011, with one neighbour).
    """
    found = precision_at(profile, r)
    n_found = np.minimum(r, profile.items.sum(axis=1))
    wanted = np.maximum(profile.relevant.sum(axis=1), 1)
    return PerQuery(*(v * n_found / wanted for v in found))


def _gained(profile: Profile, weights: np.ndarray) -> PerQuery:
    """Sum of gains, each times the weight of its rank, which falls or stays; from the first on.

    A sum over ranks has the expectation over the orders of a tie group that gives each rank the
    group's mean gain.
    """
    grades, n = _graded(profile), _n_items(profile)
    q, n_groups, n_gains = grades.shape
    gains = np.arange(n_gains)
    mean_gains = grades @ gains / np.maximum(profile.items, 1)
    value = _cumulated(profile.items, mean_gains, weights, n)
    low = _cumulated(grades.reshape(q, -1), np.tile(gains, n_groups), weights, n)
    falling = grades[:, :, ::-1].reshape(q, -1)
    high = _cumulated(falling, np.tile(gains[::-1], n_groups), weights, n)
    # Where nothing is tied the three differ by rounding alone.
    return PerQuery(value, np.minimum(low, value), np.maximum(high, value))


def _cumulated(counts: np.ndarray, gains: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    """Weighted gains of runs of items of equal gain, one after the other, n in all."""
    # The weights of the first i ranks; none lies beyond the cut-off.
    sums = np.concatenate([[0.0], np.cumsum(weights), np.zeros(n - len(weights))])
    sums[len(weights) + 1 :] = sums[len(weights)]
    ends = np.cumsum(counts, axis=1)
    return ((sums[ends] - sums[ends - counts]) * gains).sum(axis=1)


def _graded(profile: Profile) -> np.ndarray:
    if profile.grades is None:
        raise ValueError("gains need a profile with grades")
    return profile.grades


def _n_items(profile: Profile) -> int:
    return int(profile.items.sum(axis=1).max(initial=0))


def precision_within(profile: Profile, radius: int, *, empty: str = "zero") -> PerQuery:
    """Share of relevant items in the Hamming ball around the query, P@r.

    Parameters
    ----------
    profile : Profile
        By Hamming distance: group d holds the items at distance d.
    radius : int
        Largest distance inside the ball.
    empty : {"zero", "skip"}
        A query with an empty ball counts 0 or is left out (NaN).
    """
    items = profile.items[:, : radius + 1].sum(axis=1)
    relevant = profile.relevant[:, : radius + 1].sum(axis=1)
    value = np.where(items > 0, relevant / np.maximum(items, 1), 0.0 if empty == "zero" else np.nan)
    return PerQuery(value, value, value)


def empty_ball(profile: Profile, radius: int) -> PerQuery:
    """1 where no item lies within the Hamming radius, else 0."""
    value = (profile.items[:, : radius + 1].sum(axis=1) == 0).astype(np.float64)
    return PerQuery(value, value, value)


def within_radii(
    profile: Profile, *, empty: str = "zero"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a look-up within each Hamming radius finds.

    Parameters
    ----------
    profile : Profile
        By Hamming distance: group d holds the items at distance d.
    empty : {"zero", "skip"}
        The precision in an empty ball is 0, or NaN.

    Returns
    -------
    precision, recall, success : (q, b + 1) arrays of float64
        Share of relevant items in the ball of radius 0 .. b; share of the relevant items that
        lie in it, NaN without any; 1 where it holds an item, else 0.
    """
    items, relevant = (np.cumsum(part, axis=1) for part in (profile.items, profile.relevant))
    wanted = relevant[:, -1:]
    recall = np.where(wanted > 0, relevant / np.maximum(wanted, 1), np.nan)
    without = 0.0 if empty == "zero" else np.nan
    precision = np.where(items > 0, relevant / np.maximum(items, 1), without)
    return precision, recall, (items > 0).astype(np.float64)


def base_rate(profile: Profile) -> PerQuery:
    """Share of relevant items in the whole database: the precision of a random ranking."""
    value = profile.relevant.sum(axis=1) / profile.items.sum(axis=1)
    return PerQuery(value, value, value)


def unanswerable(profile: Profile) -> PerQuery:
    """1 where no item of the database is relevant, else 0."""
    value = (profile.relevant.sum(axis=1) == 0).astype(np.float64)
    return PerQuery(value, value, value)


def precision_recall(
    profile: Profile, n_levels: int = 1000, *, interpolated: bool = False
) -> np.ndarray:
    """Precision at the smallest rank that reaches each of n_levels recall levels.

    Level j = 1..n_levels asks for ``ceil(j R / n_levels)`` of the R relevant items.

    Parameters
    ----------
    profile : Profile
    n_levels : int
    interpolated : bool
        Replace the precision by the largest one at the same or a higher recall; exact without
        ties alone.

    Returns
    -------
    (q, n_levels) array of float64
        Expected precision; NaN for queries without relevant items.
    """
    out = np.empty((len(profile.items), n_levels))
    ex.precisions_at_recall(profile.items, profile.relevant, out)
    if interpolated:
        out = np.maximum.accumulate(out[:, ::-1], axis=1)[:, ::-1]
    return out
