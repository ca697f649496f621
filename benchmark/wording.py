"""How metrics, costs and averages are called and printed."""

from __future__ import annotations

from collections.abc import Sequence

#: What the costs of a run are called, in the units they are measured in.
COSTS = {
    "fit_seconds": "Training time in seconds, as if nothing were shared with other cells",
    "encode_us": "Encoding time in microseconds per item",
    "peak_mb": "Peak memory in megabytes",
}

#: How ``Protocol.ties`` orders items at the same distance, or with the same score.
TIE_RULES = {
    "expected": "ties count by the exact expectation over their orders",
    "index": "ties keep the order of the database",
}

#: What the superscript letters of a table say.
LETTERS = "Letters: the methods that an entry is significantly better than."


def describe(metric: str) -> str:
    """What a metric says, as the beginning of a sentence."""
    name, _, at = metric.partition("@")
    if metric == "mAP@all":
        return "Mean average precision (mAP) over the whole ranking"
    if metric == "P@r2":
        return "Precision within Hamming radius 2, where an empty ball counts 0"
    if metric == "empty@r2":
        return "Share of queries with no item within Hamming radius 2 (lower is better)"
    if name == "mAP" and at.isdigit():
        return f"Mean average precision (mAP) over the first {int(at):,} items"
    if name == "P" and at.isdigit():
        return f"Precision among the first {int(at):,} items"
    return COSTS.get(metric, metric)


def describe_seeds(seeds: Sequence[int]) -> str:
    """How the numbers of a table were averaged."""
    if len(seeds) == 1:
        return f"one seed ({seeds[0]})"
    return f"mean ± sample standard deviation over {len(seeds)} seeds"


def is_of_ball(metric: str) -> bool:
    """Whether the metric looks at a Hamming ball, which only binary codes have."""
    return metric.startswith(("P@r", "empty@r"))


def has_ties(metric: str) -> bool:
    """Whether the metric cuts or orders the ranking, so that the order of ties matters."""
    return metric.startswith(("mAP@", "P@")) and not is_of_ball(metric)


def format_value(metric: str, value: float, like: float | None = None) -> str:
    """Four decimals for rates, about three digits for costs.

    Parameters
    ----------
    metric : str
    value : float
    like : float, optional
        The number whose decimals to use: a deviation is printed like its mean.
    """
    if metric not in COSTS:
        return f"{value:.4f}"
    size = abs(value if like is None else like)
    decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 4
    return f"{value:.{decimals}f}"


def is_ranked(metric: str) -> bool:
    """Whether the metric decides between methods; costs and ``empty@r2`` only qualify them."""
    return metric.startswith(("mAP@", "P@"))


def describe_marks(first: str, second: str, *, tested: bool) -> str:
    """What two ways to mark entries mean; the rule is that of :mod:`benchmark.marks`."""
    if not tested:
        return f"{first}: the best of each code length; {second}: the second."
    return (
        f"{first}: the best of each code length and what is not significantly worse; "
        f"{second}: the best of the others."
    )


def describe_test(level: float) -> str:
    """What "significantly" means."""
    return (
        "Significance: paired randomisation test over queries, Holm's correction over all pairs "
        f"of a column, level {level:g}."
    )
