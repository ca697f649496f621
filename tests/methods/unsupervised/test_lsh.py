from __future__ import annotations

import numpy as np
import pytest

from methods.unsupervised.lsh import LSH


@pytest.mark.parametrize("degrees", [20, 60, 90, 135])
def test_bits_differ_in_proportion_to_the_angle(degrees):
    angle = np.radians(degrees)
    x, y = np.array([2.0, 0, 0]), 5 * np.array([np.cos(angle), np.sin(angle), 0])
    codes = LSH(20_000, center=False, random_state=3).fit([x, y]).encode([x, y])
    share = angle / np.pi
    standard_error = np.sqrt(share * (1 - share) / 20_000)
    assert (codes[0] != codes[1]).mean() == pytest.approx(share, abs=3 * standard_error)


def test_the_angle_is_measured_at_the_training_mean(features):
    mean = features.mean(axis=0)
    step = np.eye(10)[0]
    hasher = LSH(4000, random_state=0).fit(features)
    codes = hasher.encode([mean + step, mean + 9 * step, mean - step])
    assert (codes[0] == codes[1]).all()
    assert (codes[0] != codes[2]).all()


def test_an_item_at_the_mean_scores_exactly_zero(features):
    hasher = LSH(64, random_state=0).fit(features)
    assert (hasher.project(features.mean(axis=0)[None]) == 0).all()


def test_scaling_changes_no_bit_without_centring(features):
    hasher = LSH(24, center=False, random_state=0).fit(features)
    assert (hasher.mean_ == 0).all()
    assert (hasher.encode(features) == hasher.encode(7.5 * features)).all()


def test_a_common_shift_changes_no_bit_with_centring(features):
    codes = LSH(24, random_state=0).fit(features).encode(features)
    shifted = features + 64
    assert (LSH(24, random_state=0).fit(shifted).encode(shifted) == codes).all()


def test_a_short_code_is_the_beginning_of_a_long_one(features):
    short = LSH(12, random_state=5).fit(features).encode(features)
    long = LSH(48, random_state=5).fit(features).encode(features)
    assert (short == long[:, :12]).all()


def test_normals_are_independent_standard_gaussian():
    W = LSH(3000, random_state=0).fit(np.eye(8)).W_
    assert W.shape == (8, 3000)
    assert np.abs(W.mean(axis=1)).max() < 4 / np.sqrt(3000)
    assert np.abs(np.cov(W) - np.eye(8)).max() < 0.12
    assert (np.abs(W) > 1.96).mean() == pytest.approx(0.05, abs=0.006)


def test_there_may_be_more_bits_than_features(two_groups):
    assert LSH(50, random_state=0).fit(two_groups).encode(two_groups).shape == (60, 50)
