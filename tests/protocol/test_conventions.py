"""Every field of a protocol reaches what is measured, and every preset is what it was."""

from dataclasses import replace

import numpy as np
import pytest

from benchmark import evaluate, evaluate_scores
from benchmark.protocol import metrics
from benchmark.protocol.hamming import Profile
from benchmark.protocol.protocol import PRESETS, Protocol

HUNDREDS = (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
#: Cut-offs of mAP, ties, normaliser, query without a hit, query without a relevant item.
WORDS = {
    "wdht": ((5000, 50000), "expected", "retrieved", "zero", "zero"),
    "wp-ijcai2018": ((), "expected", "retrieved", "zero", "zero"),
    "wsdhq": ((5000,), "index", "retrieved", "skip", "zero"),
    "deephash-pytorch": ((5000,), "index", "retrieved", "zero", "zero"),
    "hashnet": ((5000,), "index", "retrieved", "skip", "zero"),
    "trec": ((1000,), "index", "all", "zero", "skip"),
}

#: Two bits; the first query has one relevant item at distance 0 and one at 2, the second none.
CODES = np.array([[0, 0], [1, 0]], bool), np.array([[0, 0], [0, 1], [1, 1]], bool)
IDS = [1, 9], [1, 2, 1]


def test_presets_are_these():
    assert list(PRESETS) == list(WORDS)
    for name, preset in PRESETS.items():
        found = preset.map_at, preset.ties, preset.normalizer, preset.no_hit, preset.no_relevant
        assert found == WORDS[name], name
        rest = preset.precision_at, preset.radius, preset.empty, preset.interpolated
        assert rest == (HUNDREDS, 2, "zero", False), name
        graded = preset.ndcg_at, preset.acg_at, preset.wmap_at, preset.recall_at
        assert graded == ((), (), (), ()) and preset.neighbours == 1, name
        assert preset.name == name and preset.about


def test_the_default_is_the_first_preset_and_plain_fields_are_its_own():
    assert replace(Protocol(), name="wdht", about=PRESETS["wdht"].about) == PRESETS["wdht"]
    assert dict(evaluate(*CODES, *IDS)) == dict(evaluate(*CODES, *IDS, "wdht"))


def test_a_specification_has_every_field_but_the_description():
    told = PRESETS["trec"].specification()
    assert "about" not in told and told["no_relevant"] == "skip" and told["map_at"] == (1000,)
    assert Protocol(**told) == replace(PRESETS["trec"], about="")


@pytest.mark.parametrize(
    ("radius", "precision", "empty"), [(0, 0.5, 0.5), (1, 0.25, 0), (2, 1 / 3, 0)]
)
def test_the_radius_is_that_of_the_ball(radius, precision, empty):
    found = evaluate(*CODES, *IDS, Protocol(radius=radius))
    assert found[f"P@r{radius}"] == pytest.approx(precision)
    assert found[f"empty@r{radius}"] == empty
    assert f"P@r{3 - radius}" not in found


def test_an_empty_ball_counts_zero_or_not_at_all():
    assert evaluate(*CODES, *IDS, Protocol(radius=0, empty="zero"))["P@r0"] == 0.5
    skipped = evaluate(*CODES, *IDS, Protocol(radius=0, empty="skip"))
    assert skipped["P@r0"] == 1 and np.isnan(skipped.per_query["P@r0"][1])
    assert skipped.bounds["P@r0"] == (1, 1)


def test_interpolated_curves_show_the_largest_precision_from_there_on():
    codes = np.zeros((1, 1), bool), np.zeros((3, 1), bool)
    plain, raised = (
        evaluate(*codes, [1], [0, 1, 1], Protocol(ties="index", interpolated=how))
        for how in (False, True)
    )
    assert plain.curves["PR"].y == pytest.approx([1 / 2, 2 / 3])
    assert raised.curves["PR"].y == pytest.approx([2 / 3, 2 / 3])
    assert plain.curves["PR"].x == pytest.approx([0.5, 1])


def test_curves_by_radius_by_hand():
    curves = evaluate(*CODES, *IDS).curves
    for name in ("P@r", "recall@r", "success@r"):
        assert curves[name].x.tolist() == [0, 1, 2]
    assert curves["P@r"].y == pytest.approx([1 / 2, 1 / 4, 1 / 3])
    # Over the query that has relevant items.
    assert curves["recall@r"].y == pytest.approx([1 / 2, 1 / 2, 1])
    assert curves["success@r"].y == pytest.approx([1 / 2, 1, 1])
    curves = evaluate(*CODES, *IDS, Protocol(empty="skip")).curves
    assert curves["P@r"].y == pytest.approx([1, 1 / 4, 1 / 3])
    curves = evaluate(*CODES, *IDS, Protocol(no_relevant="skip")).curves
    assert curves["P@r"].y == pytest.approx([1, 1 / 2, 2 / 3])
    assert curves["success@r"].y == pytest.approx([1, 1, 1])


def test_a_curve_by_radius_passes_through_the_metric_of_its_radius():
    rng = np.random.default_rng(0)
    codes, ids = rng.random((80, 12)) < 0.5, rng.integers(0, 4, 80)
    for empty in ("zero", "skip"):
        protocol = Protocol(radius=3, empty=empty)
        found = evaluate(codes[:20], codes[20:], ids[:20], ids[20:], protocol)
        assert found.curves["P@r"].y[3] == pytest.approx(found["P@r3"])
        assert found.curves["success@r"].y[3] == pytest.approx(1 - found["empty@r3"])
        assert found.curves["recall@r"].y[-1] == 1 and len(found.curves["P@r"].x) == 13


def test_a_ranking_by_score_has_no_curves_by_radius():
    found = evaluate_scores(np.ones((1, 1, 2)), np.zeros((2, 1), int), [1], [1, 0])
    assert set(found.curves) == {"PR", "P@N"}


@pytest.mark.parametrize("ties", ["expected", "index"])
def test_curves_and_bounds_leave_out_what_the_protocol_leaves_out(ties):
    """Queries without relevant items: no part of PR, and of no bound where they are skipped."""
    rng = np.random.default_rng(1)
    codes, ids = rng.random((70, 5)) < 0.5, rng.integers(0, 3, 70)
    ids[:6] = 7
    both = evaluate(
        codes[:20], codes[20:], ids[:20], ids[20:], Protocol(no_relevant="skip", ties=ties)
    )
    some = evaluate(codes[6:20], codes[20:], ids[6:20], ids[20:], Protocol(ties=ties))
    assert both["unanswerable"] == pytest.approx(6 / 20)
    for name in some:
        if name != "unanswerable":
            assert both[name] == pytest.approx(some[name]), name
            assert both.bounds[name] == pytest.approx(some.bounds[name]), name
    counted = evaluate(codes[:20], codes[20:], ids[:20], ids[20:], Protocol(ties=ties))
    for found in (both, counted):
        assert found.curves["PR"].y == pytest.approx(some.curves["PR"].y)
    assert counted.bounds["mAP@all"] == pytest.approx(
        [bound * 14 / 20 for bound in some.bounds["mAP@all"]]
    )


def test_the_smallest_average_precision_may_lie_at_neither_end():
    """One relevant item, then three relevant of six tied: of the top 4 one more makes it least.

    With 0, 1, 2 or 3 more at the last places AP is 1, 3/4, 29/36 and 1.
    """
    profile = Profile(np.array([[1, 6]], np.int32), np.array([[1, 3]], np.int32))
    found = metrics.average_precision(profile, 4)
    assert found.low[0] == pytest.approx(3 / 4) and found.high[0] == pytest.approx(1)


def test_short_groups_far_down_keep_their_digits():
    """Two relevant items among two tied ones after ten million others."""
    n = 10_000_000
    profile = Profile(np.array([[n, 2]], np.int32), np.array([[0, 2]], np.int32))
    found = metrics.average_precision(profile)
    exact = (1 / (n + 1) + 2 / (n + 2)) / 2
    assert found.value[0] == pytest.approx(exact, rel=1e-8, abs=0)
    assert found.low[0] == pytest.approx(exact, rel=1e-8, abs=0)
