from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from methods.labels.sdh import SDH, classifier, cross_validated, discrete_codes, objective


@pytest.fixture(scope="module")
def groups():
    """Features (300, 12) of five overlapping groups and their labels."""
    rng = np.random.default_rng(0)
    ids = np.arange(300) % 5
    X = 2 * rng.standard_normal((5, 12))[ids] + rng.standard_normal((300, 12))
    return X, ids[:, None] == np.arange(5)


def small(seed):
    rng = np.random.default_rng(seed)
    B = np.where(rng.random((6, 3)) < 0.5, -1.0, 1.0)
    return B, rng.standard_normal((6, 4)), rng.standard_normal((3, 4)), rng.standard_normal((6, 3))


def test_the_objective_never_rises(groups):
    for seed in range(3):
        hasher = SDH(8, n_anchors=60, nu=0.1, random_state=seed).fit(*groups)
        losses = hasher.losses_
        assert len(losses) == 6 and (np.diff(losses) <= 1e-9 * losses[0]).all()
        assert losses[-1] < 0.9 * losses[0]


def test_the_objective_of_an_example_by_hand():
    B, Y = np.array([[1.0, -1.0]]), np.array([[1.0, 0.0]])
    W, F = np.array([[0.5, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0]])
    # B W = (.5, -1): .25 + 1; ||W||^2 = 1.25; ||B - F||^2 = 4.
    assert objective(Y, B, W, F, 2.0, 0.5) == pytest.approx(1.25 + 2.5 + 2.0)


@pytest.mark.parametrize("seed", range(5))
def test_after_a_sweep_no_single_bit_lowers_the_objective(seed):
    B, Y, W, F = small(seed)
    nu = 0.3
    found = discrete_codes(B, Y @ W.T + nu * F, W, 50)
    reached = objective(Y, found, W, F, 1.0, nu)
    for i, k in product(range(6), range(3)):
        other = found.copy()
        other[i, k] *= -1
        assert objective(Y, other, W, F, 1.0, nu) >= reached - 1e-9


def test_the_first_column_is_the_best_of_all():
    B, Y, W, F = small(7)
    found = discrete_codes(B, Y @ W.T + 0.3 * F, W[:, :], 1)[:, 0]
    rest = B.copy()
    best = min(
        product([-1.0, 1.0], repeat=6),
        key=lambda column: objective(Y, np.column_stack([column, rest[:, 1:]]), W, F, 1.0, 0.3),
    )
    assert found.tolist() == list(best)


def test_the_classifier_is_the_ridge_solution():
    B, Y, *_ = small(3)
    W = classifier(B, Y, 2.0)
    assert pytest.approx(2.0 * W) == B.T @ (Y - B @ W)


def test_the_ridge_is_chosen_by_the_error_on_left_out_items():
    rng = np.random.default_rng(0)
    K = rng.standard_normal((80, 60))
    w = rng.standard_normal((60, 1))
    noisy = K @ w + 20 * rng.standard_normal((80, 1))
    new = rng.standard_normal((500, 60))
    far = [
        ((new @ weights - new @ w) ** 2).mean()
        for weights in (cross_validated(K, noisy), np.linalg.lstsq(K, noisy, rcond=None)[0])
    ]
    assert far[0] < 0.5 * far[1]
    clean = cross_validated(K, K @ w)
    assert clean == pytest.approx(w, rel=1e-3, abs=1e-3)


def test_ridge_and_anchors_reach_the_scores(groups):
    X, Y = groups
    scores = [
        SDH(8, n_anchors=60, random_state=0, **options).fit(X, Y).project(X)
        for options in ({}, {"ridge": "none"}, {"preset": "paper"})
    ]
    assert np.abs(scores[0] - scores[1]).max() > 1e-6
    assert (scores[1] == scores[2]).all()


def test_items_without_a_label_are_left_out(groups):
    X, Y = groups
    Y = Y.copy()
    Y[:100] = False
    hasher = SDH(8, n_anchors=60, random_state=0).fit(X, Y)
    assert hasher.codes_.shape == (200, 8)
    assert (
        hasher.project(X) == SDH(8, n_anchors=60, random_state=0).fit(X[100:], Y[100:]).project(X)
    ).all()
    with pytest.raises(ValueError, match="no training item has a label"):
        SDH(8).fit(X, Y & False)
