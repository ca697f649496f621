from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from methods.algebra import pca
from methods.algebra.pca import fix_signs, largest_eigenvectors, principal_axes, skip_pca


def test_agrees_with_the_singular_value_decomposition(features):
    found = principal_axes(features, 10)
    _, singular, Vt = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    assert found.mean == pytest.approx(features.mean(axis=0))
    assert found.variances == pytest.approx(singular**2 / (len(features) - 1))
    assert np.abs(np.sum(found.axes * Vt.T, axis=0)) == pytest.approx(1)
    assert (found.axes.max(axis=0) > -found.axes.min(axis=0)).all()
    assert found.axes.T @ found.axes == pytest.approx(np.eye(10), abs=1e-10)


def test_fewer_axes_are_a_prefix_of_more(features):
    few, many = principal_axes(features, 3), principal_axes(features, 10)
    assert (few.axes == many.axes[:, :3]).all()
    assert (few.variances == many.variances[:3]).all()


def test_axes_beyond_the_first_step_agree_with_all_axes(features, monkeypatch):
    every = principal_axes(features, 10)
    monkeypatch.setattr(pca, "AXES_STEP", 4)
    some = principal_axes(features, 6)
    assert some.axes == pytest.approx(every.axes[:, :6], abs=1e-9)
    assert some.variances == pytest.approx(every.variances[:6])


def test_blocks_of_rows_change_nothing(features, monkeypatch):
    whole = principal_axes(features, 5)
    scores = whole.scores(features)
    monkeypatch.setattr("methods.algebra.blocks.ROWS_AT_ONCE", 37)
    monkeypatch.setattr("methods.algebra.blocks.TILE", 7)
    blocks = principal_axes(features, 5)
    assert blocks.axes == pytest.approx(whole.axes, abs=1e-10)
    assert blocks.scores(features) == pytest.approx(scores, abs=1e-9)


def test_scores_are_coordinates_on_the_axes(features):
    found = principal_axes(features, 10)
    assert found.scores(features) @ found.axes.T + found.mean == pytest.approx(features)


def test_single_precision_features_are_centred_in_double_precision():
    X = (1e4 + np.random.default_rng(0).standard_normal((500, 4))).astype(np.float32)
    found = principal_axes(X, 4)
    expected = np.linalg.eigvalsh(np.cov(X.astype(np.float64).T))[::-1]
    assert found.variances == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rank", [0, 3, 40])
def test_few_of_many_axes_are_those_of_the_whole_decomposition(rank, monkeypatch):
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((120, rank)) * 0.9 ** np.arange(rank)
    matrix = factor @ factor.T
    values, vectors = np.linalg.eigh(matrix)
    monkeypatch.setattr(pca, "MANY_DIMENSIONS", 100)
    found, axes = largest_eigenvectors(matrix, 7)
    assert found == pytest.approx(values[::-1][:7], abs=1e-12)
    assert axes.T @ axes == pytest.approx(np.eye(7), abs=1e-10)
    known = min(rank, 7)
    agreement = np.abs((axes[:, :known] * vectors[:, ::-1][:, :known]).sum(axis=0))
    assert agreement == pytest.approx(np.ones(known))


def test_single_precision_features_lose_no_more_than_their_last_digits():
    # Features like those behind a ReLU; the largest principal angle is what the bits hang on.
    rng = np.random.default_rng(1)
    X = np.maximum(rng.standard_normal((3000, 12)) @ rng.standard_normal((12, 80)), 0)
    single, double = (principal_axes(X.astype(kind), 12) for kind in (np.float32, np.float64))
    assert single.variances == pytest.approx(double.variances, rel=1e-6)
    outside = single.axes - double.axes @ (double.axes.T @ single.axes)
    assert np.linalg.norm(outside, 2) < 1e-5


def test_directions_without_variance_get_no_axis_in_single_precision():
    X = np.random.default_rng(0).standard_normal((500, 6)).astype(np.float32)
    X = np.hstack([X, X[:, :2], np.ones((500, 1), np.float32)])
    axes = principal_axes(X, 9).axes
    assert (axes[:, :6] != 0).any(axis=0).all() and not axes[:, 6:].any()


@given(arrays(float, (4, 3), elements=st.floats(-9, 9)))
def test_the_largest_entry_of_each_column_becomes_positive(vectors):
    fixed = fix_signs(vectors)
    largest = np.abs(fixed).argmax(axis=0)
    assert (fixed[largest, np.arange(3)] >= 0).all()
    assert (np.abs(fixed) == np.abs(vectors)).all()
    ratio = fixed * vectors
    assert ((ratio >= 0).all(axis=0) | (ratio <= 0).all(axis=0)).all()


@pytest.mark.parametrize(("n_bits", "n", "d", "limit"), [(9, 100, 8, 8), (8, 8, 50, 7)])
def test_the_reason_names_the_limit(n_bits, n, d, limit):
    assert skip_pca(limit, n, d) is None
    assert str(limit) in skip_pca(n_bits, n, d)
