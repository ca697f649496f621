"""A method has one look, whatever it stands beside; its colour tells what it learns from."""

from __future__ import annotations

import colorsys

import pytest

from benchmark.registry import methods
from benchmark.reporting.look import MARKERS, SHADES, look_of, strong
from benchmark.reporting.method import GROUPS, Method, method_of
from benchmark.reporting.plots import method_style


def luminance(colour):
    """Relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_two_registered_methods_look_alike_in_colour_or_without():
    looks = [look_of(method_of(name)) for name in methods.names()]
    assert len({(one.colour, one.marker, one.hollow) for one in looks}) == len(looks)


def test_the_look_does_not_depend_on_what_else_is_registered_or_drawn(plugin):
    before = {name: look_of(method_of(name)) for name in methods.names()}
    from benchmark.registry import load_plugins

    load_plugins([plugin("zzz-mine")])
    assert "zzz-mine" in methods.names()
    after = {name: look_of(method_of(name)) for name in before}
    assert after == before


def test_a_variant_does_not_look_like_a_registered_method():
    taken = {(one.colour, one.marker, one.hollow) for one in
             (look_of(method_of(name)) for name in methods.names())}  # fmt: skip
    for i in range(1, 50):
        one = look_of(method_of(f"wdht[dropout=0.{i}]"))
        assert (one.colour, one.marker, one.hollow) not in taken
        assert one.colour in SHADES["tags"]


@pytest.mark.parametrize("supervision", list(GROUPS))
def test_every_shade_shows_on_white_paper(supervision):
    assert all(1.05 / (luminance(c) + 0.05) >= 2.5 for c in SHADES[supervision])


def test_families_have_hues_of_their_own():
    hues = {}
    for supervision, colours in SHADES.items():
        rgb = [[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours]
        hues[supervision] = [360 * colorsys.rgb_to_hsv(*one)[0] for one in rgb]
    assert all(190 <= hue <= 230 for hue in hues["none"])
    assert all(20 <= hue <= 40 for hue in hues["tags"])
    assert all(75 <= hue <= 170 for hue in hues["labels"])


def test_asymmetric_search_is_dashed():
    plain, scored = Method("x", "tags"), Method("x", "tags", by_score=True)
    assert method_style(plain)["linestyle"] == "-" != method_style(scored)["linestyle"]
    assert look_of(plain).marker == look_of(scored).marker in MARKERS


def test_each_group_has_strong_curves():
    found = [Method(f"u{i}", "none") for i in range(20)]
    found += [Method(f"t{i}", "tags") for i in range(9)] + [Method("l0", "labels")]
    chosen = [method.id for method in strong(found)]
    assert chosen == [*(f"u{i}" for i in range(5)), *(f"t{i}" for i in range(4)), "l0"]
    assert strong(found[:3]) == found[:3]
