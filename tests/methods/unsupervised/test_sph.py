from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from methods.unsupervised.sph import (
    SpH,
    _Spheres,
    first_centers,
    forces,
    overlap_errors,
    squared_radii,
)


@pytest.fixture(scope="module")
def gaussian() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2000, 10))


@pytest.fixture(scope="module")
def fitted(gaussian) -> SpH:
    return SpH(16, random_state=0).fit(gaussian)


def test_every_sphere_holds_half_of_the_training_items(gaussian, fitted):
    assert (fitted.encode(gaussian).mean(axis=0) == 0.5).all()


def test_an_odd_number_of_items_is_halved_downwards(gaussian):
    codes = SpH(8, random_state=0).fit(gaussian[:501]).encode(gaussian[:501])
    assert (codes.sum(axis=0) == 250).all()


def test_overlaps_are_a_quarter_within_the_tolerances(gaussian, fitted):
    codes = fitted.encode(gaussian).astype(float)
    pairs = (codes.T @ codes)[np.triu_indices(16, k=1)] / 500
    assert fitted.mean_error_ == pytest.approx(np.abs(pairs - 1).mean())
    assert fitted.std_error_ == pytest.approx(pairs.std())
    assert fitted.mean_error_ <= 0.10
    assert fitted.std_error_ <= 0.15
    assert 5 < fitted.n_iter_ < 100


def test_a_bit_says_whether_the_item_lies_inside(gaussian, fitted):
    distances = cdist(gaussian, fitted.centers_)
    assert (fitted.encode(gaussian) == (distances <= np.sqrt(fitted.squared_radii_))).all()


def test_a_common_shift_changes_no_code(gaussian, fitted):
    shifted = gaussian + 64
    codes = SpH(16, random_state=0).fit(shifted).encode(shifted)
    assert (codes == fitted.encode(gaussian)).all()


def test_forces_by_hand():
    centers = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0]])
    overlaps = np.array([[20.0, 15.0, 5.0], [15.0, 20.0, 10.0], [5.0, 10.0, 20.0]])
    # n = 40: the first two spheres share too much, first and third too little.
    expected = np.array([[-4 / 12, 2 / 12], [4 / 12, 0], [0, -2 / 12]])
    assert forces(centers, overlaps, 10.0) == pytest.approx(expected)


def test_overlap_errors_by_hand():
    overlaps = np.array([[20.0, 15.0, 5.0], [15.0, 20.0, 10.0], [5.0, 10.0, 20.0]])
    assert overlap_errors(overlaps, 10.0) == pytest.approx((1 / 3, np.sqrt(1 / 6)))
    assert overlap_errors(np.array([[20.0]]), 10.0) == (0.0, 0.0)


def test_coordinates_stand_for_centres(gaussian):
    rng = np.random.default_rng(1)
    X = gaussian[:300] + 9
    starts = first_centers(X, 4, rng)
    spheres = _Spheres(X, starts)
    centers = rng.standard_normal((4, spheres.starts.shape[1]))
    radii, overlaps = spheres.measure(centers)
    distances = cdist(X, spheres.in_feature_space(centers), "sqeuclidean")
    inside = (distances < radii).astype(int)
    assert spheres.in_feature_space(spheres.starts) == pytest.approx(starts)
    assert inside.sum(axis=0).tolist() == [150] * 4
    assert (overlaps == inside.T @ inside).all()


def test_one_move_is_the_force_on_the_first_centres(gaussian):
    X, rng = gaussian[:400], np.random.default_rng(5)
    starts = first_centers(X, 3, rng)
    distances = cdist(X, starts, "sqeuclidean")
    inside = (distances <= np.sort(distances, axis=0)[199]).astype(float)
    moved = starts + forces(starts, inside.T @ inside, 100.0)
    spheres = _Spheres(X, starts)
    centers = spheres.starts
    centers = centers + forces(centers, spheres.measure(centers)[1], spheres.quarter)
    assert spheres.in_feature_space(centers) == pytest.approx(moved)
    assert np.abs(moved - starts).max() > 0.01


def test_first_centres_are_means_of_five_items():
    centers = first_centers(10.0 ** np.arange(9)[:, None], 30, np.random.default_rng(0))
    digits = [sorted(str(round(5 * value)).zfill(9)) for value in centers[:, 0]]
    assert digits == [["0"] * 4 + ["1"] * 5] * 30


def test_the_radius_lies_between_two_items():
    distances = np.array([[1.0, 7.0], [2.0, 3.0], [4.0, 3.0], [9.0, 3.0]])
    # In the second column three items are equally far: all are inside.
    assert squared_radii(distances, 2) == pytest.approx([3.0, 5.0])


def test_items_that_all_coincide_are_all_inside():
    distances = np.full((6, 2), [0.0, 2.5])
    radii = squared_radii(distances, 3)
    assert (distances < radii).all()
    # They are also if another order of additions gives another last digit.
    assert 2.5 * (1 + 4e-16) < radii[1] < 2.5 * (1 + 1e-9)


def test_repeated_items_share_their_bits_and_stay_balanced(gaussian):
    X = gaussian[:200].repeat(3, axis=0)
    codes = SpH(8, random_state=0).fit(X).encode(X)
    assert (codes[::3] == codes[1::3]).all()
    assert np.abs(codes.mean(axis=0) - 0.5).max() <= 3 / 600


def test_what_does_not_converge_warns_and_keeps_the_best(gaussian):
    starts = SpH(16, max_iter=0, mean_tol=9, std_tol=9, random_state=0).fit(gaussian)
    with pytest.warns(ConvergenceWarning, match="after 12 iterations"):
        hasher = SpH(16, max_iter=12, mean_tol=0.001, random_state=0).fit(gaussian)
    assert hasher.n_iter_ == 12
    assert 0.001 < hasher.mean_error_ < starts.mean_error_


def test_the_best_iterate_is_kept_although_later_ones_are_worse(gaussian):
    hasher = SpH(4, max_iter=3, random_state=0)
    good, bad = np.full((4, 4), 480.0), np.full((4, 4), 1000.0)
    replies = iter([bad, good + 100, bad, bad])

    class Spheres(_Spheres):
        def measure(self, centers):
            return super().measure(centers)[0], next(replies)

    with pytest.warns(ConvergenceWarning):
        centers, _ = hasher._spread(
            Spheres(gaussian, first_centers(gaussian, 4, np.random.default_rng(0)))
        )
    assert hasher.mean_error_ == pytest.approx(0.16)
    assert centers.shape == (4, 10)


def test_a_single_sphere_needs_no_moves(gaussian):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hasher = SpH(1, random_state=0).fit(gaussian)
    assert hasher.n_iter_ == 0
    assert hasher.encode(gaussian).mean() == 0.5


def test_a_random_part_of_a_large_training_set_is_learnt_from(gaussian):
    small = SpH(4, max_train=100, random_state=0).fit(gaussian)
    codes = small.encode(gaussian)
    assert (codes.mean(axis=0) != 0.5).any()
    assert codes.mean(axis=0) == pytest.approx(0.5, abs=0.2)
    with pytest.raises(ValueError, match="max_train"):
        SpH(4, max_train=1).fit(gaussian)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("d", "n_bits"), [(1, 8), (2, 32), (4, 32)])
def test_more_spheres_than_dimensions_stay_balanced(d, n_bits):
    X = np.random.default_rng(0).standard_normal((2000, d))
    codes = SpH(n_bits, random_state=0).fit(X).encode(X)
    assert np.abs(codes.mean(axis=0) - 0.5).max() <= 1 / 2000


def test_both_tolerances_are_kept(features):
    loose = SpH(8, mean_tol=10.0, std_tol=10.0, random_state=0).fit(features)
    assert loose.n_iter_ == 0
    even = SpH(8, mean_tol=10.0, std_tol=0.3 * loose.std_error_, random_state=0).fit(features)
    assert even.n_iter_ > 0
    assert even.std_error_ <= 0.3 * loose.std_error_
    near = SpH(8, mean_tol=0.3 * loose.mean_error_, std_tol=10.0, random_state=0).fit(features)
    assert near.n_iter_ > 0
    assert near.mean_error_ <= 0.3 * loose.mean_error_
