from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from methods.conformance.trial import query_items, training_items
from methods.tags.ridge_itq import RidgeITQ, predicted_axes, weighted_tags


def test_tags_are_weighted_by_their_rarity_and_rows_have_length_one():
    hot = csr_array(np.array([[1.0, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 0]]))
    rare, rarer = np.log(4 / 2), np.log(4 / 1)
    assert rare != rarer
    expected = [[0, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert weighted_tags(hot).toarray() == pytest.approx(np.array(expected))
    both = csr_array(np.array([[1.0, 1], [1, 0], [0, 0], [0, 0]]))
    weights = np.array([np.log(4 / 2), np.log(4)])
    assert weighted_tags(both).toarray()[0] == pytest.approx(weights / np.linalg.norm(weights))


def test_the_scores_are_those_of_ridge_regression_and_pca():
    items = training_items()
    hasher = RidgeITQ(5, random_state=0).fit(items.X, tags=items.tags)
    T = weighted_tags(csr_array(items.tags > 0).astype(float)).toarray()
    Xc = items.X - items.X.mean(axis=0)
    alpha = 0.1 * np.mean(np.sum(Xc**2, axis=0))
    predicted = Ridge(alpha=alpha).fit(items.X, T).predict(items.X)
    expected = PCA(5).fit_transform(predicted)
    scores = Xc @ hasher.W_ @ hasher.rotation_.T
    assert np.abs(scores) == pytest.approx(np.abs(expected), abs=1e-8)


def test_axes_beyond_the_rank_of_the_tags_are_zero(features):
    Xc = features - features.mean(axis=0)
    T = ((np.arange(400) % 3)[:, None] == np.arange(3)).astype(float)
    axes = predicted_axes(Xc.T @ Xc, Xc.T @ T, 0.1, 6)
    assert (np.abs(axes[:, :2]).sum(axis=0) > 0).all()
    assert not axes[:, 2:].any()


def test_it_learns_from_tags():
    items, queries = training_items(), query_items()
    shuffled = np.random.default_rng(0).permutation(len(items.X))

    def separation(tags):
        codes = RidgeITQ(8, random_state=0).fit(items.X, tags=tags).encode(queries.X)
        distances = (codes[:, None] != codes).sum(axis=2)
        same = queries.clusters[:, None] == queries.clusters
        return distances[~same].mean() - distances[same].mean()

    assert separation(items.tags) > 1.3 * separation(items.tags[shuffled])


def test_what_is_missing_is_named():
    items = training_items()
    with pytest.raises(ValueError, match="RidgeITQ: needs tags"):
        RidgeITQ(8).fit(items.X, labels=items.labels)
    with pytest.raises(ValueError, match="regularization > 0"):
        RidgeITQ(8, regularization=0.0).fit(items.X, tags=items.tags)
