"""Which entries of a column stand out, and which methods each is significantly better than."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase
from typing import NamedTuple

from benchmark.significance.pairwise import PairwiseTests


class Mark(NamedTuple):
    """What is shown beside an entry.

    Attributes
    ----------
    rank : int
        1 for the best of its column and what is not significantly worse, 2 for the best of the
        others, otherwise 0.
    better : tuple of int
        Positions of the methods that it is significantly better than.
    """

    rank: int = 0
    better: tuple[int, ...] = ()


def column_marks(
    methods: Sequence[str], printed: Sequence[float | None], comparison: PairwiseTests | None
) -> list[Mark]:
    """The marks of one column.

    Without a comparison only entries that print the same as the best share its rank.

    Parameters
    ----------
    methods : sequence of str
    printed : sequence of float or None
        The numbers as printed; None for a gap.
    comparison : PairwiseTests or None
        Of those methods that have values for every query.
    """
    tested = comparison.methods if comparison else ()
    best = max((value for value in printed if value is not None), default=None)
    tops = [m for m, value in zip(methods, printed, strict=True) if value == best and m in tested]

    def leads(method: str, value: float | None) -> bool:
        if value is None:
            return False
        if not tops or method not in tested:
            return value == best
        return not comparison.trails_best(method)

    leading = [leads(m, value) for m, value in zip(methods, printed, strict=True)]
    others = [v for v, first in zip(printed, leading, strict=True) if not first and v is not None]
    second = max(others, default=None)
    marks = []
    for method, value, first in zip(methods, printed, leading, strict=True):
        worse = comparison.worse_than(method) if method in tested else ()
        better = tuple(i for i, other in enumerate(methods) if other in worse)
        rank = 1 if first else 2 if value is not None and value == second else 0
        marks.append(Mark(rank, better))
    return marks


def best_is_separated(
    methods: Sequence[str], means: Sequence[float | None], comparison: PairwiseTests
) -> bool:
    """Whether the best is significantly better than the second."""
    there = [(mean, m) for mean, m in zip(means, methods, strict=True) if mean is not None]
    (_, best), (_, second) = sorted(there, key=lambda pair: -pair[0])[:2]
    known = best in comparison.methods and second in comparison.methods
    return known and comparison.best == best and comparison.trails_best(second)


def describe_separation(bits: Sequence[int], separated: Iterable[int]) -> str:
    """A sentence that says where the best is significantly better than the second."""
    yes = set(separated)
    no = [b for b in bits if b not in yes]
    claim = "The best is significantly better than the second"
    if not yes:
        return "At no code length is the best significantly better than the second."
    if not no:
        return f"{claim} at every code length."
    return f"{claim} at {_listed(sorted(yes))} bits, not at {_listed(no)} bits."


def letter(position: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    first = letter(position // 26 - 1) if position >= 26 else ""
    return first + ascii_lowercase[position % 26]


def spell_letters(positions: Sequence[int], dash: str = "–") -> str:
    """Letters of ascending positions; three and more in a row as first and last: ``a,c–f``."""
    runs: list[list[int]] = []
    for position in positions:
        if runs and position == runs[-1][-1] + 1:
            runs[-1].append(position)
        else:
            runs.append([position])
    parts = []
    for run in runs:
        if len(run) > 2:
            parts.append(f"{letter(run[0])}{dash}{letter(run[-1])}")
        else:
            parts += map(letter, run)
    return ",".join(parts)


def _listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
