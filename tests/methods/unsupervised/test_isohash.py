from __future__ import annotations

import numpy as np
import pytest

from methods.algebra.pca import principal_axes
from methods.algebra.rotations import random_rotation
from methods.unsupervised.isohash import IsoHash, isotropic_rotation


@pytest.mark.parametrize("n_bits", [2, 5, 8])
def test_all_bits_have_the_same_variance(features, n_bits):
    scores = IsoHash(n_bits, random_state=0).fit(features).project(features)
    variances = scores.var(axis=0, ddof=1)
    assert variances == pytest.approx(np.full(n_bits, variances.mean()), rel=1e-4)


def test_the_rotation_is_orthogonal_and_folded_into_the_axes(features):
    hasher = IsoHash(7, random_state=1).fit(features)
    assert hasher.rotation_.T @ hasher.rotation_ == pytest.approx(np.eye(7), abs=1e-10)
    scores = principal_axes(features, 7).scores(features) @ hasher.rotation_
    assert hasher.project(features) == pytest.approx(scores, abs=1e-9)


def test_the_distance_of_the_two_sets_never_grows():
    variances = np.array([100.0, 9.0, 4.0, 1.0, 0.5, 0.1])
    for seed in range(10):
        _, distances = isotropic_rotation(variances, random_rotation(6, seed), 60)
        # Distances are taken after the step to the eigenvalues; half steps make them shrink.
        assert (np.diff(distances) <= 1e-9 * distances[0]).all()
        assert distances[-1] < 0.05 * distances[0]


def test_two_axes_are_turned_by_45_degrees():
    Q, _ = isotropic_rotation(np.array([3.0, 1.0]), random_rotation(2, 0), 50)
    assert np.abs(Q) == pytest.approx(np.full((2, 2), np.sqrt(0.5)), abs=1e-6)


def test_equal_variances_need_no_rotation():
    start = random_rotation(4, 2)
    Q, distances = isotropic_rotation(np.full(4, 2.0), start, 10)
    assert (start == Q).all() and len(distances) == 1
