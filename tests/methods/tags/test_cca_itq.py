from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm, svd
from scipy.sparse import csr_array

from methods.conformance.trial import query_items, training_items
from methods.tags.cca_itq import CCAITQ, LabelCCAITQ, canonical_axes, carried, covariance
from methods.unsupervised.itq import ITQ


@pytest.fixture(scope="module")
def items():
    return training_items()


def covariances(X, T):
    Xc, Tc = X - X.mean(axis=0), T - T.mean(axis=0)
    return Xc.T @ Xc / len(X), Tc.T @ Tc / len(X), Xc.T @ Tc / len(X)


def test_axes_and_correlations_are_those_of_the_whitened_cross_covariance(features):
    T = np.random.default_rng(0).random((400, 6)) < 0.3
    Cxx, Ctt, Cxt = covariances(features, T.astype(float))
    axes, correlations = canonical_axes(Cxx, Ctt, Cxt, (0.2, 0.5), 4)
    Cxx = Cxx + 0.2 * np.trace(Cxx) / 10 * np.eye(10)
    Ctt = Ctt + 0.5 * np.trace(Ctt) / 6 * np.eye(6)
    white = np.linalg.inv(sqrtm(Cxx)) @ Cxt @ np.linalg.inv(sqrtm(Ctt))
    U, singular, _ = svd(white)
    assert correlations == pytest.approx(singular[:4])
    assert axes.T @ Cxx @ axes == pytest.approx(np.eye(4), abs=1e-9)
    expected = np.linalg.inv(sqrtm(Cxx)) @ U[:, :4]
    assert np.abs(axes) == pytest.approx(np.abs(expected), abs=1e-9)


def test_axes_beyond_the_rank_of_the_tags_are_zero(features):
    T = (np.arange(400) % 3)[:, None] == np.arange(3)
    axes, correlations = canonical_axes(*covariances(features, T.astype(float)), (0.1, 0.1), 6)
    assert (correlations[:2] > 0).all() and (correlations[2:] == 0).all()
    assert not axes[:, 2:].any()


def test_the_covariance_of_a_sparse_matrix_is_that_of_the_dense_one():
    T = np.random.default_rng(1).random((50, 7)) < 0.3
    expected = np.cov(T.T.astype(float), bias=True)
    assert covariance(csr_array(T.astype(float))) == pytest.approx(expected)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_scores_are_weighted_by_the_correlations_before_the_rotation(items, power):
    hasher = CCAITQ(6, power=power, random_state=0).fit(items.X, tags=items.tags)
    T = items.tags.toarray() > 0
    Cxx, Ctt, Cxt = covariances(items.X, T.astype(float))
    axes, correlations = canonical_axes(Cxx, Ctt, Cxt, (0.1, 10.0), 6)
    assert hasher.correlations_ == pytest.approx(correlations)
    assert pytest.approx(axes * correlations**power, abs=1e-8) == hasher.W_ @ hasher.rotation_.T
    assert hasher.rotation_.T @ hasher.rotation_ == pytest.approx(np.eye(6), abs=1e-9)


def test_the_rotation_is_that_of_itq(items):
    hasher = CCAITQ(4, random_state=3).fit(items.X, tags=items.tags)
    scores = (items.X - hasher.mean_) @ hasher.W_ @ hasher.rotation_.T
    assert ITQ(4, random_state=3).fit(scores).rotation_.shape == (4, 4)
    B = np.sign(scores @ hasher.rotation_)
    # No rotation brings these scores closer to these signs.
    U, _, Vt = svd(scores.T @ B)
    assert np.trace(B.T @ scores @ hasher.rotation_) == pytest.approx(
        np.trace(B.T @ scores @ (U @ Vt)), rel=1e-3
    )


def separation(hasher) -> float:
    queries = query_items()
    codes = hasher.encode(queries.X)
    distances = (codes[:, None] != codes).sum(axis=2)
    same = queries.clusters[:, None] == queries.clusters
    return distances[~same].mean() - distances[same].mean()


@pytest.mark.parametrize("cls", [CCAITQ, LabelCCAITQ])
def test_it_learns_from_its_supervision(cls, items):
    shuffled = np.random.default_rng(0).permutation(len(items.X))
    words = items.tags if cls is CCAITQ else items.labels
    name = cls.supervision
    informed = cls(8, random_state=0).fit(items.X, **{name: words})
    blind = cls(8, random_state=0).fit(items.X, **{name: words[shuffled]})
    assert separation(informed) > 1.3 * separation(blind)


def test_items_without_tags_are_left_out(items):
    tags = items.tags.toarray()
    tags[::3] = 0
    some = np.arange(len(tags)) % 3 > 0
    hasher = CCAITQ(6, random_state=0).fit(items.X, tags=csr_array(tags))
    alone = CCAITQ(6, random_state=0).fit(items.X[some], tags=csr_array(tags[some]))
    assert np.array_equal(hasher.W_, alone.W_)


def test_the_most_frequent_words_are_kept_and_counts_do_not_matter():
    X = np.arange(12.0).reshape(6, 2)
    words = np.array([[3, 0, 1], [1, 0, 1], [0, 1, 1], [2, 0, 0], [0, 0, 0], [0, 1, 0]])
    items, hot = carried(X, csr_array(words), 2, "no words")
    assert hot.toarray().tolist() == [[1, 1], [1, 1], [0, 1], [1, 0]]
    assert items.tolist() == X[:4].tolist()


def test_what_is_missing_is_named(items):
    with pytest.raises(ValueError, match="CCAITQ: needs tags"):
        CCAITQ(8).fit(items.X, labels=items.labels)
    with pytest.raises(ValueError, match="LabelCCAITQ: needs labels"):
        LabelCCAITQ(8).fit(items.X)
    with pytest.raises(ValueError, match="fewer than two items"):
        CCAITQ(8).fit(items.X, tags=csr_array((len(items.X), 4)))
    with pytest.raises(ValueError, match="regularization > 0"):
        CCAITQ(8, tag_regularization=0.0).fit(items.X, tags=items.tags)
    assert CCAITQ(8).uses == ("tags",)
    assert LabelCCAITQ(8).uses == ("labels",)
