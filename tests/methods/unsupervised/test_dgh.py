"""Discrete graph hashing."""

import itertools

import numpy as np
import pytest

from methods import Task
from methods.algebra.anchors import anchor_graph, link_training_set
from methods.unsupervised.agh import AGH
from methods.unsupervised.dgh import DGH, balanced_orthogonal, rotate_towards_signs


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.standard_normal((6, 8))[np.arange(600) % 6] + rng.standard_normal((600, 8))


@pytest.fixture(scope="module", params=[False, True], ids=["eigenvectors", "rotated"])
def hasher(request, X):
    return DGH(10, n_anchors=50, rotate=request.param, random_state=0).fit(X)


def graph_of(hasher, X):
    return anchor_graph(
        X,
        n_anchors=hasher.n_anchors,
        n_neighbors=hasher.n_neighbors,
        n_iter=hasher.kmeans_iter,
        random_state=hasher.random_state,
    )


def affinity(graph):
    Z = graph.Z.toarray()
    return Z / Z.sum(axis=0) @ Z.T


def assert_feasible(Y):
    n, b = Y.shape
    np.testing.assert_allclose(Y.T @ Y / n, np.eye(b), atol=1e-10)
    np.testing.assert_allclose(Y.mean(axis=0), 0, atol=1e-10)


def test_objective_never_decreases(hasher):
    objectives = hasher.objectives_
    assert len(objectives) > 4
    assert (np.diff(objectives) >= -1e-9 * objectives[-1]).all()
    assert objectives[-1] > objectives[0]


def test_objective_is_that_of_the_dense_graph(hasher, X):
    B, Y, A = hasher.codes_, hasher.Y_, affinity(graph_of(hasher, X))
    expected = np.trace(B.T @ A @ B) + hasher.rho * np.trace(B.T @ Y)
    assert hasher.objectives_[-1] == pytest.approx(expected, rel=1e-12)


def test_codes_are_binary_and_Y_feasible(hasher):
    np.testing.assert_array_equal(np.abs(hasher.codes_), 1)
    assert_feasible(hasher.Y_)


def test_codes_are_a_fixed_point_of_the_linearised_problem(X):
    hasher = DGH(6, n_anchors=50, tol=0, random_state=0).fit(X)
    gradient = 2 * affinity(graph_of(hasher, X)) @ hasher.codes_ + hasher.rho * hasher.Y_
    np.testing.assert_array_equal(np.where(gradient > 0, 1, -1), hasher.codes_)


def test_codes_with_zero_gradient_stay():
    # The last two items lie half-way between the anchors and have opposite codes: these cancel.
    X = np.array([[0.0], [0.0], [2.0], [2.0], [1.0], [1.0]])
    graph = link_training_set(X, np.array([[0.0], [2.0]]), 2)
    Y = np.array([[1.0], [1.0], [-1.0], [-1.0], [1.0], [-1.0]])
    hasher = DGH(1, rho=0.0, n_iter=1)
    hasher._alternate(graph, Y, np.random.default_rng(0))
    np.testing.assert_array_equal(hasher.codes_, Y)
    assert len(hasher.objectives_) == 2


def test_new_items_by_the_formula(hasher, X):
    graph = graph_of(hasher, X)
    Z = graph.Z.toarray()
    scores = Z @ np.diag(1 / Z.sum(axis=0)) @ Z.T @ hasher.codes_
    np.testing.assert_allclose(hasher.project(X), scores, atol=1e-10)


def test_training_items_mostly_keep_their_codes(hasher, X):
    assert ((hasher.codes_ > 0) == hasher.encode(X)).mean() > 0.99


def test_starts_from_agh(X):
    hasher = DGH(8, n_anchors=50, n_iter=0, random_state=0).fit(X)
    agh = AGH(8, n_anchors=50, random_state=0).fit(X)
    np.testing.assert_array_equal(hasher.codes_ > 0, agh.encode(X))


def test_large_rho_balances_the_bits(X):
    light, heavy = (
        DGH(8, rho=rho, n_anchors=50, random_state=0).fit(X).codes_ for rho in (0.01, 50.0)
    )
    assert np.abs(heavy.mean(axis=0)).max() < np.abs(light.mean(axis=0)).max()


def test_best_Y_for_one_bit():
    B = np.array([[1.0], [1.0], [1.0], [-1.0]])
    Y = balanced_orthogonal(B, np.random.default_rng(0))
    np.testing.assert_allclose(Y.ravel(), np.array([1, 1, 1, -3]) / np.sqrt(3), rtol=1e-12)


def test_Y_is_the_closest_feasible_one():
    rng = np.random.default_rng(1)
    B = np.where(rng.standard_normal((40, 5)) > 0, 1.0, -1.0)
    Y = balanced_orthogonal(B, rng)
    assert_feasible(Y)
    best = np.sum(B * Y)
    assert best == pytest.approx(
        np.sqrt(40) * np.linalg.svd(B - B.mean(axis=0), compute_uv=False).sum()
    )
    for _ in range(50):
        other = rng.standard_normal((40, 5)) + Y
        other = np.sqrt(40) * np.linalg.qr(other - other.mean(axis=0))[0]
        assert np.sum(B * other) < best


@pytest.mark.parametrize("b", [1, 3, 5])
def test_Y_is_feasible_for_constant_and_repeated_bits(b):
    rng = np.random.default_rng(2)
    bit = np.where(rng.standard_normal(30) > 0, 1.0, -1.0)
    B = np.column_stack([np.ones(30), bit, -bit, -np.ones(30), bit])[:, :b]
    Y = balanced_orthogonal(B, rng)
    assert_feasible(Y)
    centred = B - B.mean(axis=0)
    nuclear = np.linalg.svd(centred, compute_uv=False).sum()
    assert np.sum(B * Y) == pytest.approx(np.sqrt(30) * nuclear, abs=1e-9)


def test_rotation_brings_scores_closer_to_their_signs():
    rng = np.random.default_rng(3)
    corners = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
    Y = np.tile(corners, (4, 1)) @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
    rotated = rotate_towards_signs(Y, rng)
    np.testing.assert_allclose(rotated.T @ rotated, Y.T @ Y, atol=1e-9)
    assert np.abs(rotated).sum() > np.abs(Y).sum()


def test_skip():
    assert DGH(300).skip(Task(5000, 20)) == "needs bits <= min(n, n_anchors) - 1 = 299"
    assert DGH(8).skip(Task(8, 20)) == "needs bits <= min(n, n_anchors) - 1 = 7"
    assert DGH(8).skip(Task(300, 20)) is None
