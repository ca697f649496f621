"""What a row of the catalogue says of a metric."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmark.protocol.protocol import Protocol

#: What a metric may need: which items are relevant, the order of the items, how many labels they
#: share in that order, the nearest items in that order, Hamming distances, the codes of the
#: database, or the clock of a run.
Need = Literal["relevance", "order", "grades", "neighbours", "ball", "codes", "run"]


def always(cut_off: int, n_database: int) -> bool:
    return True


def never(cut_off: int, n_database: int) -> bool:
    return False


def below_all(cut_off: int, n_database: int) -> bool:
    """A cut-off beyond the database repeats the metric of the whole ranking."""
    return cut_off < n_database


def as_papers_print(cut_off: int, n_database: int) -> bool:
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
    tabled: Callable[[int, int], bool] = always

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
