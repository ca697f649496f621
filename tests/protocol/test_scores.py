"""Rankings by score against sorting in plain numpy, and their evaluation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from benchmark import evaluate, evaluate_scores
from benchmark.errors import InputError
from benchmark.protocol import measure
from benchmark.protocol.hamming import pack
from benchmark.protocol.protocol import PRESETS, Protocol
from benchmark.protocol.scores import TILE, score_index_profile, score_profile


def random_search(rng, q, n, M, K, n_labels=5, decimals=None):
    tables = rng.standard_normal((q, M, K)).astype(np.float32)
    if decimals is not None:
        tables = np.round(tables, decimals)
    codes = rng.integers(0, K, (n, M)).astype(np.uint8)
    labels = rng.random((q + n, n_labels)) < 0.2
    return tables, codes, labels[:q], labels[q:]


def scores_of(tables, codes):
    """Single-precision sums in the order of the codebooks."""
    scores = np.zeros((len(tables), len(codes)), dtype=np.float32)
    for m in range(codes.shape[1]):
        scores += tables[:, m, codes[:, m]]
    return scores


def profile_of(tables, codes, q_labels, x_labels, rank=score_profile):
    return rank(tables, np.ascontiguousarray(codes.T), pack(q_labels), pack(x_labels))


@pytest.mark.parametrize(
    ("n", "M", "K"), [(1, 1, 2), (500, 1, 256), (300, 4, 3), (TILE + 1, 2, 8), (2 * TILE, 6, 256)]
)
def test_groups_are_the_different_scores_from_the_largest_down(n, M, K):
    tables, codes, q_labels, x_labels = random_search(np.random.default_rng(n), 5, n, M, K)
    profile = profile_of(tables, codes, q_labels, x_labels)
    relevant = (q_labels[:, None] & x_labels).any(axis=2)
    for q, scores in enumerate(scores_of(tables, codes)):
        _, group, counts = np.unique(-scores, return_inverse=True, return_counts=True)
        used = len(counts)
        np.testing.assert_array_equal(profile.items[q, :used], counts)
        np.testing.assert_array_equal(profile.relevant[q, :used], np.bincount(group, relevant[q]))
        assert not profile.items[q, used:].any() and not profile.relevant[q, used:].any()
    assert profile.items.shape[1] <= min(n, K**M)


def test_negative_and_positive_zero_are_the_same_score():
    tables = np.array([[[0.0, -0.0, 1e-45, -1e-45]]], dtype=np.float32)
    codes = np.arange(4, dtype=np.uint8)[:, None]
    labels = np.ones((4, 1), dtype=bool)
    assert profile_of(tables, codes, labels[:1], labels).items.tolist() == [[1, 2, 1]]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n_labels=st.sampled_from([1, 64, 70]))
def test_index_profile_is_a_stable_sort(seed, n_labels):
    rng = np.random.default_rng(seed)
    search = random_search(rng, 4, 80, 2, 3, n_labels, decimals=0)
    profile = profile_of(*search, rank=score_index_profile)
    order = np.argsort(-scores_of(*search[:2]), axis=1, kind="stable")
    relevant = (search[2][:, None] & search[3]).any(axis=2)
    np.testing.assert_array_equal(profile.relevant, np.take_along_axis(relevant, order, axis=1))
    assert (profile.items == 1).all()


def test_items_with_the_same_code_are_tied_whatever_the_rounding():
    rng = np.random.default_rng(0)
    tables, codes, _, _ = random_search(rng, 20, 40, 6, 256)
    copies = np.repeat(codes, 50, axis=0)[rng.permutation(2000)]
    labels = np.ones((2020, 1), dtype=bool)
    profile = profile_of(tables, copies, labels[:20], labels[20:])
    assert (profile.items == 50).all() and profile.items.shape == (20, 40)


def test_agrees_with_scikit_learn_without_ties():
    rng = np.random.default_rng(1)
    tables, codes, _, _ = random_search(rng, 6, 300, 3, 64)
    labels = rng.integers(0, 4, 306)
    result = evaluate_scores(tables, codes, labels[:6], labels[6:])
    for q, scores in enumerate(scores_of(tables, codes)):
        expected = average_precision_score(labels[6:] == labels[q], scores)
        assert result.per_query["mAP@all"][q] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", ["expected", "index"])
def test_scores_that_count_equal_bits_rank_as_hamming_distance(ties):
    rng = np.random.default_rng(2)
    labels = rng.random((440, 6)) < 0.3
    bits = labels @ rng.normal(size=(6, 9)) + rng.normal(size=(440, 9)) > 0
    # One codebook of two words for each bit; a query scores 1 for the word equal to its bit.
    tables = np.stack([~bits[:40], bits[:40]], axis=2).astype(np.float32)
    protocol = Protocol(map_at=(50,), precision_at=(10, 100), ties=ties)
    by_score = evaluate_scores(
        tables, bits[40:].astype(np.uint8), labels[:40], labels[40:], protocol
    )
    by_distance = evaluate(bits[:40], bits[40:], labels[:40], labels[40:], protocol)
    assert set(by_distance) - set(by_score) == {"P@r2", "empty@r2"}
    for name in by_score:
        assert by_score[name] == by_distance[name]
        assert by_score.bounds[name] == by_distance.bounds[name]
    np.testing.assert_array_equal(by_score.curves["PR"].y, by_distance.curves["PR"].y)
    assert by_score.profile is None


@pytest.mark.parametrize("name", PRESETS)
def test_blocks_of_queries_change_nothing(name, monkeypatch):
    search = random_search(np.random.default_rng(3), 31, 200, 2, 4, decimals=0)
    whole = evaluate_scores(*search, name)
    monkeypatch.setattr(measure, "GROUPS_AT_ONCE", 7 * 200)
    parts = evaluate_scores(*search, name)
    assert dict(parts) == dict(whole) and parts.bounds == whole.bounds
    np.testing.assert_array_equal(parts.curves["PR"].y, whole.curves["PR"].y)


def test_expectation_ignores_the_order_of_the_database_and_index_does_not():
    rng = np.random.default_rng(4)
    tables, codes, q_labels, x_labels = random_search(rng, 20, 400, 1, 8)
    order = np.argsort(x_labels[:, 0], kind="stable")
    for ties, moves in (("expected", False), ("index", True)):
        protocol = Protocol(ties=ties)
        one = evaluate_scores(tables, codes, q_labels, x_labels, protocol)["mAP@all"]
        other = evaluate_scores(tables, codes[order], q_labels, x_labels[order], protocol)
        assert (abs(one - other["mAP@all"]) > 1e-4) == moves


def test_double_precision_tables_and_any_integers_are_taken():
    search = random_search(np.random.default_rng(5), 5, 100, 3, 16)
    tables, codes, *labels = search
    plain = dict(evaluate_scores(*search))
    for kind in (np.int64, np.int8, np.uint16):
        assert dict(evaluate_scores(tables.astype(float), codes.astype(kind), *labels)) == plain


def test_codebooks_may_have_more_than_256_words():
    tables, codes, *labels = random_search(np.random.default_rng(6), 5, 100, 1, 200)
    wide = np.zeros((5, 1, 1000), dtype=np.float32)
    wide[:, :, 800:] = tables
    high = codes.astype(np.int64) + 800
    plain = dict(evaluate_scores(tables, codes, *labels))
    assert dict(evaluate_scores(wide, high, *labels)) == plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query_tables": np.zeros((2, 4), np.float32)}, "queries, codebooks, code words"),
        ({"query_tables": np.full((2, 2, 4), np.nan)}, "NaN"),
        ({"query_tables": np.full((2, 2, 4), 3e38)}, "too large"),
        ({"query_tables": np.full((2, 2, 4), 1e300)}, "too large"),
        ({"database_codes": np.zeros((3, 3), np.uint8)}, r"\(items, 2\)"),
        ({"database_codes": np.full((3, 2), 4)}, "from 0 to 3"),
        ({"database_codes": np.full((3, 2), -1)}, "from 0 to 3"),
        ({"database_codes": np.zeros((3, 2))}, "whole numbers"),
        ({"query_labels": np.ones((4, 1), bool)}, "query labels"),
        ({"protocol": "hashnet2"}, "did you mean hashnet"),
    ],
)
def test_bad_input_is_one_clear_line(change, message):
    arguments = {
        "query_tables": np.zeros((2, 2, 4), np.float32),
        "database_codes": np.zeros((3, 2), np.uint8),
        "query_labels": np.ones((2, 1), bool),
        "database_labels": np.ones((3, 1), bool),
    }
    with pytest.raises(InputError, match=message):
        evaluate_scores(**{**arguments, **change})


@pytest.mark.parametrize("n_labels", [1, 6, 81])
def test_grades_count_the_labels_that_are_shared(n_labels):
    rng = np.random.default_rng(n_labels)
    tables, codes, q_labels, x_labels = random_search(rng, 5, 200, 2, 5, n_labels, decimals=0)
    shared = q_labels.astype(int) @ x_labels.T.astype(int)
    most = int(q_labels.sum(axis=1).max())
    searched = (tables, np.ascontiguousarray(codes.T), pack(q_labels), pack(x_labels))
    plain, graded = score_profile(*searched), score_profile(*searched, most)
    np.testing.assert_array_equal(graded.items, plain.items)
    np.testing.assert_array_equal(graded.relevant, plain.relevant)
    ranked = score_index_profile(*searched, most)
    for q, scores in enumerate(scores_of(tables, codes)):
        _, group = np.unique(-scores, return_inverse=True)
        expected = np.zeros(graded.grades.shape[1:], dtype=int)
        np.add.at(expected, (group, shared[q]), 1)
        np.testing.assert_array_equal(graded.grades[q], expected)
        order = np.argsort(-scores, kind="stable")
        np.testing.assert_array_equal(ranked.grades[q].argmax(axis=1), shared[q][order])
    assert (graded.items > 1).any() and (ranked.grades.sum(axis=2) == 1).all()
