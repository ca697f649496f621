"""Anchor graph hashing, one layer and two layers."""

import re
import warnings

import numpy as np
import pytest
from scipy.linalg import eigh

from methods import Task
from methods.algebra.anchors import link_training_set
from methods.unsupervised.agh import AGH, AGH2, graph_eigenvectors, second_thresholds
from methods.unsupervised.dgh import DGH
from methods.unsupervised.selve import SELVE


@pytest.fixture(scope="module")
def X():
    """Four clusters that touch each other."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((4, 6))[np.arange(400) % 4] + rng.standard_normal((400, 6))


@pytest.fixture(scope="module")
def graph(X):
    return link_training_set(X, X[:25], 3)


def dense_graph(graph):
    Z = graph.Z.toarray()
    return Z @ np.diag(1 / Z.sum(axis=0)) @ Z.T


def sign_changes(scores):
    return np.count_nonzero(np.diff(scores > 0, axis=0), axis=0)


def test_agrees_with_the_eigenvectors_of_the_dense_graph(X, graph):
    n, count = len(X), 10
    eigenvalues, W = graph_eigenvectors(graph, count)
    dense_values, dense_vectors = eigh(dense_graph(graph))
    assert dense_values[-1] == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(dense_vectors[:, -1] ** 2, 1 / n, rtol=1e-9)
    np.testing.assert_allclose(eigenvalues, dense_values[::-1][1 : count + 1], rtol=1e-10)
    expected = dense_vectors[:, ::-1][:, 1 : count + 1]
    cosines = np.abs(np.sum(graph.Z @ W * expected, axis=0)) / np.sqrt(n)
    np.testing.assert_allclose(cosines, 1, rtol=1e-9)


def test_training_scores_are_orthogonal_with_mean_zero(X, graph):
    Y = graph.Z @ graph_eigenvectors(graph, 24)[1]
    np.testing.assert_allclose(Y.T @ Y / len(X), np.eye(24), atol=1e-10)
    np.testing.assert_allclose(Y.mean(axis=0), 0, atol=1e-10)


def test_more_eigenvectors_than_the_graph_has(graph):
    with pytest.raises(ValueError, match="has 24 eigenvectors, but 25 are needed"):
        graph_eigenvectors(graph, 25)


def test_signs_are_fixed(graph):
    W = graph_eigenvectors(graph, 8)[1]
    V = W * np.sqrt(graph.mass)[:, None]
    assert (V[np.abs(V).argmax(axis=0), np.arange(8)] > 0).all()


def test_kth_bit_flips_k_times_along_a_line():
    X = np.linspace(0, 1, 500)[:, None]
    hasher = AGH(6, n_anchors=20, random_state=0).fit(X)
    np.testing.assert_array_equal(sign_changes(hasher.project(X)), np.arange(1, 7))
    assert (np.diff(hasher.eigenvalues_) < 0).all()


def test_queries_on_training_items_give_the_training_codes(X):
    hasher = AGH(12, n_anchors=40, random_state=0)
    graph = hasher._fit_eigenvectors(X, 12)
    np.testing.assert_array_equal(hasher.project(X), graph.Z @ hasher.W_)


def test_unconnected_groups_get_different_codes():
    rng = np.random.default_rng(1)
    groups = np.arange(300) % 3
    X = 50 * np.eye(3)[groups] + rng.uniform(-1, 1, (300, 3))
    hasher = AGH(2, n_anchors=30, random_state=0).fit(X)
    np.testing.assert_allclose(hasher.eigenvalues_, 1, rtol=1e-12)
    codes = hasher.encode(X)
    for g in range(3):
        assert (codes[groups == g] == codes[g]).all()
    assert len(np.unique(codes, axis=0)) == 3


def test_authors_bound_leaves_out_what_tells_unconnected_groups_apart():
    rng = np.random.default_rng(1)
    X = 50 * np.eye(3)[np.arange(300) % 3] + rng.uniform(-1, 1, (300, 3))
    hasher = AGH(3, n_anchors=30, max_eigenvalue=0.999, random_state=0).fit(X)
    assert hasher.eigenvalues_.max() < 0.999
    # Each of these functions lives on one group and is exactly zero on the others.
    reached = hasher.project(X).reshape(100, 3, 3).any(axis=0)
    np.testing.assert_array_equal(reached.sum(axis=0), 1)


def test_bound_makes_no_difference_on_a_connected_graph(X):
    default = AGH(8, n_anchors=40, random_state=0).fit(X)
    authors = AGH(8, n_anchors=40, max_eigenvalue=0.999, random_state=0).fit(X)
    np.testing.assert_array_equal(default.W_, authors.W_)


def clusters(n_clusters, n, seed=0):
    """Clusters of one size, far from each other."""
    rng = np.random.default_rng(seed)
    centres = 10 * rng.standard_normal((n_clusters, 32))
    return centres[np.arange(n) % n_clusters] + rng.standard_normal((n, 32))


@pytest.mark.parametrize("count", [5, 11, 20])
def test_bits_of_separate_parts_do_not_depend_on_rounding(count):
    X = clusters(12, 600)
    rng = np.random.default_rng(1)
    graph = link_training_set(X, X[:48], 2)
    bits = graph.Z @ graph_eigenvectors(graph, count)[1] > 0
    for _ in range(5):
        weights = graph.weights * (1 + 1e-15 * rng.standard_normal(graph.weights.shape))
        rounded = graph._replace(weights=weights)
        np.testing.assert_array_equal(rounded.Z @ graph_eigenvectors(rounded, count)[1] > 0, bits)


def test_eigenvalues_of_a_graph_in_parts_are_the_largest_of_the_dense_one():
    X = clusters(4, 200)
    graph = link_training_set(X, X[:40], 3)
    eigenvalues, W = graph_eigenvectors(graph, 15)
    expected = np.linalg.eigvalsh(dense_graph(graph))[::-1]
    assert expected[3] == pytest.approx(1)
    np.testing.assert_allclose(eigenvalues, expected[1:16], rtol=1e-9)
    Y = graph.Z @ W
    np.testing.assert_allclose(Y.T @ Y, 200 * np.eye(15), atol=1e-7)


@pytest.mark.parametrize(("n_clusters", "n_bits"), [(10, 12), (30, 12), (60, 16)])
@pytest.mark.parametrize("cls", [AGH, AGH2, DGH])
def test_every_part_gets_bits_of_its_own(cls, n_clusters, n_bits):
    X = clusters(n_clusters, 25 * n_clusters)
    codes = cls(n_bits, n_anchors=5 * n_clusters, random_state=0).fit(X).encode(X)
    assert codes.any(axis=1).mean() >= 0.9
    of_cluster = [np.unique(codes[k::n_clusters], axis=0) for k in range(n_clusters)]
    distinct = {code.tobytes() for part in of_cluster for code in part}
    assert len(distinct) >= 0.9 * n_clusters


def test_a_few_stray_items_cost_no_bit_and_share_those_of_the_nearest_anchors():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((600, 8))
    stray = 200 + rng.standard_normal((4, 8))
    alone = AGH(8, n_anchors=40, random_state=0).fit(X)
    with pytest.warns(UserWarning, match=r"0\.7 % of the training items lie in 1 small"):
        hasher = AGH(8, n_anchors=40, random_state=0).fit(np.vstack([X, stray]))
    assert alone.eigenvalues_.max() < 0.999 and hasher.eigenvalues_.max() < 0.999
    assert (hasher.project(stray) != 0).all()
    Y = hasher.project(np.vstack([X, stray]))
    np.testing.assert_allclose(Y.T @ Y, 604 * np.eye(8), atol=1e-7)
    np.testing.assert_allclose(Y.sum(axis=0), 0, atol=1e-7)


def test_parts_stay_where_the_rest_has_too_few_anchors():
    rng = np.random.default_rng(2)
    X = np.vstack([rng.standard_normal((600, 8)), 200 + rng.standard_normal((4, 8))])
    hasher = AGH(9, n_anchors=10, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hasher.fit(X)
    assert hasher.eigenvalues_[0] == 1


@pytest.mark.parametrize("cls", [AGH, AGH2, DGH, SELVE])
def test_with_fewer_items_than_anchors_each_item_is_one(cls):
    X = clusters(5, 80)
    with pytest.warns(UserWarning, match="n_anchors = 300, but there are only 80"):
        hasher = cls(8, random_state=0).fit(X)
    assert len(hasher.anchors_) == 80
    # Codes of a cluster are alike: the other ones are farther.
    codes = hasher.encode(X)
    distances = (codes[:, None] != codes).mean(axis=2)
    same = np.arange(80)[:, None] % 5 == np.arange(80) % 5
    assert distances[same].mean() < 0.8 * distances[~same].mean()


def test_second_layer_by_the_definition(graph):
    Z, A = graph.Z.toarray(), dense_graph(graph)
    Y = Z @ graph_eigenvectors(graph, 5)[1]
    upper, lower = second_thresholds(graph, Y)
    n = len(Y)
    for k, y in enumerate(Y.T):
        p = (y > 0).astype(float)
        n1, s3 = p.sum(), y[y > 0].sum()
        q = (s3 - p @ A @ np.abs(y)) / (n1 - p @ A @ p)
        assert upper[k] == pytest.approx((2 * s3 + (n - n1) * q) / n)
        assert lower[k] == pytest.approx((n1 * q - 2 * s3) / n)


def test_second_layer_training_scores_sum_to_zero(X):
    hasher = AGH2(16, n_anchors=40, random_state=0).fit(X)
    np.testing.assert_allclose(hasher.project(X)[:, 8:].mean(axis=0), 0, atol=1e-12)


def test_second_bit_is_a_threshold_on_either_side(X):
    hasher = AGH2(8, n_anchors=40, random_state=0).fit(X)
    codes, y = hasher.encode(X), hasher.project(X)[:, :4]
    expected = np.where(y > 0, y > hasher.upper_, y < hasher.lower_)
    np.testing.assert_array_equal(codes[:, 4:], expected)
    np.testing.assert_array_equal(
        codes[:, :4], AGH(4, n_anchors=40, random_state=0).fit(X).encode(X)
    )


def test_second_layer_of_unlinked_sides():
    rng = np.random.default_rng(2)
    X = np.where(np.arange(90) % 3 == 0, 100.0, 0.0)[:, None] + rng.uniform(-1, 1, (90, 1))
    hasher = AGH2(2, n_anchors=10, random_state=0).fit(X)
    # y is sqrt(2) on the 30 items of one side and -sqrt(1/2) on the 60 others.
    level = 2 * 30 * np.sqrt(2) / 90
    np.testing.assert_allclose([hasher.upper_[0], -hasher.lower_[0]], level, rtol=1e-9)


@pytest.mark.parametrize(
    ("hasher", "task", "reason"),
    [
        (AGH(300), Task(5000, 20), "needs bits <= min(n, n_anchors) - 1 = 299"),
        (AGH(299), Task(5000, 20), None),
        (AGH(8), Task(200, 20), None),
        (AGH(8), Task(8, 20), "needs bits <= min(n, n_anchors) - 1 = 7"),
        (AGH2(9), Task(5000, 20), "needs an even number of bits"),
        (AGH2(600), Task(5000, 20), "needs bits / 2 <= min(n, n_anchors) - 1 = 299"),
        (AGH2(598), Task(5000, 20), None),
    ],
)
def test_skip(hasher, task, reason):
    assert hasher.skip(task) == reason
    if reason:
        with pytest.raises(ValueError, match=re.escape(reason)):
            hasher.fit(np.random.default_rng(0).standard_normal((task.n_train, 2)))


@pytest.mark.parametrize("cls", [AGH, AGH2])
def test_few_distinct_items_is_a_clear_error(cls):
    X = np.tile(np.eye(5), (80, 1))
    with pytest.raises(ValueError, match=r"the anchor graph has . eigenvectors"):
        cls(16, random_state=0).fit(X)


def test_smoothness_is_that_of_the_best_subspace(X, graph):
    """No orthogonal mean-zero functions are smoother on the graph: tr(Y'AY)/n is the largest."""
    rng = np.random.default_rng(3)
    A, (eigenvalues, W) = dense_graph(graph), graph_eigenvectors(graph, 3)
    Y = graph.Z @ W
    assert np.trace(Y.T @ A @ Y) / len(X) == pytest.approx(eigenvalues.sum())
    other = Y + 0.3 * rng.standard_normal(Y.shape)
    other = np.linalg.qr(other - other.mean(axis=0))[0]
    assert np.trace(other.T @ A @ other) < eigenvalues.sum()
