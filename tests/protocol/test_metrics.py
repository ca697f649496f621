"""Metrics against every order of tied items, a naive implementation, and hand-computed values."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.protocol import metrics
from benchmark.protocol.expectation import expected_reciprocal_ranks, harmonic_numbers, reciprocals
from benchmark.protocol.hamming import Profile


def profile_of(groups):
    """Profile of one query from (items, relevant) pairs."""
    items, relevant = np.array(groups, dtype=np.int32).T
    return Profile(items[None], relevant[None])


def ranking(*relevance):
    """Profile of a ranking without ties."""
    return profile_of([(1, r) for r in relevance])


def all_orders(groups):
    """Every relevance sequence that the tie groups allow, each as often as it is likely."""
    parts = [set(itertools.permutations([1] * p + [0] * (n - p))) for n, p in groups]
    return [list(itertools.chain(*order)) for order in itertools.product(*parts)]


def naive_average_precision(relevance, k, normalizer):
    top = relevance[:k]
    hits = sum(top)
    total = {"retrieved": hits, "min": min(k, sum(relevance)), "all": sum(relevance)}[normalizer]
    precisions = [sum(top[: i + 1]) / (i + 1) for i, r in enumerate(top) if r]
    return sum(precisions) / total if hits else 0.0


groups_strategy = st.lists(
    st.integers(0, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=1,
    max_size=4,
).filter(lambda groups: 1 <= sum(n for n, _ in groups) <= 9)


@pytest.mark.parametrize(
    ("relevance", "k", "expected"),
    [
        ((1, 0, 1, 1, 0, 0, 1), 5, (1 + 2 / 3 + 3 / 4) / 3),
        ((1, 0, 1, 1, 0, 0, 1), 7, (1 + 2 / 3 + 3 / 4 + 4 / 7) / 4),
        ((0, 0, 0), 3, 0.0),
    ],
)
def test_average_precision_by_hand(relevance, k, expected):
    assert metrics.average_precision(ranking(*relevance), k).value[0] == pytest.approx(expected)


def test_normalizers_by_hand():
    profile = ranking(1, 0, 1, 1)
    sums = 1 + 2 / 3
    values = [
        metrics.average_precision(profile, 3, normalizer=z).value[0] for z in metrics.NORMALIZERS
    ]
    assert values == pytest.approx([sums / 2, sums / 3, sums / 3])
    assert metrics.average_precision(profile, 2, normalizer="min").value[0] == pytest.approx(1 / 2)
    assert metrics.average_precision(profile, 2, normalizer="all").value[0] == pytest.approx(1 / 3)


@pytest.mark.parametrize("normalizer", metrics.NORMALIZERS)
@settings(max_examples=120, deadline=None)
@given(groups=groups_strategy, data=st.data())
def test_average_precision_is_the_mean_over_all_orders(normalizer, groups, data):
    orders = all_orders(groups)
    k = data.draw(st.integers(1, len(orders[0])))
    values = [naive_average_precision(order, k, normalizer) for order in orders]
    result = metrics.average_precision(profile_of(groups), k, normalizer=normalizer)
    assert result.value[0] == pytest.approx(np.mean(values), abs=1e-14)
    assert result.low[0] == pytest.approx(min(values), abs=1e-14)
    assert result.high[0] == pytest.approx(max(values), abs=1e-14)


@settings(max_examples=120, deadline=None)
@given(groups=groups_strategy, data=st.data())
def test_precision_at_n_is_the_mean_over_all_orders(groups, data):
    orders = all_orders(groups)
    n = data.draw(st.integers(1, len(orders[0])))
    values = [sum(order[:n]) / n for order in orders]
    result = metrics.precision_at(profile_of(groups), n)
    assert result.value[0] == pytest.approx(np.mean(values))
    assert (result.low[0], result.high[0]) == pytest.approx((min(values), max(values)))


@settings(max_examples=120, deadline=None)
@given(groups=groups_strategy)
def test_precision_recall_is_the_mean_over_all_orders(groups):
    total = sum(p for _, p in groups)
    curve = metrics.precision_recall(profile_of(groups), 10)[0]
    if total == 0:
        assert np.isnan(curve).all()
        return
    wanted = [-(-level * total // 10) for level in range(1, 11)]
    curves = []
    for order in all_orders(groups):
        ranks = np.flatnonzero(order) + 1
        curves.append([w / ranks[w - 1] for w in wanted])
    np.testing.assert_allclose(curve, np.mean(curves, axis=0), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 3000),
    before=st.integers(0, 5000),
    data=st.data(),
)
def test_reciprocal_rank_equals_the_sum_over_places(n, before, data):
    p = data.draw(st.integers(1, n))
    r = data.draw(st.integers(1, p))
    got = np.empty(2)
    expected_reciprocal_ranks(np.array([r, r]), p, n, before, got)
    # P(T = t) = C(t-1, r-1) C(n-t, p-r) / C(n, p), in logarithms.
    t = np.arange(r, n - p + r + 1)
    logs = [
        math.lgamma(a + 1) - math.lgamma(b + 1) - math.lgamma(a - b + 1)
        for a, b in itertools.chain(*(((i - 1, r - 1), (n - i, p - r)) for i in t))
    ]
    logs = np.reshape(logs, (-1, 2)).sum(axis=1)
    weights = np.exp(logs - logs.max())
    expected = (weights / (before + t)).sum() / weights.sum()
    assert got == pytest.approx([expected, expected], rel=1e-9)


def test_short_sums_far_down_keep_their_digits():
    H = harmonic_numbers(2_000_000)
    exact = math.fsum(1 / i for i in range(1_000_001, 1_000_004))
    assert reciprocals(1_000_000, 3, H) == pytest.approx(exact, rel=1e-14, abs=0)


def test_random_ranking_scores_the_base_rate():
    # All items tied: the expectation over all orders is a random ranking.
    profile = profile_of([(20_000, 6_000)])
    assert metrics.base_rate(profile).value[0] == 0.3
    assert metrics.precision_at(profile, 100).value[0] == pytest.approx(0.3)
    assert metrics.precision_within(profile, 2).value[0] == pytest.approx(0.3)
    assert metrics.average_precision(profile).value[0] == pytest.approx(0.3, abs=1e-3)
    curve = metrics.precision_recall(profile)[0]
    np.testing.assert_allclose(curve[100:], 0.3, atol=1e-3)


def test_perfect_ranking_scores_one():
    profile = profile_of([(50, 50), (200, 0)])
    assert metrics.average_precision(profile).value[0] == 1
    assert metrics.precision_at(profile, 50).value[0] == 1
    np.testing.assert_allclose(metrics.precision_recall(profile), 1)


def test_more_than_all_items_means_all():
    profile = profile_of([(3, 1), (4, 2)])
    assert metrics.average_precision(profile, 99) == metrics.average_precision(profile)
    assert metrics.precision_at(profile, 99).value[0] == pytest.approx(3 / 7)


def test_balls():
    near, empty = [(0, 0), (2, 1), (2, 2), (5, 0)], [(0, 0), (0, 0), (0, 0), (9, 3)]
    counts = np.array([near, empty])
    both = Profile(counts[:, :, 0], counts[:, :, 1])
    assert metrics.precision_within(both, 2).value.tolist() == [0.75, 0.0]
    assert np.isnan(metrics.precision_within(both, 2, empty="skip").value).tolist() == [False, True]
    assert metrics.empty_ball(both, 2).value.tolist() == [0.0, 1.0]


def test_query_without_hit_is_zero_or_left_out():
    profile = ranking(0, 0, 1)
    assert metrics.average_precision(profile, 2).value[0] == 0
    assert np.isnan(metrics.average_precision(profile, 2, no_hit="skip").value[0])
    assert metrics.average_precision(profile, 3, no_hit="skip").value[0] == pytest.approx(1 / 3)


def test_interpolated_curve_never_rises():
    profile = ranking(0, 1, 1, 0, 0, 1)
    plain = metrics.precision_recall(profile, 3)[0]
    assert plain == pytest.approx([1 / 2, 2 / 3, 3 / 6])
    interpolated = metrics.precision_recall(profile, 3, interpolated=True)[0]
    assert interpolated == pytest.approx([2 / 3, 2 / 3, 3 / 6])
