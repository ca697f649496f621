"""Sparse embedding and least variance encoding."""

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.sparse import csr_array

from methods import Task
from methods.algebra.anchors import kmeans
from methods.unsupervised.selve import (
    SELVE,
    embed,
    initial_dictionary,
    objective,
    update_dictionary,
)

ENOUGH = {"n_anchors": 40, "n_components": 5, "random_state": 0}


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6, 8))[np.arange(600) % 6] + rng.standard_normal((600, 8)) + 3
    return np.maximum(X, 0)


@pytest.fixture(scope="module")
def hasher(X):
    return SELVE(10, **ENOUGH).fit(X)


def embedding(X, **changes):
    parameters = {**ENOUGH, "n_neighbors": 2, "n_iter": 10, "beta": 0.5, **changes}
    return embed(X, **parameters)


def dense_weights(X, found):
    """Z with columns scaled by Lambda^-1/2, computed densely from the projected distances."""
    projected = (X - found.mean) @ found.axes
    squared = ((projected[:, None] - found.anchors) ** 2).sum(axis=2)
    nearest = squared.argsort(axis=1)[:, :2]
    sigma = np.sqrt(np.sort(squared, axis=1)[:, 1]).mean()
    Z, rows = np.zeros_like(squared), np.arange(len(X))[:, None]
    Z[rows, nearest] = np.exp(-squared[rows, nearest] / sigma**2)
    Z /= Z.sum(axis=1, keepdims=True)
    return Z / np.sqrt(Z.sum(axis=0))


def test_projection_by_the_definition(X):
    found = embedding(X)
    centres, assignment = kmeans(X, 40, 10, 0)
    centred, residuals = X - X.mean(axis=0), X - centres[assignment]
    values, vectors = eigh(0.5 * residuals.T @ residuals - centred.T @ centred)
    assert (values < 0).all()
    np.testing.assert_allclose(np.abs(np.sum(found.axes * vectors[:, :5], axis=0)), 1, rtol=1e-9)
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(5), atol=1e-12)


def test_projection_in_blocks(X, monkeypatch):
    whole = embedding(X)
    monkeypatch.setattr("methods.algebra.blocks.ROWS_AT_ONCE", 64)
    np.testing.assert_allclose(embedding(X).axes, whole.axes, atol=1e-9)


def test_without_within_scatter_the_projection_is_pca(X):
    axes = embedding(X, beta=0.0).axes
    vectors = eigh(np.cov(X.T))[1][:, ::-1][:, :5]
    np.testing.assert_allclose(np.abs(np.sum(axes * vectors, axis=0)), 1, rtol=1e-9)


def test_objective_by_the_definition():
    rng = np.random.default_rng(1)
    Z, D, S = rng.random((20, 7)), rng.random((7, 3)), rng.random((20, 3))
    mean = rng.random(3)
    expected = np.linalg.norm(Z - S @ D.T) ** 2 + 0.1 * np.linalg.norm(S - mean) ** 2
    assert objective(csr_array(Z), D, S, mean, 0.1) == pytest.approx(expected)


def test_objective_never_increases(hasher):
    losses = hasher.losses_
    assert len(losses) == 3 * 10 + 3
    assert (np.diff(losses) <= 1e-9 * losses[0]).all()
    assert losses[-1] < 0.99 * losses[1]


def test_each_step_of_the_alternation_is_the_exact_minimiser(X):
    """The losses are those of an alternation written with dense solves, the mean among them."""
    hasher = SELVE(4, **ENOUGH, n_iter=2, lam=0.3).fit(X)
    Z, mean = dense_weights(X, embedding(X)), np.zeros(4)
    D, S = initial_dictionary(Z.shape[1], 4, 0), np.zeros((len(Z), 4))

    def loss():
        return np.sum((Z - S @ D.T) ** 2) + 0.3 * np.sum((S - mean) ** 2)

    expected = [loss()]
    for n_done in range(3):
        S = np.linalg.solve(D.T @ D + 0.3 * np.eye(4), (Z @ D + 0.3 * mean).T).T
        expected.append(loss())
        mean = S.mean(axis=0)
        expected.append(loss())
        if n_done < 2:
            D = update_dictionary(D, Z.T @ S, S.T @ S, 5)
            expected.append(loss())
    np.testing.assert_allclose(hasher.losses_, expected, rtol=1e-7)


def test_dictionary_columns_lie_in_the_unit_ball(hasher):
    norms = np.linalg.norm(hasher.dictionary_, axis=0)
    assert (norms <= 1 + 1e-6).all()


def test_initial_dictionary():
    D = initial_dictionary(30, 8, 0)
    np.testing.assert_allclose(np.linalg.norm(D, axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(D.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(D, initial_dictionary(30, 8, 0))


@pytest.mark.parametrize("scale", [0.2, 3.0], ids=["inside the ball", "on its boundary"])
def test_dictionary_update_finds_the_constrained_minimum(scale):
    rng = np.random.default_rng(2)
    Z, S = scale * rng.standard_normal((25, 6)), rng.standard_normal((25, 3))
    D = update_dictionary(initial_dictionary(6, 3, 0), Z.T @ S, S.T @ S, 200)

    def loss(entries):
        return np.linalg.norm(Z - S @ entries.reshape(6, 3).T) ** 2

    inside = {"type": "ineq", "fun": lambda entries: 1 - (entries.reshape(6, 3) ** 2).sum(axis=0)}
    best = minimize(loss, np.zeros(18), method="SLSQP", constraints=inside, options={"ftol": 1e-12})
    assert loss(D.ravel()) == pytest.approx(best.fun, rel=1e-6)
    assert (np.linalg.norm(D, axis=0) <= 1 + 1e-12).all()


def test_dictionary_column_without_coefficients_stays():
    D = initial_dictionary(6, 2, 0)
    S = np.column_stack([np.ones(9), np.zeros(9)])
    updated = update_dictionary(D, np.ones((9, 6)).T @ S, S.T @ S, 3)
    np.testing.assert_array_equal(updated[:, 1], D[:, 1])
    assert (updated[:, 0] != D[:, 0]).all()


def test_scores_by_the_definition(hasher, X):
    """s(x) minus its training mean, from the dense weights and the learnt dictionary."""
    Z, D = dense_weights(X, embedding(X)), hasher.dictionary_
    some_mean = np.random.default_rng(3).standard_normal(10)
    codes = np.linalg.solve(D.T @ D + 0.1 * np.eye(10), (Z @ D + 0.1 * some_mean).T).T
    np.testing.assert_allclose(hasher.project(X), codes - codes.mean(axis=0), atol=1e-7)


def test_threshold_is_the_training_mean(hasher, X):
    np.testing.assert_allclose(hasher.project(X).mean(axis=0), 0, atol=1e-12)
    assert (np.abs(hasher.encode(X).mean(axis=0) - 0.5) < 0.3).all()


def test_codes_do_not_depend_on_the_batch(hasher, X):
    whole = hasher.encode(X)
    np.testing.assert_array_equal(hasher.encode(X[:7]), whole[:7])
    np.testing.assert_array_equal(np.vstack([hasher.encode(x[None]) for x in X[:50]]), whole[:50])


def test_shift_of_all_data_changes_nothing(hasher, X):
    shifted = SELVE(10, **ENOUGH).fit(X + 5)
    agreement = (shifted.encode(X + 5) == hasher.encode(X)).mean()
    assert agreement > 0.999


def test_few_distinct_items_is_a_clear_error():
    X = np.tile(np.eye(5), (80, 1))
    with pytest.raises(ValueError, match="only 5 distinct anchors for 16 bits"):
        SELVE(16, random_state=0).fit(X)


def test_skip():
    assert SELVE(301).skip(Task(5000, 20)) == "needs bits <= min(n, n_anchors) = 300"
    assert SELVE(300).skip(Task(300, 20)) is None
    assert SELVE(8).skip(Task(299, 20)) is None
    assert SELVE(8).skip(Task(7, 20)) == "needs bits <= min(n, n_anchors) = 7"
