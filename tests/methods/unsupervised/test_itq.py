from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from methods.algebra.pca import principal_axes
from methods.algebra.rotations import random_rotation
from methods.unsupervised.itq import ITQ


def test_the_loss_never_increases(features):
    for seed in range(3):
        losses = ITQ(8, n_iter=30, random_state=seed).fit(features).losses_
        assert len(losses) == 60
        assert (np.diff(losses) <= 1e-9 * losses[0]).all()
        assert losses[-1] < 0.98 * losses[0]


def test_the_losses_are_distances_from_the_corners_of_the_cube(features):
    V = principal_axes(features, 6).scores(features)
    hasher = ITQ(6, n_iter=1, random_state=4).fit(features)
    Z = V @ random_rotation(6, 4)
    B = np.sign(Z)
    assert hasher.losses_ == pytest.approx(
        [((B - Z) ** 2).sum(), ((B - V @ hasher.rotation_) ** 2).sum()]
    )


def test_the_rotation_is_that_of_an_independent_procrustes_solver(features):
    V = principal_axes(features, 6).scores(features)
    R = random_rotation(6, 0)
    for _ in range(5):
        R = orthogonal_procrustes(V, np.sign(V @ R))[0]
    assert ITQ(6, n_iter=5, random_state=0).fit(features).rotation_ == pytest.approx(R)


def test_the_rotation_is_orthogonal_and_folded_into_the_axes(features):
    hasher = ITQ(7, random_state=1).fit(features)
    assert hasher.rotation_.T @ hasher.rotation_ == pytest.approx(np.eye(7), abs=1e-10)
    scores = principal_axes(features, 7).scores(features) @ hasher.rotation_
    assert hasher.project(features) == pytest.approx(scores, abs=1e-9)


def test_a_rotated_cube_is_found_again():
    corners = np.array(list(product([-1.0, 1.0], repeat=3)))
    X = corners @ random_rotation(3, 7)
    fits = [ITQ(3, random_state=seed).fit(X) for seed in range(5)]
    best = min(fits, key=lambda hasher: hasher.losses_[-1])
    assert best.losses_[-1] == pytest.approx(0, abs=1e-12)
    assert len(np.unique(best.encode(X), axis=0)) == 8


def test_seeds_start_from_different_rotations():
    first, second = random_rotation(5, 0), random_rotation(5, 1)
    assert first.T @ first == pytest.approx(np.eye(5), abs=1e-12)
    assert np.abs(first - second).max() > 0.1


def test_axes_without_variance_do_not_choose_bits():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6)) @ rng.standard_normal((6, 40))
    queries = rng.standard_normal((50, 40))
    codes = ITQ(16, random_state=0).fit(X).encode(queries)
    # A change in the last digits of the training data turns the null axes as it likes.
    again = ITQ(16, random_state=0).fit(X * (1 + 1e-9)).encode(queries)
    assert (codes == again).mean() > 0.99
