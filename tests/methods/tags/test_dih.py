from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

from methods.conformance.trial import training_items
from methods.tags.dih import DIH, balanced_signs, draw_pairs, misfit, update_codes
from methods.unsupervised.itq import ITQ


@pytest.fixture(scope="module")
def problem():
    """Codes of 9 items and 5 tags, pairs between them, and gains from elsewhere."""
    rng = np.random.default_rng(0)
    B, D = (np.where(rng.standard_normal((n, 4)) > 0, 1.0, -1.0) for n in (9, 5))
    rows, others = rng.integers(0, 9, 40), rng.integers(0, 5, 40)
    r = (rng.random(40) < 0.5).astype(float)
    return B, D, rows, others, r, rng.standard_normal((9, 4))


def objective(B, D, rows, others, r, pull, nu):
    """What update_codes lowers, pair by pair."""
    fit = sum(
        (r[p] - B[i] @ D[t] / 8 - 0.5) ** 2
        for p, (i, t) in enumerate(zip(rows, others, strict=True))
    )
    return fit - np.sum(pull * B) + nu * np.sum(B.sum(axis=0) ** 2) / len(B)


def test_the_objective_never_rises_in_any_step():
    items = training_items()
    for parameters in ({}, {"mu": 0.1, "nu": 1.0}, {"lam": 10.0}):
        hasher = DIH(8, random_state=0, **parameters).fit(items.X, tags=items.tags)
        assert len(hasher.losses_) >= 6
        assert (np.diff(hasher.losses_) <= 1e-9 * hasher.losses_[0]).all()
        assert hasher.losses_[-1] < 0.99 * hasher.losses_[0]


def test_the_last_objective_is_that_of_the_formula():
    items = training_items()
    hasher = DIH(6, n_iter=1, mu=0.5, lam=2.0, nu=0.3, random_state=3)
    hasher.fit(items.X, tags=items.tags)
    pairs = draw_pairs(items.tags, np.random.default_rng(3))
    B, D, W = hasher.codes_, hasher.tag_codes_, hasher.W_
    Xc = items.X - items.X.mean(axis=0)
    expected = np.sum((pairs.r - (B[pairs.items] * D[pairs.tags]).sum(axis=1) / 12 - 0.5) ** 2)
    expected += 0.5 / 6 * np.sum((B - Xc @ W) ** 2)
    expected += 2 / 6 * np.mean(np.sum(Xc**2, axis=1)) * np.sum(W**2)
    expected += 0.3 * (np.sum(B.sum(axis=0) ** 2) / 1200 + np.sum(D.sum(axis=0) ** 2) / 20)
    assert hasher.losses_[-1] == pytest.approx(expected)


def test_the_projection_is_the_ridge_regression_of_the_codes_it_starts_from(features):
    tags = csr_array(np.random.default_rng(0).random((400, 7)) < 0.3)
    hasher = DIH(5, n_iter=1, random_state=2).fit(features, tags=tags)
    B = np.where(ITQ(5, random_state=2).fit(features).encode(features), 1.0, -1.0)
    Xc = features - features.mean(axis=0)
    shrinkage = np.mean(np.sum(Xc**2, axis=1)) * np.eye(10)
    W = hasher.W_
    assert pytest.approx(np.linalg.solve(Xc.T @ Xc + shrinkage, Xc.T @ B)) == W


@pytest.mark.parametrize("nu", [0.0, 0.5, 5.0])
def test_each_column_becomes_the_best_of_all_columns(problem, nu):
    B, D, rows, others, r, pull = problem
    updated = B.copy()
    update_codes(updated, D, rows, others, r, pull, nu)
    costs, now = [], B.copy()
    for k in range(4):
        columns = np.array(list(product([-1.0, 1.0], repeat=9)))
        costs = []
        for column in columns:
            now[:, k] = column
            costs.append(objective(now, D, rows, others, r, pull, nu))
        now[:, k] = columns[np.argmin(costs)]
    assert (updated == now).all()


def test_balance_outweighs_small_gains_only():
    gain = np.array([5.0, 0.1, 0.2, 0.3])
    x = np.ones(4)
    assert balanced_signs(gain, x, 0.0).tolist() == [1, 1, 1, 1]
    assert balanced_signs(gain, x, 1.0).tolist() == [1, -1, -1, 1]
    assert balanced_signs(-gain, x, 1.0).tolist() == [-1, 1, 1, -1]


def test_bits_that_nothing_pulls_stay():
    x = np.array([1.0, -1.0, -1.0, 1.0, 1.0])
    assert balanced_signs(np.zeros(5), x, 0.0).tolist() == x.tolist()
    assert balanced_signs(np.zeros(4), x[:4], 1.0).tolist() == x[:4].tolist()


def test_pairs_are_all_tags_and_as_many_others_of_the_same_items():
    hot = np.random.default_rng(0).random((50, 9)) < 0.4
    hot[3], hot[4] = True, False
    pairs = draw_pairs(csr_matrix(hot * 2), np.random.default_rng(1))
    has = pairs.r == 1
    assert sorted(zip(*np.nonzero(hot), strict=True)) == sorted(
        zip(pairs.items[has], pairs.tags[has], strict=True)
    )
    assert not hot[pairs.items[~has], pairs.tags[~has]].any()
    expected = np.where(hot.all(axis=1), 0, hot.sum(axis=1))
    assert (np.bincount(pairs.items[~has], minlength=50) == expected).all()


def test_agreeing_codes_fit_tags_and_opposite_codes_fit_their_absence():
    B = np.array([[1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    left = misfit(B, B[:1], np.array([0, 1, 0]), np.array([0, 0, 0]), np.array([1.0, 0.0, 0.0]))
    assert left.tolist() == [0, 0, -1]


def test_blocks_of_a_tag_matrix_are_found_again():
    rng = np.random.default_rng(0)
    block = np.repeat(np.arange(4), 60)
    tags = (np.repeat(np.arange(4), 6) == block[:, None]) & (rng.random((240, 24)) < 0.7)
    X = np.hstack([np.eye(4)[block], 0.5 * rng.standard_normal((240, 12))])
    X[:, :4] += 0.2 * rng.standard_normal((240, 4))
    hasher = DIH(8, random_state=0).fit(X, tags=csr_array(tags))
    agreement = hasher.codes_ @ hasher.tag_codes_.T
    assert (agreement.reshape(240, 4, 6).mean(axis=2).argmax(axis=1) == block).mean() > 0.95


def test_items_with_equal_features_get_equal_codes():
    items = training_items()
    rows = np.arange(1200) // 2
    hasher = DIH(8, random_state=0).fit(items.X[rows], tags=items.tags[rows])
    codes = hasher.encode(items.X[rows])
    assert (codes[::2] == codes[1::2]).all()


def test_the_scale_of_the_features_does_not_matter():
    items = training_items()
    codes = [
        DIH(8, random_state=0).fit(c * items.X, tags=items.tags).encode(c * items.X)
        for c in (1.0, 64.0)
    ]
    assert (codes[0] == codes[1]).all()


def test_it_sees_tags_only_and_names_them_where_they_are_missing(features):
    assert set(DIH(4).supervised_by(tags=1, labels=2)) == {"tags"}
    with pytest.raises(ValueError, match="needs tags"):
        DIH(4).fit(features, labels=np.ones((400, 1), bool))
    with pytest.raises(ValueError, match="lam > 0"):
        DIH(4, lam=0.0).fit(features, tags=csr_array((400, 2)))
