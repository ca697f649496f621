from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

from methods.labels.ksh.pairwise import pairwise_labels, similar


@pytest.fixture
def labels():
    """Few enough labels that sets repeat, some rows without any, shape (120, 6)."""
    return np.random.default_rng(0).random((120, 6)) < 0.25


def dense(labels):
    """S0 by the definition, pair by pair."""
    return np.array([[1.0 if (a & b).any() else -1.0 for b in labels] for a in labels])


def test_items_are_similar_if_they_share_a_label():
    labels = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], bool)
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert similar(labels, labels).toarray().tolist() == expected


def test_products_are_those_with_the_full_matrix(labels):
    S0, pairs = dense(labels), pairwise_labels(labels)
    V = np.random.default_rng(1).standard_normal((120, 3))
    assert pairs.times(V) == pytest.approx(S0 @ V)
    assert pairs.times(V[:, 0]) == pytest.approx(S0 @ V[:, 0])
    assert pairs.quadratic(V) == pytest.approx(V.T @ S0 @ V)
    assert pairs.quadratic(V[:, 1]) == pytest.approx(V[:, 1] @ S0 @ V[:, 1])


def test_every_distinct_label_set_is_kept_once(labels):
    n_sets = len(np.unique(labels, axis=0))
    assert n_sets < 60
    assert pairwise_labels(labels).similar.shape == (n_sets, n_sets)


def test_sparse_tags_with_counts_are_read_as_sets(labels):
    counts = labels * np.random.default_rng(2).integers(1, 9, labels.shape)
    V = np.random.default_rng(3).standard_normal(120)
    expected = pairwise_labels(labels).times(V)
    for kind in (csr_array, csr_matrix):
        assert pairwise_labels(kind(counts)).times(V) == pytest.approx(expected)
