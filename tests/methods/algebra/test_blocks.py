from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from methods.algebra.blocks import centred


def test_products_are_those_of_the_centred_matrix_in_any_blocks(features, monkeypatch):
    monkeypatch.setattr("methods.algebra.blocks.ROWS_AT_ONCE", 64)
    rng = np.random.default_rng(0)
    C, W = features - features.mean(axis=0), rng.standard_normal((10, 3))
    B = (rng.random((400, 4)) < 0.3).astype(float)
    Xc = centred(features)
    assert Xc.times(W) == pytest.approx(C @ W)
    assert Xc.transposed_times(B) == pytest.approx(C.T @ B)
    assert Xc.transposed_times(csr_array(B)) == pytest.approx(C.T @ B)
    assert Xc.scatter() == pytest.approx(C.T @ C)


def test_single_precision_features_are_summed_in_double(features):
    X = np.round(features, 2).astype(np.float32)
    Xc = centred(X)
    assert Xc.scatter().dtype == Xc.mean.dtype == float
    exact = centred(X.astype(float)).scatter()
    # Of products in single precision, to its last digits in units of the items' lengths.
    assert np.abs(Xc.scatter() - exact).max() < 1e-6 * np.abs(exact).max()


def test_tiles_make_the_whole_matrix(features, monkeypatch):
    whole = centred(features).scatter()
    monkeypatch.setattr("methods.algebra.blocks.TILE", 3)
    tiles = centred(features).scatter()
    assert tiles == pytest.approx(whole)
    assert np.array_equal(tiles, tiles.T)
