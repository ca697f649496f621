from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import check_grad
from scipy.sparse import csr_array

from methods.conformance.trial import training_items
from methods.labels.ksh.ksh import (
    KSH,
    Residual,
    draw_labelled,
    refine,
    regular,
    smooth_cost,
    spectral_start,
)
from methods.labels.ksh.pairwise import pairwise_labels


@pytest.fixture(scope="module")
def fitted():
    items = training_items()
    parameters = {"n_anchors": 60, "n_labelled": 300, "n_steps": 60, "random_state": 0}
    return KSH(8, **parameters).fit(items.X, labels=items.labels)


@pytest.fixture(scope="module")
def problem():
    """Kernel values, the residual after two bits in both forms, and its dense matrix."""
    rng = np.random.default_rng(0)
    K = rng.standard_normal((80, 6))
    labels = rng.random((80, 5)) < 0.3
    Y = np.where(rng.standard_normal((80, 2)) > 0, 1.0, -1.0)
    S0 = np.where(labels.astype(int) @ labels.T.astype(int) > 0, 1.0, -1.0)
    return K, Residual(pairwise_labels(labels), 4, Y), 4 * S0 - Y @ Y.T


def test_the_residual_is_what_the_bits_leave_of_the_label_matrix(problem):
    K, S, dense = problem
    assert S.times(K[:, 0]) == pytest.approx(dense @ K[:, 0])


def test_the_smooth_cost_and_its_gradient_are_right(problem):
    K, S, dense = problem
    a = np.random.default_rng(1).standard_normal(6)
    phi = 2 / (1 + np.exp(-K @ a)) - 1
    assert smooth_cost(S, K @ a)[0] == pytest.approx(-phi @ dense @ phi)
    error = check_grad(
        lambda a: smooth_cost(S, K @ a)[0], lambda a: K.T @ smooth_cost(S, K @ a)[1], a
    )
    assert error < 1e-4 * np.linalg.norm(K.T @ smooth_cost(S, K @ a)[1])


def test_the_start_maximises_the_relaxed_objective(problem):
    K, _, dense = problem
    a = spectral_start(K.T @ dense @ K, K.T @ K, len(K))
    assert a @ K.T @ K @ a == pytest.approx(80)
    best = eigh(K.T @ dense @ K, K.T @ K, eigvals_only=True)[-1]
    assert a @ K.T @ dense @ K @ a == pytest.approx(80 * best, rel=1e-12)


def test_there_is_a_ridge_only_where_the_factorisation_fails(problem):
    K = problem[0]
    np.testing.assert_array_equal(regular(K.T @ K), K.T @ K)
    # Repeated anchors, more anchors than labelled items, and items that are all equal.
    for singular in (K[:, [0, 1, 2, 0]], K[:4], np.zeros((9, 3))):
        gram = singular.T @ singular
        ridge = regular(gram) - gram
        np.testing.assert_allclose(ridge, ridge[0, 0] * np.eye(len(gram)), atol=1e-12)
        assert ridge[0, 0] == pytest.approx(1e-6 * (np.trace(gram) / len(gram) or 1))
        assert np.isfinite(spectral_start(gram, gram, len(singular))).all()


def test_a_pivot_that_is_rounding_counts_as_a_failure():
    # The factorisation ends, by chance: 1 - (1 - 2e-16) is not negative.
    gram = np.array([[1.0, 1 - 2e-16], [1 - 2e-16, 1.0]])
    np.linalg.cholesky(gram)
    assert regular(gram)[0, 0] == pytest.approx(1 + 1e-6, abs=1e-9)


def test_the_draws_of_anchors_and_of_labelled_items_are_independent():
    items = training_items()
    hits = []
    for seed in range(20):
        hasher = KSH(1, n_anchors=300, n_labelled=300, n_steps=0, random_state=seed)
        hasher.fit(items.X, labels=items.labels)
        labelled = items.X[hasher.labelled_]
        hits.append(np.isin(hasher.kernel_.anchors[:, 0], labelled[:, 0]).mean())
    # A quarter of the items is labelled: each anchor is with probability 1/4.
    assert np.mean(hits) == pytest.approx(0.25, abs=0.03)


def test_the_draw_of_labelled_items_is_the_same_for_the_same_seed():
    labels = csr_array(np.ones((50, 1)))
    first, again, other = (draw_labelled(labels, 20, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_the_descent_lowers_the_smooth_cost_to_a_stationary_point(problem):
    K, S, dense = problem
    start = spectral_start(K.T @ dense @ K, K.T @ K, len(K))
    costs = [smooth_cost(S, K @ refine(K, S, start, n, 0.0))[0] for n in (0, 1, 5, 50, 2000)]
    assert costs[0] > costs[1] > costs[2] > costs[3] >= costs[4]
    end = refine(K, S, start, 2000, 0.0)
    slopes = [np.linalg.norm(K.T @ smooth_cost(S, K @ a)[1]) for a in (start, end)]
    assert slopes[1] < 1e-2 * slopes[0]


def test_the_descent_stops_once_the_cost_hardly_changes(problem):
    K, S, dense = problem
    start = spectral_start(K.T @ dense @ K, K.T @ K, len(K))
    assert (refine(K, S, start, 500, np.inf) == refine(K, S, start, 1, 0.0)).all()


def test_training_codes_are_the_encoded_labelled_items(fitted):
    codes = fitted.encode(training_items().X[fitted.labelled_])
    assert (codes == (fitted.codes_ > 0)).all()


def test_the_residual_shrinks_with_every_bit_and_is_that_of_the_definition(fitted):
    labels = training_items().labels[fitted.labelled_].astype(int)
    S0 = np.where(labels @ labels.T > 0, 1.0, -1.0)
    Y = fitted.codes_
    norms = [np.sum((8 * S0 - Y[:, :r] @ Y[:, :r].T) ** 2) for r in range(9)]
    assert fitted.residuals_ == pytest.approx(norms)
    assert (np.diff(fitted.residuals_) < 0).all()


def dense_residual(hasher, labels, r):
    """What the first r bits leave of b S0, by the definition."""
    hot = labels[hasher.labelled_].astype(int)
    Y = hasher.codes_[:, :r]
    return hasher.n_bits * np.where(hot @ hot.T > 0, 1.0, -1.0) - Y @ Y.T


def test_each_bit_starts_from_what_the_earlier_ones_leave():
    items = training_items()
    hasher = KSH(5, n_anchors=40, n_labelled=300, n_steps=0, random_state=0)
    hasher.fit(items.X, labels=items.labels)
    K = hasher.kernel_.values(items.X[hasher.labelled_])
    for r in range(5):
        S = dense_residual(hasher, items.labels, r)
        start = spectral_start(K.T @ S @ K, K.T @ K, 300)
        assert hasher.W_[:, r] == pytest.approx(start, rel=1e-5, abs=1e-6 * np.abs(start).max())


def test_the_refined_vector_is_kept_only_where_its_fit_is_the_better_one():
    items = training_items()
    # Labels that the features know nothing of, where the descent often ends in worse signs.
    labels = np.random.default_rng(0).random((1200, 4)) < 0.4
    hasher = KSH(12, n_anchors=30, n_labelled=300, n_steps=50, random_state=0)
    hasher.fit(items.X, labels=labels)
    K = hasher.kernel_.values(items.X[hasher.labelled_])
    refined = []
    for r in range(12):
        S = dense_residual(hasher, labels, r)
        start = spectral_start(K.T @ S @ K, K.T @ K, 300)
        y, first = hasher.codes_[:, r], np.where(K @ start > 0, 1.0, -1.0)
        assert y @ S @ y >= first @ S @ first
        refined.append(not np.array_equal(y, first))
    assert 0 < sum(refined) < 12


def test_items_of_a_class_have_closer_codes_than_items_of_two_classes(two_groups):
    labels = np.repeat(np.eye(2, dtype=bool), 30, axis=0)
    codes = KSH(8, n_anchors=20, random_state=0).fit(two_groups, labels=labels).encode(two_groups)
    distances = (codes[:, None] != codes).sum(axis=2)
    same = labels[:, 0][:, None] == labels[:, 0]
    assert distances[same].max() < distances[~same].min()


def test_tags_take_the_place_of_labels():
    items = training_items()
    by_tags = KSH(8, labels="tags", n_anchors=50, n_labelled=200, n_steps=20, random_state=0)
    assert by_tags.uses == ("tags",)
    assert KSH(8).uses == ("labels",)
    assert set(by_tags.supervised_by(tags=1, labels=2)) == {"tags"}
    as_labels = KSH(8, n_anchors=50, n_labelled=200, n_steps=20, random_state=0)
    as_labels.fit(items.X, labels=items.tags.toarray() > 0)
    by_tags.fit(items.X, tags=items.tags)
    assert (by_tags.encode(items.X) == as_labels.encode(items.X)).all()


def test_items_without_labels_are_not_learnt_from():
    items = training_items()
    labels = items.labels.copy()
    labels[::3] = False
    hasher = KSH(8, n_anchors=50, n_steps=5, random_state=0).fit(items.X, labels=labels)
    assert hasher.labelled_.tolist() == [i for i in range(1200) if i % 3]


def test_with_fewer_items_than_anchors_each_item_is_one(two_groups):
    labels = np.repeat(np.eye(2, dtype=bool), 30, axis=0)
    with pytest.warns(UserWarning, match="n_anchors = 300, but there are only 60"):
        hasher = KSH(8, random_state=0).fit(two_groups, labels=labels)
    assert len(hasher.kernel_.anchors) == 60
    codes = hasher.encode(two_groups)
    assert (codes[:30] != codes[30:]).all(axis=0).any()


def test_what_is_missing_is_named():
    items = training_items()
    with pytest.raises(ValueError, match="needs labels"):
        KSH(8).fit(items.X)
    with pytest.raises(ValueError, match="needs tags"):
        KSH(8, labels="tags").fit(items.X, labels=items.labels)
    with pytest.raises(ValueError, match="no training item has a label"):
        KSH(8).fit(items.X, labels=np.zeros((1200, 3), bool))
    with pytest.raises(ValueError, match="labels must be labels or tags, not 'words'"):
        KSH(8, labels="words").fit(items.X, tags=csr_array(items.tags))
