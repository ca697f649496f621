"""Intervals, tests and corrections, against scipy, hand-computed values and simulations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmark.significance.bootstrap import (
    bootstrap_interval,
    bootstrap_intervals,
    mean_over_queries,
)
from benchmark.significance.paired import paired_differences
from benchmark.significance.pairwise import compare_methods, holm


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


def trainings(rng, seeds, queries, *, of_seed=0.0, of_both=0.05, gain=0.0):
    """Values of trainings of one method: what a query is worth, what a seed is, and the rest."""
    shape = (seeds, len(queries))
    values = queries + gain + rng.normal(0, of_seed, (seeds, 1))
    return values + rng.normal(0, of_both, shape)


def test_standard_error_of_a_difference_is_that_of_theory():
    """Over queries, seeds and both, for methods whose parts are independent normal values."""
    rng = np.random.default_rng(0)
    n, q, of_seed, of_query = 40, 400, 0.03, 0.2
    a = trainings(rng, n, rng.normal(0, of_query, q), of_seed=of_seed, of_both=0)
    b = trainings(rng, n, rng.normal(0, of_query, q), of_seed=of_seed, of_both=0)
    found = paired_differences([a, b])
    expected = np.sqrt(2 * of_query**2 / q + 2 * of_seed**2 / n)
    assert found.errors[0, 1] == pytest.approx(expected, rel=0.15)
    assert found.means[0, 1] == pytest.approx(a.mean() - b.mean()) == -found.means[1, 0]


def test_few_seeds_have_their_whole_variance():
    """Two and three seeds, and nothing else that varies: the error of theory, not half of it."""
    for n in (2, 3):
        seeds = np.linspace(0, 1, n)[:, None]
        a, b = np.tile(seeds, (1, 50)), np.tile(seeds + 0.3, (1, 50))
        found = paired_differences([a, b], n_resamples=20_000)
        variance = seeds.var(ddof=1) / n
        assert found.errors[0, 1] == pytest.approx(np.sqrt(2 * variance), rel=0.02)
        # Both seeds have the same variance: Welch's test with 2 (n - 1) degrees of freedom.
        p = stats.ttest_ind(a[:, 0], b[:, 0], equal_var=False).pvalue
        assert found.p_values[0, 1] == pytest.approx(p, abs=0.02)


def test_without_an_effect_of_seeds_it_is_the_paired_t_test_over_queries():
    rng = np.random.default_rng(0)
    a = rng.random(80)
    b = a + 0.02 + rng.normal(0, 0.1, 80)
    found = paired_differences([np.tile(a, (3, 1)), np.tile(b, (3, 1))], n_resamples=20_000)
    expected = stats.ttest_rel(a, b).pvalue
    assert 0.02 < expected < 0.9
    assert found.p_values[0, 1] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize(("of_seed", "of_both"), [(0.0, 0.08), (0.01, 0.08), (0.02, 0.02)])
def test_a_method_seldom_differs_from_itself_with_other_seeds(seeds, of_seed, of_both):
    rng = np.random.default_rng(seeds)
    alarms = 0
    for i in range(150):
        queries = rng.beta(0.6, 1.4, 80)
        pair = [trainings(rng, seeds, queries, of_seed=of_seed, of_both=of_both) for _ in "ab"]
        found = paired_differences(pair, n_resamples=300, random_state=i)
        alarms += found.p_values[0, 1] <= 0.05
    # 0.05 plus three standard errors.
    assert alarms / 150 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)


def test_a_method_that_was_trained_once_differs_from_none():
    rng = np.random.default_rng(0)
    queries = rng.random(100)
    once, often = trainings(rng, 1, queries, gain=0.5), trainings(rng, 3, queries)
    for pair in ([once, often], [often, once], [once, once - 1]):
        found = paired_differences(pair)
        assert found.p_values.tolist() == [[1, 1], [1, 1]] and np.isnan(found.errors[0, 1])
    comparison = compare_methods({"once": once, "often": often, "bad": often - 0.4})
    assert comparison.best == "once" and not comparison.trails_best("bad")
    assert comparison.worse_than("often") == ("bad",)


def test_equal_values_do_not_differ_and_a_constant_gap_does():
    values = np.tile(np.random.default_rng(0).random(30), (3, 1))
    assert paired_differences([values, values.copy()]).p_values[0, 1] == 1
    assert paired_differences([values, values + 0.1]).p_values[0, 1] == 0
    flat = np.full((2, 5), 0.3)
    assert paired_differences([flat, flat]).p_values[0, 1] == 1


def test_differences_are_over_the_queries_that_both_methods_have():
    rng = np.random.default_rng(0)
    a, b, c = (trainings(rng, 3, rng.random(60)) for _ in "abc")
    a[:, :20] = np.nan
    b[:, 10:30] = np.nan
    found = paired_differences([a, b, c])
    assert found.means[0, 1] == pytest.approx((a[:, 30:] - b[:, 30:]).mean())
    assert found.means[2, 0] == pytest.approx((c[:, 20:] - a[:, 20:]).mean())
    alone = paired_differences([a[:, 30:], b[:, 30:]], n_resamples=20_000)
    assert found.errors[0, 1] == pytest.approx(alone.errors[0, 1], rel=0.1)
    none = paired_differences([np.full((2, 4), np.nan), rng.random((2, 4))])
    assert none.means.tolist() == [[0, 0], [0, 0]] and none.p_values[0, 1] == 1


def test_family_of_equal_methods_raises_an_alarm_no_more_often_than_the_level():
    """Six equal methods that find the same queries hard: 15 pairs, one level for all of them."""
    rng = np.random.default_rng(0)
    alarms = of_best = 0
    for i in range(60):
        queries = rng.random(30)
        values = {f"m{k}": trainings(rng, 3, queries, of_seed=0.01) for k in range(6)}
        comparison = compare_methods(values, random_state=i)
        alarms += (comparison.p_values <= 0.05).any()
        of_best += any(map(comparison.trails_best, values))
    # 0.05 plus three standard errors.
    assert max(alarms, of_best) / 60 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


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
    queries = rng.random(300)
    values = {
        "good": trainings(rng, 3, queries, gain=0.2),
        "twin": trainings(rng, 3, queries, gain=0.199),
        "bad": trainings(rng, 2, queries),
    }
    comparison = compare_methods(values)
    assert comparison.methods == ("good", "twin", "bad") and comparison.best == "good"
    assert comparison.worse_than("good") == comparison.worse_than("twin") == ("bad",)
    assert comparison.worse_than("bad") == ()
    assert [comparison.trails_best(m) for m in values] == [False, False, True]
    assert np.allclose(comparison.differences, -comparison.differences.T)
    assert np.array_equal(comparison.p_values, comparison.p_values.T)
    assert np.diag(comparison.p_values).tolist() == [1, 1, 1]
    assert comparison.means == pytest.approx([v.mean() for v in values.values()])


def test_each_family_is_corrected_for_its_own_number():
    rng = np.random.default_rng(1)
    queries = rng.random(60)
    arrays = [trainings(rng, 4, queries, of_seed=0.01, gain=0.012 * k) for k in range(4)]
    comparison = compare_methods(dict(zip("abcd", arrays, strict=True)))
    p = paired_differences(arrays).p_values
    i, j = np.triu_indices(4, 1)
    assert comparison.best == "d" and 0.001 < p[3, 2] < 0.9
    assert comparison.p_values[i, j] == pytest.approx(holm(p[i, j]))
    assert comparison.against_best == pytest.approx([*holm(p[3, :3]), 1])
    assert (comparison.against_best[:3] <= comparison.p_values[3, :3]).all()


def test_thirty_methods_can_still_be_told_apart():
    rng = np.random.default_rng(0)
    values = {f"m{k}": 0.1 * k + rng.normal(0, 0.05, (3, 100)) for k in range(30)}
    comparison = compare_methods(values)
    assert comparison.worse_than("m29")[-1] == "m28" and len(comparison.worse_than("m29")) == 29


def test_one_method_or_none_is_compared_with_nothing():
    assert compare_methods({"a": np.ones((1, 3))}).p_values.tolist() == [[1.0]]
    assert compare_methods({}).methods == ()


def test_methods_must_have_met_the_same_queries():
    with pytest.raises(ValueError, match="same queries"):
        compare_methods({"a": np.ones((1, 3)), "b": np.ones((1, 4))})
