"""nDCG@K against hand values, every order of tied items, and scikit-learn."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from benchmark import evaluate, evaluate_scores
from benchmark.protocol import metrics
from benchmark.protocol.catalogue import describe, has_ties, is_ranked, table_metrics
from benchmark.protocol.hamming import Profile
from benchmark.protocol.protocol import Protocol


def profile_of(groups):
    """Profile of one query from the gains of the items of each tie group."""
    most = max(itertools.chain(*groups))
    grades = np.array([np.bincount(group, minlength=most + 1) for group in groups])[None]
    return Profile(grades.sum(axis=2), grades[:, :, 1:].sum(axis=2), grades)


def dcg(gains):
    return sum(g / math.log2(i + 2) for i, g in enumerate(gains))


def naive(gains, k):
    ideal = dcg(sorted(gains, reverse=True)[:k])
    return dcg(gains[:k]) / ideal if ideal else 0.0


def test_by_hand():
    profile = profile_of([[2], [0], [3], [1]])
    found = metrics.ndcg(profile, 3)
    # 2 / 1 + 3 / 2, over 3 / 1 + 2 / log2(3) + 1 / 2.
    expected = 3.5 / (3 + 2 / math.log2(3) + 0.5)
    assert [v[0] for v in found] == pytest.approx([expected] * 3)
    assert metrics.ndcg(profile_of([[3, 0]]), 1).value[0] == pytest.approx(0.5)
    assert [v[0] for v in metrics.ndcg(profile_of([[3, 0]]), 1)][1:] == [0, 1]


def test_no_relevant_item_counts_zero_and_more_than_all_items_means_all():
    assert metrics.ndcg(profile_of([[0, 0], [0]]), 2).value[0] == 0
    profile = profile_of([[1, 0], [2]])
    assert metrics.ndcg(profile, 99) == metrics.ndcg(profile, 3)


@settings(max_examples=80, deadline=None)
@given(
    groups=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=3),
    k=st.integers(1, 10),
)
def test_is_the_mean_over_all_orders(groups, k):
    orders = itertools.product(*map(itertools.permutations, groups))
    values = [naive(list(itertools.chain(*order)), k) for order in orders]
    found = metrics.ndcg(profile_of(groups), k)
    assert found.value[0] == pytest.approx(np.mean(values), abs=1e-12)
    assert found.low[0] == pytest.approx(min(values), abs=1e-12)
    assert found.high[0] == pytest.approx(max(values), abs=1e-12)


@pytest.mark.parametrize("k", [5, 60, 300])
def test_agrees_with_scikit_learn_with_and_without_ties(k):
    """scikit-learn has linear gains too, and averages over ties."""
    rng = np.random.default_rng(k)
    labels = rng.random((310, 7)) < 0.3
    shared = labels[:10].astype(int) @ labels[10:].T.astype(int)
    protocol = Protocol(ndcg_at=(k,))
    for n_bits in (6, 400):
        codes = rng.random((310, n_bits)) < 0.5
        distances = (codes[:10, None] != codes[10:]).sum(axis=2)
        result = evaluate(codes[:10], codes[10:], labels[:10], labels[10:], protocol)
        expected = [
            ndcg_score(s[None], -d[None], k=k) for s, d in zip(shared, distances, strict=True)
        ]
        assert result.per_query[f"nDCG@{k}"] == pytest.approx(expected, abs=1e-12)
    tables, words = rng.normal(size=(10, 2, 9)), rng.integers(0, 9, (300, 2))
    scores = tables[:, 0, words[:, 0]] + tables[:, 1, words[:, 1]]
    untied = scores + 1e-9 * -np.arange(300)
    for ties, used in (("expected", scores), ("index", untied)):
        protocol = Protocol(ndcg_at=(k,), ties=ties)
        result = evaluate_scores(tables, words, labels[:10], labels[10:], protocol)
        expected = [ndcg_score(s[None], u[None], k=k) for s, u in zip(shared, used, strict=True)]
        assert result.per_query[f"nDCG@{k}"] == pytest.approx(expected, abs=1e-7)


def test_index_ties_lie_between_the_bounds_and_other_metrics_do_not_move():
    rng = np.random.default_rng(0)
    codes, labels = rng.random((80, 4)) < 0.5, rng.random((80, 5)) < 0.4
    arrays = (codes[:9], codes[9:], labels[:9], labels[9:])
    expected = evaluate(*arrays, Protocol(ndcg_at=(10, 100)))
    by_index = evaluate(*arrays, Protocol(ndcg_at=(10, 100), ties="index"))
    low, high = expected.bounds["nDCG@10"]
    assert low < by_index["nDCG@10"] < high and low < expected["nDCG@10"] < high
    for ties, graded in (("expected", expected), ("index", by_index)):
        plain = evaluate(*arrays, Protocol(ties=ties))
        assert {name: graded[name] for name in plain} == dict(plain)
    assert expected.profile.grades is None


def test_class_ids_have_gains_of_zero_and_one():
    codes, ids = np.tri(6, 5, -1, dtype=bool), np.array([1, 0, 0, 1, 0, 0])
    result = evaluate(np.zeros((1, 5), bool), codes, [1], ids, Protocol(ndcg_at=(2, 6)))
    assert result["nDCG@2"] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert result["nDCG@6"] == pytest.approx((1 + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))


def test_captions_and_tables_know_it():
    assert is_ranked("nDCG@100") and has_ties("nDCG@100") and "1,000" in describe("nDCG@1000")
    assert "nDCG@100" in table_metrics(Protocol(ndcg_at=(100,)), 5000)
    assert not any("nDCG" in name for name in table_metrics(Protocol(), 5000))
