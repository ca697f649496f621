"""How a method looks, in every figure of every run: colour, shade and marker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from benchmark.digests import value_digest
from benchmark.registry import methods
from benchmark.reporting.method import GROUPS, Method

#: A colour family for each supervision: hues of Okabe and Ito, which the colour-blind tell apart,
#: in shades that all show on white paper; and lighter ones for a dark page.
SHADES = {
    "none": ("#0072B2", "#003F6B", "#3D95CF", "#20558A"),
    "tags": ("#D55E00", "#8A3A00", "#E0862F", "#B0721A"),
    "labels": ("#00805C", "#00513B", "#2FA47F", "#5A7D1E"),
    "": ("#A6467F", "#6B2450", "#C477A4", "#7A5AA0"),
}
DARK_SHADES = {
    "none": ("#56B4E9", "#8FCBF0", "#3D95CF", "#B5D9F2"),
    "tags": ("#F08A3C", "#F5AE78", "#E0762A", "#F2C94C"),
    "labels": ("#35C79A", "#7FDCBF", "#1FA57C", "#A9CF54"),
    "": ("#D98BBB", "#E8B4D3", "#C477A4", "#B9A0E0"),
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*", "h", "d")
#: Curves that are drawn strongly; the others are grey.
MOST_STRONG = 10


@dataclass(frozen=True)
class Look:
    """How a method is drawn.

    Attributes
    ----------
    colour, on_dark : str
        Hexadecimal, on a white and on a dark ground.
    marker : str
        As matplotlib names them.
    hollow : bool
        Whether the marker is filled with the ground.
    dashed : bool
        Whether lines are dashed: asymmetric search.
    """

    colour: str
    on_dark: str
    marker: str
    hollow: bool
    dashed: bool


def look_of(method: Method) -> Look:
    """The look that the id and the supervision of a method give."""
    taken = _looks_of_registered()
    place = taken.get(method.id)
    if place is None:
        # A variant or a method that is not registered keeps out of the way of those that are.
        place = _free(method.id, {taken[name] for name in taken})
    shade, rest = place % 4, place // 4
    return Look(
        SHADES[method.supervision][shade],
        DARK_SHADES[method.supervision][shade],
        MARKERS[rest % len(MARKERS)],
        rest // len(MARKERS) == 1,
        method.by_score,
    )


def strong(found: Sequence[Method], most: int = MOST_STRONG) -> list[Method]:
    """The methods whose curves are drawn strongly: the first of each group, then the second, ...

    Parameters
    ----------
    found : sequence of Method
        The best of each group first.
    most : int
    """
    groups = [[m for m in found if m.supervision == supervision] for supervision in GROUPS]
    turns = [method for turn in zip_longest(*groups) for method in turn if method]
    chosen = set(turns[:most])
    return [method for method in found if method in chosen]


@lru_cache(maxsize=1)
def _looks_by_names(names: tuple[str, ...]) -> Mapping[str, int]:
    places: dict[str, int] = {}
    for name in names:
        places[name] = _free(name, set(places.values()))
    return places


def _looks_of_registered() -> Mapping[str, int]:
    return _looks_by_names(tuple(sorted(methods.names())))


def _free(name: str, taken: set[int]) -> int:
    """The place that a name hashes to, or the next one that is free."""
    n = 4 * len(MARKERS) * 2
    first = int(value_digest(name), 16) % n
    return next((p for i in range(n) if (p := (first + i) % n) not in taken), first)
