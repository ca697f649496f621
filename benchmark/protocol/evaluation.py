"""What an evaluation gives: values, bounds, per-query values and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from benchmark.protocol.hamming import Profile


class Bounds(NamedTuple):
    """Mean over queries of the smallest and the largest value over the orders of tied items."""

    low: float
    high: float


class Curve(NamedTuple):
    """A curve averaged over queries: ``x`` (recall levels, N or radii) and ``y``."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Evaluation(Mapping):
    """Metric name to value, with bounds, per-query values and curves.

    Attributes
    ----------
    means : dict of str to float
        Over the queries that the protocol counts; NaN where it leaves every query out.
    bounds : dict of str to Bounds
    per_query : dict of str to (q,) array of float64
        NaN where the protocol leaves a query out.
    reasons : dict of str to str
        Why a mean is NaN.
    curves : dict of str to Curve
        ``PR`` and ``P@N``; by Hamming radius also ``P@r``, ``recall@r`` and ``success@r``, the
        share of queries whose ball holds an item.
    profile : Profile or None
        Items and relevant items at every Hamming distance; None for a ranking by score.
    """

    means: dict[str, float] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    per_query: dict[str, np.ndarray] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    profile: Profile | None = None

    def __getitem__(self, name: str) -> float:
        return self.means[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.means)

    def __len__(self) -> int:
        return len(self.means)
