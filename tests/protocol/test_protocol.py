"""The evaluation that users call: invariances, presets, agreement with scikit-learn, errors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import average_precision_score

from benchmark import evaluate, evaluate_scores
from benchmark.errors import InputError
from benchmark.protocol.protocol import PRESETS, Protocol, find_protocol


def clustered(rng, n_query=40, n_database=400, n_bits=16, n_labels=6):
    n = n_query + n_database
    labels = rng.random((n, n_labels)) < 0.3
    codes = labels @ rng.normal(size=(n_labels, n_bits)) + rng.normal(size=(n, n_bits)) > 0
    return codes[:n_query], codes[n_query:], labels[:n_query], labels[n_query:]


def test_metric_names_of_the_default():
    result = evaluate(*clustered(np.random.default_rng(0)))
    expected = {"mAP@5000", "mAP@50000", "mAP@all", "P@r2", "empty@r2", "base_rate", "P@500"}
    assert expected <= set(result)
    assert set(result.bounds) == set(result.per_query) == set(result)
    assert all(isinstance(result[name], float) for name in result)
    assert result.curves["PR"].x.shape == result.curves["PR"].y.shape
    assert list(result.values()) == [result[name] for name in result]
    assert result.curves["P@N"].x.tolist() == list(range(100, 1001, 100))


def test_agrees_with_scikit_learn_without_ties():
    rng = np.random.default_rng(1)
    # Item i is at distance i of the all-zero query: no ties.
    n = 200
    database = np.tri(n, n, -1, dtype=bool)[rng.permutation(n)]
    labels = rng.integers(0, 5, n)
    query_labels = np.arange(5)
    result = evaluate(np.zeros((5, n), bool), database, query_labels, labels)
    for q in range(5):
        expected = average_precision_score(labels == q, -database.sum(axis=1))
        assert result.per_query["mAP@all"][q] == pytest.approx(expected, abs=1e-12)
    assert result.bounds["mAP@all"] == pytest.approx((result["mAP@all"],) * 2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_expectation_ignores_the_order_of_the_database(seed):
    rng = np.random.default_rng(seed)
    q, x, q_labels, x_labels = clustered(rng)
    order = rng.permutation(len(x))
    protocol = Protocol(map_at=(7, 100), precision_at=(3, 50))
    one = evaluate(q, x, q_labels, x_labels, protocol)
    other = evaluate(q, x[order], q_labels, x_labels[order], protocol)
    assert dict(one) == pytest.approx(dict(other), abs=1e-12)
    np.testing.assert_allclose(one.curves["PR"].y, other.curves["PR"].y, atol=1e-12)


def test_sorting_the_database_by_label_changes_index_but_not_expectation():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, 600)
    codes = rng.random((600, 3)) < 0.5
    # The relevant items of the single query come first in a sorted file.
    for ties, moves in (("expected", False), ("index", True)):
        protocol = Protocol(ties=ties)
        query = (codes[:1], [0])
        shuffled = evaluate(query[0], codes, query[1], labels, protocol)["mAP@all"]
        order = np.argsort(labels, kind="stable")
        sorted_ = evaluate(query[0], codes[order], query[1], labels[order], protocol)["mAP@all"]
        assert (abs(shuffled - sorted_) > 0.05) == moves


def test_index_ties_are_what_a_stable_argsort_gives():
    q, x, q_labels, x_labels = clustered(np.random.default_rng(3), n_bits=6)
    result = evaluate(q, x, q_labels, x_labels, Protocol(map_at=(50,), ties="index"))
    expected = []
    for code, label in zip(q, q_labels, strict=True):
        order = np.argsort((code != x).sum(axis=1), kind="stable")[:50]
        r = (x_labels[order] & label).any(axis=1)
        precision = np.cumsum(r) / np.arange(1, 51)
        expected.append((precision * r).sum() / r.sum() if r.any() else 0)
    assert result["mAP@50"] == pytest.approx(np.mean(expected), abs=1e-12)
    plain = evaluate(q, x, q_labels, x_labels, Protocol(map_at=(50,)))
    assert plain.bounds["mAP@50"].low <= result["mAP@50"] <= plain.bounds["mAP@50"].high


def test_constant_codes_score_the_base_rate():
    rng = np.random.default_rng(4)
    labels = rng.random((5_100, 4)) < 0.2
    codes = np.ones((5_100, 12), dtype=bool)
    result = evaluate(codes[:100], codes[100:], labels[:100], labels[100:])
    base = result["base_rate"]
    assert result["P@r2"] == pytest.approx(base)
    assert result["P@500"] == pytest.approx(base)
    assert result["mAP@all"] == pytest.approx(base, abs=2e-3)
    low, high = result.bounds["mAP@all"]
    assert low < base < high


def test_class_ids_are_one_hot_labels():
    rng = np.random.default_rng(5)
    codes, ids = rng.random((300, 10)) < 0.5, rng.integers(0, 150, 300)
    one_hot = ids[:, None] == np.arange(150)
    by_id = evaluate(codes[:30], codes[30:], ids[:30], ids[30:])
    by_label = evaluate(codes[:30], codes[30:], one_hot[:30], one_hot[30:])
    assert dict(by_id) == dict(by_label)


def test_labels_are_not_changed_and_integers_are_taken():
    q, x, q_labels, x_labels = clustered(np.random.default_rng(6))
    integers = [a.astype(np.int64) for a in (q, x, q_labels, x_labels)]
    before = [a.copy() for a in integers]
    assert dict(evaluate(*integers)) == dict(evaluate(q, x, q_labels, x_labels))
    for a, b in zip(integers, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs_and_reports_map_over_everything(name):
    result = evaluate(*clustered(np.random.default_rng(7)), protocol=name)
    assert 0 < result["base_rate"] < result["mAP@all"] < 1


def test_presets_differ_where_their_programs_do():
    # Query 0 has two relevant items, the nearer one missed by the cut-off; query 1 has none.
    codes = np.tri(6, 5, -1, dtype=bool)
    query = np.zeros((2, 5), dtype=bool)
    labels = np.array([1, 0, 0, 1, 0, 0])
    values = {
        key: evaluate(query, codes, [1, 9], labels, Protocol(map_at=(2,), **options))["mAP@2"]
        for key, options in {
            "zero": {},
            "skip": {"no_hit": "skip", "ties": "index"},
            "all": {"normalizer": "all"},
            "trec": {"normalizer": "all", "no_relevant": "skip"},
        }.items()
    }
    assert values == pytest.approx({"zero": 0.5, "skip": 1.0, "all": 0.25, "trec": 0.5})


def test_no_relevant_items_at_all():
    codes = np.eye(4, dtype=bool)
    result = evaluate(codes, codes, np.zeros(4), np.ones(4))
    assert result["mAP@all"] == result["base_rate"] == 0
    assert not result.curves["PR"].y.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query_codes": np.array([[1.0, -0.5]])}, "real values such as -0.5: pass codes > 0"),
        ({"query_codes": np.array([[1, -1], [0, 1]])}, "zeros between -1 and .1: pass codes > 0"),
        ({"query_codes": np.array([[1.0, np.nan]])}, "query codes have NaN"),
        ({"database_codes": np.array([[7, 255]], np.uint8)}, "database codes .* look packed"),
        ({"query_codes": np.array([["a", "b"]])}, "query codes must be numbers"),
        ({"query_codes": np.ones((2, 3), bool)}, "bits"),
        ({"query_codes": np.ones(3, bool)}, "items, bits"),
        ({"query_labels": np.ones((4, 1), bool)}, "query labels"),
        ({"query_labels": np.ones(2)}, "1-d class ids"),
        ({"query_labels": np.ones((2, 2), bool)}, "columns"),
        ({"query_labels": np.array([[-1], [1]])}, "ids.ravel"),
        ({"query_labels": sparse.csr_array(np.ones((2, 1)))}, "query labels are sparse"),
        ({"protocol": "hashnet2"}, "did you mean hashnet"),
    ],
)
def test_bad_input_is_one_clear_line(change, message):
    arguments = {
        "query_codes": np.ones((2, 2), bool),
        "database_codes": np.ones((3, 2), bool),
        "query_labels": np.ones((2, 1), bool),
        "database_labels": np.ones((3, 1), bool),
    }
    with pytest.raises(InputError, match=message):
        evaluate(**{**arguments, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"ties": "random"},
        {"normalizer": "r"},
        {"map_at": (0,)},
        {"precision_at": (5, 0)},
        {"ndcg_at": (-1,)},
        {"radius": -1},
    ],
)
def test_impossible_protocols_are_refused(change):
    with pytest.raises(InputError):
        Protocol(**change)


@pytest.mark.parametrize("change", [{"interpolated": True}, {"no_hit": "skip"}])
def test_what_has_no_expectation_over_the_orders_of_ties_is_refused(change):
    (name,) = change
    with pytest.raises(InputError, match=f'{name}=.* set ties="index"'):
        Protocol(**change)
    assert Protocol(**change, ties="index").ties == "index"


def with_labels(query_labels, database_labels):
    codes = np.tri(5, 4, -1, dtype=bool)
    return evaluate(codes[: len(query_labels)], codes, query_labels, database_labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.where(np.eye(5, 3), 1, -1), "are -1/.1: pass labels > 0"),
        (np.where(np.eye(5, 3), np.nan, 0), "NaN"),
        (np.eye(5, 3) - 2 * np.eye(5, 3, 1), "must be 0/1 in a matrix, not -2"),
        (np.arange(15).reshape(5, 3), "must be 0/1 in a matrix, not 2"),
        (np.arange(5)[:, None], "ids.ravel"),
        (np.array([[0], [1], [1], [0], [1]]), "ids.ravel"),
        (np.array([0, 1, 2, np.nan, 1]), "NaN"),
        (np.array([0, 1, 2, -1, 1]), "negative class id -1"),
        (np.array(["a", None, "b", "c", "d"], dtype=object), "for every item"),
        (np.array(["a", "b", "b", "c", "d"]), "words"),
    ],
)
def test_labels_that_are_neither_multi_hot_nor_class_ids_are_refused(labels, message):
    good = np.arange(5) if labels.ndim == 1 else np.eye(5, labels.shape[1], dtype=bool)
    for pair in ((labels[:4], good), (good[:4], labels)):
        with pytest.raises(InputError, match=message):
            with_labels(*pair)


def test_words_and_single_columns_of_bool_are_labels():
    ids = np.array([0, 1, 1, 2, 0])
    words = np.array(["x", "y", "y", "z", "x"])
    by_id = dict(with_labels(ids[:3], ids))
    assert dict(with_labels(words[:3], words)) == by_id
    assert dict(with_labels(words[:3].astype(object), words.astype(object))) == by_id
    column = (ids == 1)[:, None]
    assert with_labels(column[:3], column)["base_rate"] == pytest.approx(2 / 3 * 2 / 5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
def test_tensors_and_codes_of_minus_and_plus_one_are_taken(dtype):
    q, x, q_labels, x_labels = clustered(np.random.default_rng(8))
    expected = dict(evaluate(q, x, q_labels, x_labels))
    signs = [np.where(codes, 1, -1) for codes in (q, x)]
    assert dict(evaluate(*signs, q_labels, x_labels)) == expected
    codes = [torch.tensor(s, dtype=dtype, requires_grad=dtype.is_floating_point) for s in signs]
    labels = [torch.tensor(part) for part in (q_labels, x_labels)]
    assert dict(evaluate(*codes, *labels)) == expected


def test_queries_without_relevant_items_are_left_out_of_every_metric_or_of_none():
    """The second query, whose class nobody has, moves no metric but the share of such queries."""
    codes = np.tri(6, 5, -1, dtype=bool)
    query, labels = np.zeros((2, 5), dtype=bool), np.array([1, 0, 0, 1, 0, 0])
    trec = find_protocol("trec")
    both = evaluate(query, codes, [1, 9], labels, trec)
    one = evaluate(query[:1], codes, [1], labels, trec)
    assert both["unanswerable"] == 0.5 and one["unanswerable"] == 0
    for name in one:
        assert name == "unanswerable" or both[name] == one[name] > 0 or name == "empty@r2"
        assert np.isnan(both.per_query[name][1]) == (name != "unanswerable")
    zero = evaluate(query, codes, [1, 9], labels, Protocol())
    assert zero["P@100"] == one["P@100"] / 2 and zero["mAP@all"] == one["mAP@all"] / 2


def test_a_mean_over_no_query_is_nan_with_a_reason():
    codes = np.eye(4, dtype=bool)
    result = evaluate(codes, codes, np.zeros(4), np.ones(4), "trec")
    assert np.isnan(result["mAP@all"]) and np.isnan(result["P@100"])
    assert np.isnan(result.bounds["mAP@all"]).all() and result["unanswerable"] == 1
    assert "no_relevant=skip" in result.reasons["mAP@all"]
    assert set(result.reasons) == set(result) - {"unanswerable"}
    result = evaluate(codes, ~codes, np.ones(4), np.ones(4), Protocol(radius=1, empty="skip"))
    assert np.isnan(result["P@r1"]) and result["empty@r1"] == 1
    assert list(result.reasons) == ["P@r1"] and "empty=skip" in result.reasons["P@r1"]


@pytest.mark.parametrize("ties", ["expected", "index"])
def test_a_curve_has_no_more_recall_levels_than_relevant_items(ties):
    """Queries with 3 and 2 relevant items: levels 1/3, 2/3 and 1, each reached by other items."""
    codes = np.tri(6, 5, -1, dtype=bool)
    query, labels = np.zeros((2, 5), dtype=bool), np.array([1, 0, 2, 1, 2, 1])
    curve = evaluate(query, codes, [1, 2], labels, Protocol(ties=ties)).curves["PR"]
    assert curve.x == pytest.approx([1 / 3, 2 / 3, 1])
    # Ranks 1, 4, 6 of the first; of the second 3, 5 and, for ceil(2 * 2 / 3) = 2, 5 again.
    assert curve.y == pytest.approx([(1 + 1 / 3) / 2, (2 / 4 + 2 / 5) / 2, (3 / 6 + 2 / 5) / 2])
    tables = -np.arange(6.0)[None, None].repeat(2, axis=0)
    words = np.arange(6)[:, None]
    scored = evaluate_scores(tables, words, [1, 2], labels, Protocol(ties=ties)).curves["PR"]
    np.testing.assert_array_equal(scored, curve)
    many = evaluate(np.zeros((1, 5), bool), np.zeros((1500, 5), bool), [1], np.ones(1500))
    assert many.curves["PR"].x.shape == (1000,)


def test_protocols_are_frozen():
    with pytest.raises(AttributeError):
        find_protocol("wdht").radius = 3


def test_random_codes_on_real_mirflickr_labels():
    """MIRFLICKR-25K: base rate 0.554 and random mAP 0.552 on 2,000 / 16,000 labelled images."""
    from pathlib import Path

    path = Path(__file__).resolve().parents[2] / "../shared/data/mirflickr25k"
    path = path / "mirflickr25k_labels38_all25000.npz"
    if not path.exists():
        pytest.skip("needs ../shared/data/mirflickr25k")
    with np.load(path, allow_pickle=False) as arrays:
        labels = next(a for a in arrays.values() if a.ndim == 2 and 38 in a.shape).astype(bool)
    labels = labels if labels.shape[1] == 38 else labels.T
    labels = labels[labels.any(axis=1)]
    assert len(labels) == 24_581
    rng = np.random.default_rng(0)
    labels = labels[rng.permutation(len(labels))[:18_000]]
    codes = rng.random((18_000, 64)) < 0.5
    result = evaluate(codes[:2000], codes[2000:], labels[:2000], labels[2000:])
    assert result["base_rate"] == pytest.approx(0.554, abs=0.01)
    assert result["mAP@5000"] == pytest.approx(0.549, abs=0.01)
    assert result["mAP@all"] == result["mAP@50000"] == pytest.approx(0.552, abs=0.01)
