from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from methods.labels.ksh.kernel import kernel_map


def test_training_items_have_kernel_values_of_mean_zero(features):
    kernel = kernel_map(features, n_anchors=20, random_state=0)
    assert kernel.values(features).mean(axis=0) == pytest.approx(np.zeros(20), abs=1e-12)


def test_the_values_are_those_of_the_formula(features):
    kernel = kernel_map(features, n_anchors=20, random_state=0)
    squared = cdist(features, kernel.anchors, "sqeuclidean")
    raw = np.exp(-squared / (2 * squared.mean()))
    assert float(kernel.tau) == pytest.approx(squared.mean())
    assert kernel.values(features[:7]) == pytest.approx((raw - raw.mean(axis=0))[:7])


def test_anchors_are_different_training_items_and_depend_on_the_seed(features):
    first, second = (kernel_map(features, n_anchors=30, random_state=s).anchors for s in (0, 1))
    assert len(np.unique(first, axis=0)) == 30
    assert (cdist(first, features).min(axis=1) == 0).all()
    assert not np.array_equal(first, second)


def test_blocks_of_rows_change_nothing(features, monkeypatch):
    whole = kernel_map(features, n_anchors=20, random_state=0)
    monkeypatch.setattr("methods.algebra.blocks.ROWS_AT_ONCE", 64)
    blocks = kernel_map(features, n_anchors=20, random_state=0)
    assert blocks.mean == pytest.approx(whole.mean)
    assert blocks.values(features) == pytest.approx(whole.values(features))


def test_equal_items_have_finite_values():
    X = np.ones((30, 4))
    assert (kernel_map(X, n_anchors=5, random_state=0).values(X) == 0).all()
