"""What is known of every metric: its words, its kind and its digits."""

from __future__ import annotations

from benchmark.protocol.protocol import Protocol

#: What the costs of a run are called, in the units they are measured in.
COSTS = {
    "fit_seconds": "Training time in seconds, as if nothing were shared with other cells",
    "encode_us": "Encoding time in microseconds per item",
    "peak_mb": "Peak memory in megabytes",
}


#: What diagnostics of the codes are called.
DIAGNOSTICS = {
    "bit_balance": "Mean distance of the share of ones of a bit from 1/2 (0: balanced, 0.5: fixed)",
    "bit_correlation": "Mean absolute correlation of two bits that vary (0: none, 1: copies)",
    "code_entropy": "Entropy of the codes of the database in bits",
    "distinct_codes": "Number of different codes in the database",
    "bytes_per_item": "Bytes of a stored code",
}


_COUNTS = ("distinct_codes", "bytes_per_item")


def describe(metric: str) -> str:
    """What a metric says, as the beginning of a sentence."""
    name, _, at = metric.partition("@")
    if metric == "mAP@all":
        return "Mean average precision (mAP) over the whole ranking"
    if name == "P" and at[:1] == "r":
        return f"Precision within Hamming radius {at[1:]}, where an empty ball counts 0"
    if name == "empty" and at[:1] == "r":
        return f"Share of queries with no item within Hamming radius {at[1:]} (lower is better)"
    if name == "mAP" and at.isdigit():
        return f"Mean average precision (mAP) over the first {int(at):,} items"
    if name == "P" and at.isdigit():
        return f"Precision among the first {int(at):,} items"
    return COSTS.get(metric) or DIAGNOSTICS.get(metric, metric)


def is_of_ball(metric: str) -> bool:
    """Whether the metric looks at a Hamming ball, which only binary codes have."""
    return metric.startswith(("P@r", "empty@r"))


def has_ties(metric: str) -> bool:
    """Whether the metric cuts or orders the ranking, so that the order of ties matters."""
    return metric.startswith(("mAP@", "P@")) and not is_of_ball(metric)


def format_value(metric: str, value: float, like: float | None = None) -> str:
    """Four decimals for rates, about three digits for costs, none after the point for counts.

    Parameters
    ----------
    metric : str
    value : float
    like : float, optional
        The number whose decimals to use: a deviation is printed like its mean.
    """
    if metric in _COUNTS:
        return f"{value:.0f}"
    if metric not in COSTS:
        return f"{value:.4f}"
    size = abs(value if like is None else like)
    decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 4
    return f"{value:.{decimals}f}"


def is_ranked(metric: str) -> bool:
    """Whether the metric decides between methods; costs and ``empty@r2`` only qualify them."""
    return metric.startswith(("mAP@", "P@"))


def table_metrics(protocol: Protocol, n_database: int) -> list[str]:
    """The metrics that get a table; a cut-off beyond the database repeats ``mAP@all``."""
    cut_offs = [k for k in protocol.map_at if k < n_database]
    few = [n for n in protocol.precision_at if n in (100, 500)]
    return [
        *(f"mAP@{k}" for k in cut_offs),
        "mAP@all",
        f"P@r{protocol.radius}",
        f"empty@r{protocol.radius}",
        *(f"P@{n}" for n in few),
        "fit_seconds",
        "encode_us",
        "peak_mb",
    ]
