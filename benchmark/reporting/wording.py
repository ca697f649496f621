"""The words of tables: marks, tests, seeds and ties."""

from __future__ import annotations

from collections.abc import Sequence

#: How ``Protocol.ties`` orders items at the same distance, or with the same score.
TIE_RULES = {
    "expected": "ties count by the exact expectation over their orders",
    "index": "ties keep the order of the database",
}


def describe_seeds(seeds: Sequence[int]) -> str:
    """How the numbers of a table were averaged."""
    if len(seeds) == 1:
        return f"one seed ({seeds[0]})"
    return f"mean ± sample standard deviation over {len(seeds)} seeds"


def describe_marks(first: str, second: str, *, tested: bool) -> str:
    """What two ways to mark entries mean; the rule is that of :mod:`benchmark.reporting.marks`."""
    if not tested:
        return f"{first}: the best of its group and code length; {second}: the second."
    return (
        f"{first}: the best of its group and code length, and what is not significantly worse; "
        f"{second}: the best of the others."
    )


def describe_test(level: float) -> str:
    """What "significantly" means."""
    return (
        "Significance: paired bootstrap over queries and trainings, Holm's correction over the "
        f"tests against the best of a group at a code length, level {level:g}."
    )


BASE_RATE = "base rate"


DASH = "–"
