from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from methods import Task
from methods.unsupervised.pcah import PCAH


def test_scores_are_those_of_scikit_learn_up_to_sign(features):
    scores = PCAH(6).fit(features).project(features)
    expected = PCA(6).fit_transform(features)
    signs = np.sign(np.sum(scores * expected, axis=0))
    assert scores == pytest.approx(expected * signs, abs=1e-9)


def test_training_scores_are_centred_and_uncorrelated_with_the_stated_variances(features):
    hasher = PCAH(10).fit(features)
    scores = hasher.project(features)
    assert scores.mean(axis=0) == pytest.approx(0, abs=1e-10)
    assert np.cov(scores.T) == pytest.approx(np.diag(hasher.variances_), abs=1e-9)
    assert (np.diff(hasher.variances_) <= 0).all()
    axes = hasher.W_
    assert axes.T @ axes == pytest.approx(np.eye(10), abs=1e-8)


def test_no_orthonormal_projection_has_more_variance(features):
    best = PCAH(3).fit(features).project(features).var(axis=0).sum()
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = np.linalg.qr(rng.standard_normal((10, 3)))[0]
        assert (features @ other).var(axis=0).sum() < best


def test_a_short_code_is_the_beginning_of_a_long_one(features):
    codes = PCAH(10).fit(features).encode(features)
    for n_bits in (1, 4, 9):
        assert (PCAH(n_bits).fit(features).encode(features) == codes[:, :n_bits]).all()


def test_repeating_the_training_set_changes_nothing(features):
    once, twice = PCAH(8).fit(features), PCAH(8).fit(np.vstack([features, features]))
    np.testing.assert_allclose(twice.W_, once.W_, atol=1e-9)
    assert (twice.encode(features) == once.encode(features)).all()


def test_the_mean_of_positive_features_is_removed():
    X = np.random.default_rng(0).exponential(size=(500, 6)) + 3
    assert PCAH(6).fit(X).encode(X).mean(axis=0) == pytest.approx(0.45, abs=0.12)


def test_bits_are_zero_where_the_training_items_do_not_vary(features):
    X = np.hstack([features[:, :3], np.full((400, 3), 0.1)])
    codes = PCAH(6).fit(X).encode(X)
    assert not codes[:, 3:].any()
    assert codes[:, :3].any(axis=0).all()


def test_more_bits_than_axes_is_refused_with_the_reason(features):
    reason = PCAH(11).skip(Task(400, 10))
    assert reason == "needs bits <= min(d, n - 1) = 10"
    with pytest.raises(ValueError, match="10"):
        PCAH(11).fit(features)
    assert PCAH(10).skip(Task(10, 50)) == "needs bits <= min(d, n - 1) = 9"
