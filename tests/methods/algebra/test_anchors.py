"""K-means anchors and the anchor graph."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from methods.algebra import anchors
from methods.algebra.anchors import anchor_graph, kmeans, link, link_training_set, skip_anchors
from methods.algebra.blocks import squared_distances
from methods.sharing import sharing
from methods.unsupervised.agh import AGH, AGH2
from methods.unsupervised.dgh import DGH
from methods.unsupervised.selve import SELVE

PARAMETERS = {"n_anchors": 30, "n_neighbors": 3, "n_iter": 10, "random_state": 0}


@pytest.fixture(scope="module")
def X():
    """Like features after a ReLU: many zeros, rows of zeros, and repeated rows."""
    X = np.maximum(np.random.default_rng(0).standard_normal((300, 12)), 0)
    X[[5, 77, 200]] = 0
    X[100:120] = X[:20]
    return X


def test_kmeans_finds_separate_groups_and_their_means():
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1, 2], 20)
    X = 100 * np.eye(3)[groups] + rng.standard_normal((60, 3))
    centres, assignment = kmeans(X, 3, 10, 0)
    means = np.array([X[groups == g].mean(axis=0) for g in range(3)])
    np.testing.assert_allclose(centres[assignment], means[groups], rtol=1e-12)


def test_kmeans_assigns_every_item_to_its_nearest_centre(X):
    centres, assignment = kmeans(X, 30, 3, 0)
    np.testing.assert_array_equal(assignment, cdist(X, centres).argmin(axis=1))
    np.testing.assert_array_equal(np.unique(assignment), np.arange(len(centres)))


def test_kmeans_makes_as_many_rounds_as_asked_for(X):
    inertia = []
    for n_iter in (1, 2, 4, 50):
        centres = kmeans(X, 30, n_iter, 0).centres
        inertia.append((cdist(X, centres).min(axis=1) ** 2).sum())
    assert (np.diff(inertia) < 0).all()


@pytest.mark.parametrize("cls", [AGH, AGH2, DGH])
def test_methods_pass_the_rounds_on(cls, X):
    for n_iter in (1, 5):
        anchors = cls(4, n_anchors=30, kmeans_iter=n_iter, random_state=0).fit(X).anchors_
        np.testing.assert_array_equal(anchors, kmeans(X, 30, n_iter, 0).centres)


def test_kmeans_drops_empty_clusters():
    X = np.repeat(np.arange(6.0).reshape(3, 2), 10, axis=0)
    centres, assignment = kmeans(X, 8, 10, 0)
    assert len(centres) == 3
    np.testing.assert_allclose(centres[assignment], X, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kmeans_does_not_depend_on_the_number_of_threads(dtype):
    X = np.random.default_rng(2).standard_normal((2000, 20)).astype(dtype)
    results = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            results.append(kmeans(X, 40, 5, 3))
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)
    assert results[0].centres.dtype == np.float64


def test_kmeans_may_start_from_a_part_of_the_items(X, monkeypatch):
    monkeypatch.setattr(anchors, "START_ROWS", 60)
    centres, assignment = kmeans(X, 6, 50, 0)
    assert len(centres) == 6
    np.testing.assert_array_equal(assignment, cdist(X, centres).argmin(axis=1))
    means = [X[assignment == k].mean(axis=0) for k in range(6)]
    np.testing.assert_allclose(centres, means, atol=1e-12)


def test_squared_distances_far_from_the_origin(X):
    A = X[:40] + 0.1
    distances = squared_distances(X + 1e4, A + 1e4)
    np.testing.assert_allclose(distances, cdist(X, A, "sqeuclidean"), atol=1e-9)
    assert squared_distances(X, X).min() == 0


def test_weights_computed_by_hand():
    Z = link(np.array([[1.0]]), np.array([[10.0], [0.0], [3.0]]), 2.0, 2)
    weights = np.exp([-1 / 4, -4 / 4])
    np.testing.assert_array_equal(Z.indices, [1, 2])
    np.testing.assert_allclose(Z.data, weights / weights.sum(), rtol=1e-9)


def test_bandwidth_is_the_mean_distance_to_the_sth_nearest_anchor():
    items, points = np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [4.0], [10.0]])
    assert link_training_set(items, points, 1).sigma == pytest.approx((0 + 1 + 1) / 3)
    assert link_training_set(items, points, 2).sigma == pytest.approx((4 + 3 + 5) / 3)


def test_bandwidth_of_items_that_lie_on_their_anchors():
    items = np.array([[0.0], [4.0], [0.0]])
    graph = link_training_set(items, items[:2], 1)
    np.testing.assert_array_equal(graph.Z.toarray(), [[1, 0], [0, 1], [1, 0]])


def test_rows_of_Z_agree_with_a_direct_computation(X):
    graph = anchor_graph(X, **PARAMETERS)
    distances = cdist(X, graph.anchors)
    nearest = distances.argsort(axis=1)[:, :3]
    sigma = np.sort(distances, axis=1)[:, 2].mean()
    dense = np.zeros_like(distances)
    rows = np.arange(len(X))[:, None]
    dense[rows, nearest] = np.exp(-(distances[rows, nearest] ** 2) / sigma**2)
    dense /= dense.sum(axis=1, keepdims=True)
    assert graph.sigma == pytest.approx(sigma, rel=1e-12)
    np.testing.assert_allclose(graph.Z.toarray(), dense, atol=1e-8)
    assert (np.count_nonzero(graph.Z.toarray(), axis=1) == 3).all()
    np.testing.assert_allclose(graph.Z.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(graph.mass, graph.Z.sum(axis=0), rtol=1e-12)


def test_graph_is_doubly_stochastic_and_positive_semidefinite(X):
    graph = anchor_graph(X, **PARAMETERS)
    Z = graph.Z.toarray()
    A = Z / graph.mass @ Z.T
    np.testing.assert_allclose(A.sum(axis=0), 1, rtol=1e-12)
    eigenvalues = np.linalg.eigvalsh(A)
    assert eigenvalues[-1] == pytest.approx(1, abs=1e-12)
    assert eigenvalues[0] > -1e-12


def test_far_item_gets_finite_weights():
    Z = link(np.array([[1e6]]), np.array([[0.0], [1.0], [2.0]]), 0.5, 2)
    np.testing.assert_array_equal(Z.toarray(), [[0, 0, 1]])


def test_equal_distances_go_to_the_first_anchor_in_any_batch():
    # Every row of A is a reordering of the same numbers, so that all are as far from a constant
    # vector, but for the last digits; the even rows are three times as long, and thus farther.
    rng = np.random.default_rng(3)
    numbers = rng.standard_normal(37)
    numbers -= numbers.mean()
    A = np.array([rng.permutation(numbers) for _ in range(300)])
    A[::2] *= 3
    X = np.outer(np.arange(-40, 41) / 7, np.ones(37))
    whole = link(X, A, 1.3, 3)
    np.testing.assert_array_equal(whole.indices.reshape(-1, 3), np.tile([1, 3, 5], (81, 1)))
    np.testing.assert_allclose(whole.data, 1 / 3, rtol=1e-12)


def test_a_row_depends_on_its_item_alone(X, monkeypatch):
    graph = anchor_graph(X, **PARAMETERS)
    whole = graph.Z.toarray()
    single = [link(x[None], graph.anchors, graph.sigma, 3).toarray()[0] for x in X]
    np.testing.assert_array_equal(whole, single)
    np.testing.assert_array_equal(whole[100:120], whole[:20])
    more = np.vstack([X, X[:9] + 1e5])
    np.testing.assert_array_equal(
        link(more, graph.anchors, graph.sigma, 3).toarray()[: len(X)], whole
    )
    monkeypatch.setattr("methods.algebra.blocks.ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(anchor_graph(X, **PARAMETERS).Z.toarray(), whole, atol=1e-12)


def test_anchors_without_items_are_dropped():
    items = np.array([[0.0], [1.0], [0.2]])
    graph = link_training_set(items, np.array([[0.0], [500.0], [1.0], [-500.0]]), 2)
    np.testing.assert_array_equal(graph.anchors, [[0.0], [1.0]])
    assert graph.neighbors.max() == 1
    np.testing.assert_allclose(graph.Z.sum(axis=1), 1)


def test_too_few_distinct_items_is_a_clear_error():
    with pytest.raises(ValueError, match=r"1 distinct anchors.*n_neighbors = 2"):
        anchor_graph(np.ones((50, 4)), n_anchors=10, n_neighbors=2, n_iter=10, random_state=0)


def test_skip_reasons():
    assert skip_anchors(300, 300, 2) is None
    assert skip_anchors(299, 300, 2) is None
    assert skip_anchors(2, 300, 3) == "needs 2 <= n_neighbors <= min(n, n_anchors) = 2"
    assert "n_neighbors" in skip_anchors(1000, 300, 301)
    assert "n_neighbors" in skip_anchors(1000, 300, 0)


def test_methods_and_code_lengths_share_one_clustering_and_one_graph(X, tmp_path):
    hashers = [
        cls(n_bits, n_anchors=30, random_state=0)
        for cls in (AGH, AGH2, DGH, SELVE)
        for n_bits in (4, 8)
    ]
    alone = [hasher.fit(X).encode(X) for hasher in hashers]
    with sharing(tmp_path):
        together = [hasher.fit(X).encode(X) for hasher in hashers]
    np.testing.assert_array_equal(alone[0], together[0])
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    names = sorted(path.name.rsplit("-", 1)[0] for path in tmp_path.glob("*.npz"))
    assert names == ["_kmeans", "anchor_graph", "embed", "moments"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fewer_distinct_items_than_clusters(dtype):
    X = np.random.default_rng(0).standard_normal((50, 6)).astype(dtype).repeat(20, axis=0)
    for seed in range(4):
        clusters = kmeans(X, 300, 10, seed)
        assert len(clusters.centres) <= 50
        assert np.abs(clusters.centres).max() <= np.abs(X).max() + 1e-6
