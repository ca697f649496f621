"""ACG@K, wmAP@K and recall@R against definitions written out and every order of tied items."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark import evaluate, evaluate_scores, evaluate_vectors
from benchmark.errors import InputError
from benchmark.protocol import metrics
from benchmark.protocol.catalogue import describe, has_ties, is_ranked, table_metrics
from benchmark.protocol.hamming import Profile
from benchmark.protocol.protocol import Protocol

GROUPS = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=3
).filter(lambda groups: any(map(any, groups)))


def profile_of(groups):
    """Profile of one query from the gains of the items of each tie group."""
    most = max(itertools.chain(*groups))
    grades = np.array([np.bincount(group, minlength=most + 1) for group in groups])[None]
    return Profile(grades.sum(axis=2), grades[:, :, 1:].sum(axis=2), grades)


def acg(gains, k):
    return sum(gains[:k]) / min(k, len(gains))


def weighted(gains, k):
    relevant = sum(g > 0 for g in gains)
    terms = [sum(gains[: i + 1]) / (i + 1) for i in range(min(k, len(gains))) if gains[i] > 0]
    return sum(terms) / min(k, relevant) if relevant else 0.0


@settings(max_examples=100, deadline=None)
@given(groups=GROUPS, k=st.integers(1, 12))
@pytest.mark.parametrize(
    ("metric", "naive"), [(metrics.cumulative_gain, acg), (metrics.weighted_precision, weighted)]
)
def test_gains_are_means_over_all_orders_with_the_least_and_the_greatest(metric, naive, groups, k):
    orders = itertools.product(*map(itertools.permutations, groups))
    values = [naive(list(itertools.chain(*order)), k) for order in orders]
    found = metric(profile_of(groups), k)
    assert found.value[0] == pytest.approx(np.mean(values), abs=1e-12)
    assert found.low[0] == pytest.approx(min(values), abs=1e-12)
    assert found.high[0] == pytest.approx(max(values), abs=1e-12)


def test_weighted_precision_by_hand():
    # Gains 2, 0, 1: (2 / 1 + 3 / 3) / 2.
    assert metrics.weighted_precision(profile_of([[2], [0], [1]]), 3).value[0] == 1.5
    assert metrics.weighted_precision(profile_of([[2], [0], [1]]), 1).value[0] == 2
    assert metrics.weighted_precision(profile_of([[0], [0]]), 2).value[0] == 0


def test_a_short_run_far_down_keeps_its_digits():
    """One relevant item at the end of a long ranking: its precision, to the last digits."""
    n = 3_000_000
    items, relevant = np.array([[n - 1, 1]]), np.array([[0, 1]])
    grades = np.array([[[n - 1, 0], [0, 1]]])
    profile = Profile(items.astype(np.int32), relevant.astype(np.int32), grades.astype(np.int32))
    found = metrics.weighted_precision(profile, n)
    assert found.value[0] * n == pytest.approx(1, rel=1e-14)
    assert [v[0] * n for v in found] == pytest.approx([1, 1, 1], rel=1e-9)


def test_gains_of_zero_and_one_make_weighted_precision_average_precision():
    rng = np.random.default_rng(0)
    codes, ids = rng.random((90, 5)) < 0.5, rng.integers(0, 3, 90)
    protocol = Protocol(wmap_at=(20, 80), map_at=(20,), normalizer="min")
    found = evaluate(codes[:10], codes[10:], ids[:10], ids[10:], protocol)
    assert found.per_query["wmAP@20"] == pytest.approx(found.per_query["mAP@20"], rel=1e-12)
    assert found.bounds["wmAP@20"] == pytest.approx(found.bounds["mAP@20"], rel=1e-12)
    assert found.per_query["wmAP@80"] == pytest.approx(found.per_query["mAP@all"], rel=1e-12)


@pytest.mark.parametrize("ties", ["expected", "index"])
def test_acg_of_a_multi_label_set_counts_shared_labels(ties):
    rng = np.random.default_rng(1)
    labels, codes = rng.random((70, 6)) < 0.4, rng.random((70, 40)) < 0.5
    protocol = Protocol(acg_at=(7,), ties=ties)
    found = evaluate(codes[:8], codes[8:], labels[:8], labels[8:], protocol)
    shared = labels[:8].astype(int) @ labels[8:].T.astype(int)
    distances = (codes[:8, None] != codes[8:]).sum(axis=2)
    for q in range(8):
        order = np.argsort(distances[q], kind="stable")
        cut = np.sort(distances[q])[6]
        inside, tied = distances[q] < cut, distances[q] == cut
        expected = shared[q][inside].sum() + (7 - inside.sum()) * shared[q][tied].mean()
        wanted = expected / 7 if ties == "expected" else shared[q][order[:7]].mean()
        assert found.per_query["ACG@7"][q] == pytest.approx(wanted)


def nearest_of(queries, database, t):
    return np.argsort(((queries[:, None] - database) ** 2).sum(axis=2), axis=1)[:, :t]


@pytest.mark.parametrize("ties", ["expected", "index"])
def test_recall_counts_the_nearest_items_among_the_first(ties):
    """150 queries: more than the labels of one word; the truth has nothing to do with labels."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(350, 5))
    codes, ids = X @ rng.normal(size=(5, 16)) > 0, np.zeros(350, int)
    near = nearest_of(X[:150], X[150:], 3)
    protocol = Protocol(recall_at=(10, 200), neighbours=3, ties=ties)
    arrays = codes[:150], codes[150:], ids[:150], ids[150:], protocol
    found = evaluate(*arrays, neighbours=near)
    distances = (codes[:150, None] != codes[150:]).sum(axis=2)
    for q in range(150):
        if ties == "index":
            wanted = np.isin(np.argsort(distances[q], kind="stable")[:10], near[q]).sum() / 3
        else:
            cut = np.sort(distances[q])[9]
            at_cut = distances[q] == cut
            share = (10 - (distances[q] < cut).sum()) / at_cut.sum()
            of_near = distances[q][near[q]]
            wanted = ((of_near < cut).sum() + share * (of_near == cut).sum()) / 3
        assert found.per_query["recall@10"][q] == pytest.approx(wanted)
    assert found["recall@200"] == pytest.approx(1)
    with pytest.raises(InputError, match="recall_at: pass neighbours"):
        evaluate(*arrays)
    for wrong in (near[:, :2], near * 1.0, near - 5, near + 199):
        with pytest.raises(InputError, match="neighbours must be"):
            evaluate(*arrays, neighbours=wrong)


def test_vectors_find_their_nearest_items_and_scores_have_recall_too():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(90, 4))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    labels = np.zeros(90, int)
    near, protocol = nearest_of(X[:70], X[70:], 1), Protocol(recall_at=(1, 5))
    vectors = evaluate_vectors(X[:70], X[70:], labels[:70], labels[70:], protocol, neighbours=near)
    assert vectors["recall@1"] == 1
    tables = (X[:70] @ X[70:].T)[:, None]
    words = np.arange(20)[:, None]
    scores = evaluate_scores(tables, words, labels[:70], labels[70:], protocol, neighbours=near)
    assert scores["recall@1"] == 1


def test_captions_and_tables_know_them():
    protocol = Protocol(acg_at=(100,), wmap_at=(1000,), recall_at=(10,))
    for name in ("ACG@100", "wmAP@1000", "recall@10"):
        assert name in table_metrics(protocol, 5000) and is_ranked(name) and has_ties(name)
        assert name not in table_metrics(Protocol(), 5000)
    assert "1,000" in describe("wmAP@1000")
    with pytest.raises(InputError, match="neighbours"):
        Protocol(neighbours=0)
