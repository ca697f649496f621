"""Intervals, tests and corrections, against scipy, hand-computed values and simulations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.significance.bootstrap import (
    bootstrap_interval,
    bootstrap_intervals,
    mean_over_queries,
)
from benchmark.significance.randomisation import compare_methods, holm, paired_test


def test_mean_over_seeds_of_means_over_queries():
    values = np.array([[0.0, 1.0, np.nan], [0.3, 0.6, 0.9], [np.nan] * 3])
    assert mean_over_queries(values) == pytest.approx((0.5 + 0.6) / 2)
    assert math.isnan(mean_over_queries(np.full((2, 3), np.nan)))


def test_interval_of_one_seed_agrees_with_scipy():
    values = np.random.default_rng(0).beta(0.5, 1.5, 300)
    ours = bootstrap_interval(values[None], n_resamples=9999)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    # A percentile of 9,999 resamples has a standard error of about 0.03 standard errors.
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert ours == pytest.approx(tuple(theirs), abs=0.15 * error)
    assert ours.low < values.mean() < ours.high


def test_interval_leaves_missing_queries_out():
    values = np.random.default_rng(0).random(200)
    with_gaps = np.concatenate([values, np.full(50, np.nan)])
    ours, theirs = bootstrap_interval(with_gaps), bootstrap_interval(values)
    assert ours == pytest.approx(tuple(theirs), abs=0.005)
    assert all(map(math.isnan, bootstrap_interval(np.full((2, 4), np.nan))))


def test_intervals_of_several_methods_are_those_of_each():
    rng = np.random.default_rng(0)
    methods = [rng.random((3, 50)), rng.random((2, 50)) + 1, rng.random((3, 50))]
    methods[2][0, :40] = np.nan
    assert np.allclose(bootstrap_intervals(methods), [bootstrap_interval(v) for v in methods])
    assert bootstrap_intervals([]) == []


def test_interval_of_equal_values_is_a_point():
    assert bootstrap_interval(np.full((3, 20), 0.25)) == (0.25, 0.25)


def test_interval_is_the_same_each_time_and_narrower_at_less_confidence():
    values = np.random.default_rng(0).random((3, 40))
    wide, narrow = bootstrap_interval(values), bootstrap_interval(values, confidence=0.5)
    assert bootstrap_interval(values) == wide
    assert wide.low < narrow.low < narrow.high < wide.high


def test_seeds_that_differ_widen_the_interval():
    """Without an effect of the seed, more seeds tell no more of the queries."""
    rng = np.random.default_rng(0)
    queries = rng.random(200)
    alike = np.tile(queries, (5, 1))
    shifted = alike + np.linspace(-0.2, 0.2, 5)[:, None]
    width = {name: np.diff(bootstrap_interval(v))[0] for name, v in
             (("one", alike[:1]), ("alike", alike), ("shifted", shifted))}  # fmt: skip
    assert width["alike"] == pytest.approx(width["one"], rel=1e-9)
    # Five seeds, standard deviation sqrt(0.02): their mean has a standard error of 0.063.
    expected = 2 * 1.96 * np.sqrt(0.02 / 5 + queries.var() / 200)
    assert width["shifted"] == pytest.approx(expected, rel=0.1)


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for i in range(300):
        low, high = bootstrap_interval(rng.beta(1, 3, (1, 60)), n_resamples=999, random_state=i)
        hits += low <= 0.25 <= high
    # Three standard errors around 0.95; a percentile interval of a small skew sample is short.
    assert 0.90 <= hits / 300 <= 0.99


@pytest.mark.parametrize("n", [3, 9, 13])
def test_exact_test_of_few_queries_agrees_with_scipy(n):
    rng = np.random.default_rng(n)
    a, b = rng.random(n), rng.random(n) + 0.2
    assert paired_test(a, b) == pytest.approx(scipy_test(a, b, n_resamples=np.inf), abs=1e-12)


def test_drawn_test_of_many_queries_agrees_with_scipy():
    rng = np.random.default_rng(0)
    a = rng.random(80)
    b = a + 0.02 + rng.normal(0, 0.1, 80)
    ours, theirs = paired_test(a, b), scipy_test(a, b, n_resamples=9999)
    assert 0.02 < theirs < 0.9
    # Both are shares of 9,999 draws.
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(2 * theirs * (1 - theirs) / 9999))


def scipy_test(a, b, n_resamples):
    return stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_resamples,
        rng=np.random.default_rng(1),
    ).pvalue


def test_p_value_of_three_queries_by_hand():
    """Differences 1, 2, 3: of 8 exchanges only the observed one and its mirror reach 6."""
    assert paired_test(np.array([1.0, 2.0, 3.0]), np.zeros(3)) == 2 / 8
    # Differences 1, 2, -3 sum to 0, which every exchange reaches.
    assert paired_test(np.array([1.0, 2.0, 0.0]), np.array([0.0, 0.0, 3.0])) == 1.0


def test_smallest_drawn_p_value_counts_the_observed_exchange():
    assert paired_test(np.ones(100), np.zeros(100), n_resamples=999) == 1 / 1000


def test_queries_that_one_method_lacks_do_not_count():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 10))
    gap = np.array([np.nan, 0.5])
    with_gaps = paired_test(np.append(a, gap), np.append(b, gap[::-1]), n_resamples=2**12)
    assert with_gaps == paired_test(a, b)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_method_compared_with_itself_is_never_significant(values, seed):
    values = np.array(values)
    assert paired_test(values, values, n_resamples=99, random_state=seed) == 1.0


def test_equal_methods_raise_an_alarm_no_more_often_than_the_level():
    """With 7 queries of continuous values the exact p-values are multiples of 1/64."""
    rng = np.random.default_rng(0)
    p = np.array([paired_test(*rng.random((2, 7))) for _ in range(2000)])
    for level in (3 / 64, 0.1, 0.25):
        share, exact = (p <= level).mean(), math.floor(level * 64) / 64
        assert share == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 2000))


def test_drawn_test_raises_false_alarms_at_the_nominal_rate():
    rng = np.random.default_rng(0)
    p = np.array(
        [paired_test(*rng.random((2, 40)), n_resamples=199, random_state=i) for i in range(1500)]
    )
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 1500))


def test_family_of_equal_methods_raises_an_alarm_no_more_often_than_the_level():
    """Six equal methods that find the same queries hard: 15 pairs, one level for all of them."""
    rng = np.random.default_rng(0)
    alarms = 0
    for i in range(200):
        hard = rng.random(30)
        values = {f"m{k}": hard + rng.normal(0, 0.2, (1, 30)) for k in range(6)}
        comparison = compare_methods(values, random_state=i)
        alarms += (comparison.p_values <= 0.05).any()
    # 0.05 plus three standard errors.
    assert alarms / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_holm_by_hand():
    """0.01 * 4, 0.02 * 3, then 0.03 * 2 = 0.06 no less than that, and 0.6 * 1."""
    assert holm(np.array([0.03, 0.6, 0.01, 0.02])) == pytest.approx([0.06, 0.6, 0.04, 0.06])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_its_steps_reject(p_values, level):
    """Go down from the smallest p-value until one exceeds level / (number that is left)."""
    rejected = set()
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for step, k in enumerate(order):
        if p_values[k] * (len(p_values) - step) > level:
            break
        rejected.add(k)
    assert set(np.flatnonzero(holm(np.array(p_values)) <= level)) == rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(p_values):
    p = np.array(p_values)
    corrected = holm(p)
    assert (corrected >= p).all() and (corrected <= np.minimum(1, len(p) * p)).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


def test_comparison_of_methods():
    rng = np.random.default_rng(0)
    hard = rng.random(300)
    values = {
        "good": hard + 0.20 + rng.normal(0, 0.1, (3, 300)),
        "twin": hard + 0.20 + rng.normal(0, 0.1, (3, 300)),
        "bad": hard + rng.normal(0, 0.1, (1, 300)),
    }
    comparison = compare_methods(values)
    assert comparison.methods == ("good", "twin", "bad")
    assert comparison.worse_than("good") == comparison.worse_than("twin") == ("bad",)
    assert comparison.worse_than("bad") == ()
    assert np.allclose(comparison.differences, -comparison.differences.T)
    assert np.array_equal(comparison.p_values, comparison.p_values.T)
    assert np.diag(comparison.p_values).tolist() == [1, 1, 1]
    assert comparison.means == pytest.approx([v.mean() for v in values.values()])
    pairs = [("good", "twin"), ("good", "bad"), ("twin", "bad")]
    means = {name: v.mean(axis=0) for name, v in values.items()}
    each = [paired_test(means[a], means[b]) for a, b in pairs]
    expected = comparison.p_values[[0, 0, 1], [1, 2, 2]]
    assert holm(np.array(each)) == pytest.approx(expected, abs=0.02)


def test_pairs_are_tested_on_the_queries_that_both_have():
    """The corrected p-values of three methods with different gaps, pair by pair."""
    rng = np.random.default_rng(0)
    values = {f"m{k}": rng.random((1, 12)) + 0.1 * k for k in range(3)}
    values["m0"][0, :2] = values["m1"][0, 1:4] = np.nan
    comparison = compare_methods(values)
    i, j = np.triu_indices(3, 1)
    rows = [v[0] for v in values.values()]
    expected = [paired_test(rows[a], rows[b]) for a, b in zip(i, j, strict=True)]
    assert comparison.p_values[i, j] == pytest.approx(holm(np.array(expected)), abs=1e-12)
    assert comparison.differences[0, 1] == pytest.approx(np.nanmean(rows[0] - rows[1]))


def test_thirty_methods_can_still_be_told_apart():
    rng = np.random.default_rng(0)
    values = {f"m{k}": 0.1 * k + rng.normal(0, 0.1, (1, 100)) for k in range(30)}
    comparison = compare_methods(values)
    assert comparison.worse_than("m29")[-1] == "m28" and len(comparison.worse_than("m29")) == 29


def test_one_method_or_none_is_compared_with_nothing():
    assert compare_methods({"a": np.ones((1, 3))}).p_values.tolist() == [[1.0]]
    assert compare_methods({}).methods == ()


def test_methods_must_have_met_the_same_queries():
    with pytest.raises(ValueError, match="same queries"):
        compare_methods({"a": np.ones((1, 3)), "b": np.ones((1, 4))})
