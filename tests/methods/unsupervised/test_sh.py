from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.unsupervised.sh import SH, smallest_modes


def test_modes_of_a_small_box():
    modes, eigenvalues = smallest_modes(np.array([4.0, 1.5]), 4)
    assert modes.tolist() == [[0, 1], [0, 2], [1, 1], [0, 3]]
    assert eigenvalues == pytest.approx([0.6169, 2.4674, 4.3865, 5.5517], abs=1e-4)


def test_ties_are_ordered_by_axis_and_then_by_frequency():
    assert smallest_modes(np.array([2.0, 2.0]), 4)[0].tolist() == [[0, 1], [1, 1], [0, 2], [1, 2]]


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), st.integers(1, 40))
def test_the_modes_are_the_smallest_of_all(widths, n_modes):
    modes, eigenvalues = smallest_modes(np.array(widths), n_modes)
    every = np.sort([(k * np.pi / R) ** 2 for R in widths for k in range(1, n_modes + 1)])
    assert eigenvalues == pytest.approx(every[:n_modes])
    assert len(np.unique(modes, axis=0)) == n_modes


def test_axes_without_width_carry_no_mode():
    modes, _ = smallest_modes(np.array([0.0, 3.0, 1e-14]), 5)
    assert modes.tolist() == [[1, 1], [1, 2], [1, 3], [1, 4], [1, 5]]


def test_bit_k_flips_k_times_along_a_line():
    X = np.linspace(0, 1, 1001)[:, None]
    codes = SH(3).fit(X).encode(X)
    flips = np.flatnonzero(np.diff(codes[:, 0]))
    assert (codes[1:] != codes[:-1]).sum(axis=0).tolist() == [1, 2, 3]
    assert flips == pytest.approx(500, abs=1)
    assert np.flatnonzero(np.diff(codes[:, 2])) == pytest.approx([1000 / 6, 500, 5000 / 6], abs=1)


def test_the_first_mode_flips_at_mid_range_not_at_the_mean():
    X = np.r_[np.zeros(90), 10.0, np.linspace(4, 6, 9)][:, None]
    hasher = SH(1).fit(X)
    codes = hasher.encode([[0.0], [4.99], [5.01], [10.0]])[:, 0]
    assert codes[0] == codes[1] != codes[2] == codes[3]


def test_scores_follow_the_formula_on_every_axis(features):
    hasher = SH(12).fit(features)
    v = (features - hasher.mean_) @ hasher.W_
    lower, upper = v.min(axis=0), v.max(axis=0)
    expected = np.cos(hasher.modes_[:, 1] * np.pi * (v - lower) / (upper - lower))
    assert hasher.project(features) == pytest.approx(expected, abs=1e-9)
    assert hasher.modes_[0].tolist() == [0, 1]
    assert len(set(hasher.modes_[:, 0])) > 1


def test_there_may_be_more_bits_than_features():
    X = np.random.default_rng(0).uniform(size=(200, 2))
    assert SH(16).fit(X).encode(X).shape == (200, 16)


def test_percentiles_keep_outliers_from_stretching_an_axis():
    X = np.r_[np.linspace(0, 1, 99), 1000][:, None]
    assert SH(1).fit(X).encode(X).sum() in (1, 99)
    assert SH(1, range="percentile").fit(X).encode(X[:99]).sum() == pytest.approx(49.5, abs=2)


def test_bad_ranges_and_equal_items_are_refused(features):
    with pytest.raises(ValueError, match="percentile"):
        SH(4, range="quartile").fit(features)
    with pytest.raises(ValueError, match="do not vary"):
        SH(4).fit(np.ones((5, 3)))


def test_every_axis_of_a_cube_has_its_first_bit():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (2000, 8))
    hasher = SH(8).fit(X)
    assert sorted(hasher.modes_[:, 0]) == list(range(8))
    assert (hasher.modes_[:, 1] == 1).all()


def test_percentiles_bound_the_axes():
    # A uniform axis: its 5th and 95th percentiles lie 0.9 of its width apart.
    X = np.linspace(0, 10, 1001)[:, None]
    hasher = SH(2, range="percentile").fit(X)
    assert hasher.lower_ == pytest.approx([-4.5, -4.5])
    assert hasher.frequencies_ == pytest.approx(np.pi / 9 * np.array([1, 2]))
    assert SH(2).fit(X).frequencies_ == pytest.approx(np.pi / 10 * np.array([1, 2]))
