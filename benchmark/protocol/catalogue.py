"""What is known of every metric: one row each, which captions, tables and evaluation read.

A new metric is a row here and a function, in :mod:`benchmark.protocol.metrics` where it measures a
ranking.  The rows name their functions, so that captions do not load compiled code.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from benchmark.protocol.metric import Metric, Need, as_papers_print, below_all, never

if TYPE_CHECKING:
    from benchmark.protocol.protocol import Protocol

#: In the order of the tables.
METRICS = (
    Metric(
        "mAP@{k}",
        "Mean average precision (mAP) over the first {k:,} items",
        "higher",
        "order",
        function="average_precision",
        at="map_at",
        conventions=("normalizer", "no_hit"),
        tabled=below_all,
    ),
    Metric(
        "mAP@all",
        "Mean average precision (mAP) over the whole ranking",
        "higher",
        "order",
        function="average_precision",
        conventions=("normalizer", "no_hit"),
    ),
    Metric(
        "nDCG@{k}",
        "nDCG over the first {k:,} items, whose gains are the numbers of shared labels",
        "higher",
        "grades",
        function="ndcg",
        at="ndcg_at",
    ),
    Metric(
        "ACG@{k}",
        "Average cumulative gain: labels shared with each of the first {k:,} items, on average",
        "higher",
        "grades",
        function="cumulative_gain",
        at="acg_at",
    ),
    Metric(
        "wmAP@{k}",
        "Weighted mAP over the first {k:,} items: ACG at each relevant item, on average",
        "higher",
        "grades",
        function="weighted_precision",
        at="wmap_at",
    ),
    Metric(
        "recall@{k}",
        "Share of the nearest items by features that are among the first {k:,}",
        "higher",
        "neighbours",
        function="recall_at",
        at="recall_at",
        every_query=True,
    ),
    Metric(
        "P@r{k}",
        "Precision within Hamming radius {k}, where an empty ball counts 0",
        "higher",
        "ball",
        function="precision_within",
        at="radius",
        conventions=("empty",),
    ),
    Metric(
        "empty@r{k}",
        "Share of queries with no item within Hamming radius {k} (lower is better)",
        "lower",
        "ball",
        function="empty_ball",
        at="radius",
    ),
    Metric(
        "P@{k}",
        "Precision among the first {k:,} items",
        "higher",
        "order",
        function="precision_at",
        at="precision_at",
        tabled=as_papers_print,
    ),
    Metric(
        "base_rate",
        "Share of relevant items in the database: what a random ranking scores",
        "none",
        "relevance",
        function="base_rate",
        tabled=never,
    ),
    Metric(
        "unanswerable",
        "Share of queries without a relevant item in the database, as those without labels",
        "none",
        "relevance",
        function="unanswerable",
        every_query=True,
        tabled=never,
    ),
    Metric(
        "fit_seconds",
        "Training time in seconds, as if nothing were shared with other cells",
        "lower",
        "run",
        decimals=None,
    ),
    Metric("encode_us", "Encoding time in microseconds per item", "lower", "run", decimals=None),
    Metric(
        "peak_mb",
        "Growth of memory in megabytes, from the start of the fit to the peak",
        "lower",
        "run",
        decimals=None,
    ),
    Metric(
        "load",
        "Load of the machine: processes that run or wait for each core (above 1: times are long)",
        "none",
        "run",
        decimals=2,
    ),
    Metric(
        "bit_balance",
        "Mean distance of the share of ones of a bit from 1/2 (0: balanced, 0.5: fixed)",
        "lower",
        "codes",
        tabled=never,
    ),
    Metric(
        "bit_correlation",
        "Mean absolute correlation of two bits that vary (0: none, 1: copies)",
        "lower",
        "codes",
        tabled=never,
    ),
    Metric(
        "code_entropy",
        "Entropy of the codes of the database in bits",
        "none",
        "codes",
        tabled=never,
    ),
    Metric(
        "distinct_codes",
        "Number of different codes in the database",
        "none",
        "codes",
        decimals=0,
        tabled=never,
    ),
    Metric(
        "bytes_per_item",
        "Bytes of a stored code",
        "lower",
        "codes",
        decimals=0,
        tabled=never,
    ),
)

#: What the costs of a run are called, in the units they are measured in.
COSTS = {row.pattern: row.words for row in METRICS if row.needs == "run"}
#: What diagnostics of the codes are called.
DIAGNOSTICS = {row.pattern: row.words for row in METRICS if row.needs == "codes"}


@lru_cache
def find_metric(name: str) -> tuple[Metric, int] | None:
    """The row that a name belongs to and its cut-off, 0 for a metric without; None for no metric.

    Examples
    --------
    >>> row, cut_off = find_metric("P@r2")
    >>> row.pattern, cut_off
    ('P@r{k}', 2)
    """
    for row in METRICS:
        found = row.expression.fullmatch(name)
        if found:
            return row, int(found[1]) if found.groups() else 0
    return None


def needs_of(protocol: Protocol) -> set[Need]:
    """What the metrics of a protocol need."""
    return {row.needs for row in METRICS for _ in row.named(protocol)}


def table_metrics(protocol: Protocol, n_database: int) -> list[str]:
    """The metrics that get a table; a cut-off beyond the database repeats ``mAP@all``."""
    return [
        name
        for row in METRICS
        for name, at in row.named(protocol)
        if row.tabled(at[0] if at else 0, n_database)
    ]


def describe(metric: str) -> str:
    """What a metric says, as the beginning of a sentence."""
    found = find_metric(metric)
    return found[0].words.format(k=found[1]) if found else metric


def is_of_ball(metric: str) -> bool:
    """Whether the metric looks at a Hamming ball, which only binary codes have."""
    return _needs(metric) == "ball"


def has_ties(metric: str) -> bool:
    """Whether the metric cuts or orders the ranking, so that the order of ties matters."""
    return _needs(metric) in ("order", "grades", "neighbours")


def is_ranked(metric: str) -> bool:
    """Whether the metric decides between methods; costs and ``empty@r2`` only qualify them."""
    found = find_metric(metric)
    return found is not None and found[0].better == "higher"


def format_value(metric: str, value: float, like: float | None = None) -> str:
    """Four decimals for rates, about three digits for costs, none after the point for counts.

    Parameters
    ----------
    metric : str
    value : float
    like : float, optional
        The number whose decimals to use: a deviation is printed like its mean.
    """
    found = find_metric(metric)
    decimals = found[0].decimals if found else 4
    if decimals is None:
        size = abs(value if like is None else like)
        decimals = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 4
    return f"{value:.{decimals}f}"


def _needs(metric: str) -> Need | None:
    found = find_metric(metric)
    return found[0].needs if found else None
