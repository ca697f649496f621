"""Which entries of a column stand out, and where the best is ahead of the second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.significance.pairwise import PairwiseTests


def column_ranks(
    methods: Sequence[str], printed: Sequence[float | None], comparison: PairwiseTests | None
) -> list[int]:
    """Where the methods of one group stand at one code length.

    Without a comparison only entries that print the same as the best share its rank.

    Parameters
    ----------
    methods : sequence of str
        Those that compete.
    printed : sequence of float or None
        The numbers as printed; None for a gap.
    comparison : PairwiseTests or None
        Of methods that have values for every query, also others than these.

    Returns
    -------
    list of int
        1 for the best and what is not significantly worse, 2 for the best of the others,
        otherwise 0.
    """
    if comparison is not None:
        comparison = comparison.among(methods)
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
    return [
        1 if first else 2 if value is not None and value == second else 0
        for value, first in zip(printed, leading, strict=True)
    ]


def best_is_separated(
    methods: Sequence[str], means: Sequence[float | None], comparison: PairwiseTests
) -> bool | None:
    """Whether the best is significantly better than the second; None where that is not tested."""
    there = [(mean, m) for mean, m in zip(means, methods, strict=True) if mean is not None]
    tested = [m for _, m in there if m in comparison.methods]
    if len(tested) < 2:
        return None
    (_, best), (_, second) = sorted(there, key=lambda pair: -pair[0])[:2]
    comparison = comparison.among(methods)
    known = best in comparison.methods and second in comparison.methods
    return known and comparison.best == best and comparison.trails_best(second)


def describe_separation(bits: Sequence[int], separated: Iterable[int], group: str = "") -> str:
    """A sentence that says where the best is significantly better than the second.

    Parameters
    ----------
    bits : sequence of int
        Code lengths at which that was tested.
    separated : iterable of int
        Those at which it is so.
    group : str
        Among which methods, where there are several groups.
    """
    yes = set(separated)
    no = [b for b in bits if b not in yes]
    whose = f" {group}" if group else ""
    claim = f"The best{whose} is significantly better than the second"
    if not yes:
        return f"At no code length is the best{whose} significantly better than the second."
    if not no:
        return f"{claim} at every code length."
    return f"{claim} at {listed(sorted(yes))} bits, not at {listed(no)} bits."


def listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
