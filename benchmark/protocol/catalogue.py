"""What is known of every metric: one row each, which captions, tables and evaluation read.

A new metric is a row here and a function, in :mod:`benchmark.protocol.metrics` where it measures a
ranking.  The rows name their functions, so that captions do not load compiled code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmark.protocol.protocol import Protocol

#: What a metric may need: which items are relevant, the order of the items, how many labels they
#: share in that order, Hamming distances, the codes of the database, or the clock of a run.
Need = Literal["relevance", "order", "grades", "ball", "codes", "run"]


def _always(cut_off: int, n_database: int) -> bool:
    return True


def _never(cut_off: int, n_database: int) -> bool:
    return False


def _below_all(cut_off: int, n_database: int) -> bool:
    """A cut-off beyond the database repeats the metric of the whole ranking."""
    return cut_off < n_database


def _as_papers_print(cut_off: int, n_database: int) -> bool:
    return cut_off in (100, 500)


@dataclass(frozen=True)
class Metric:
    """One row: a metric, at whatever cut-off.

    Attributes
    ----------
    pattern : str
        Its name; ``{k}`` stands for the cut-off.
    words : str
        What it says, as the beginning of a sentence; ``{k}`` is the cut-off here too.
    better : {"higher", "lower", "none"}
        Tables mark the highest.  What is better when lower qualifies a method; nothing is decided
        by it.
    needs : Need
    function : str
        Its name in :mod:`benchmark.protocol.metrics`; empty where a run measures the metric.
    at : str
        The field of a protocol with the cut-offs, or the radius; empty for a metric without.
    conventions : tuple of str
        The fields of a protocol that the function takes as keywords of the same names.
    decimals : int or None
        Digits after the point; None stands for about three significant digits.
    every_query : bool
        Whether queries without a relevant item count even where ``no_relevant`` leaves them out.
    tabled : callable
        From the cut-off (0 for a metric without) and the size of the database to whether the
        metric gets a table.
    """

    pattern: str
    words: str
    better: Literal["higher", "lower", "none"]
    needs: Need
    function: str = ""
    at: str = ""
    conventions: tuple[str, ...] = ()
    decimals: int | None = 4
    every_query: bool = False
    tabled: Callable[[int, int], bool] = _always

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """What its names match; the group is the cut-off."""
        return re.compile(re.escape(self.pattern).replace(re.escape("{k}"), "([0-9]+)"))

    def named(self, protocol: Protocol) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Each name under a protocol, with the cut-off where there is one."""
        if not self.at:
            yield self.pattern, ()
            return
        cut_offs = getattr(protocol, self.at)
        for k in (cut_offs,) if isinstance(cut_offs, int) else cut_offs:
            yield self.pattern.format(k=k), (k,)


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
        tabled=_below_all,
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
        tabled=_as_papers_print,
    ),
    Metric(
        "base_rate",
        "Share of relevant items in the database: what a random ranking scores",
        "none",
        "relevance",
        function="base_rate",
        tabled=_never,
    ),
    Metric(
        "unanswerable",
        "Share of queries without a relevant item in the database, as those without labels",
        "none",
        "relevance",
        function="unanswerable",
        every_query=True,
        tabled=_never,
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
        tabled=_never,
    ),
    Metric(
        "bit_correlation",
        "Mean absolute correlation of two bits that vary (0: none, 1: copies)",
        "lower",
        "codes",
        tabled=_never,
    ),
    Metric(
        "code_entropy",
        "Entropy of the codes of the database in bits",
        "none",
        "codes",
        tabled=_never,
    ),
    Metric(
        "distinct_codes",
        "Number of different codes in the database",
        "none",
        "codes",
        decimals=0,
        tabled=_never,
    ),
    Metric(
        "bytes_per_item",
        "Bytes of a stored code",
        "lower",
        "codes",
        decimals=0,
        tabled=_never,
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
    return _needs(metric) in ("order", "grades")


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
