"""Cells on disk: one folder each, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


class Measure(NamedTuple):
    """A metric's value with its bounds over the orders of tied items (equal where untied)."""

    value: float
    low: float
    high: float


class Curve(NamedTuple):
    """A curve averaged over queries: ``x`` (recall levels, or N) and ``y`` (precision)."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class CellResult:
    """What is known of one cell: a method variant at one code length and seed on one data set.

    Attributes
    ----------
    dataset, features : str
    method : str
        Canonical variant, for instance ``itq`` or ``wdht[aggregation=tf]``.
    bits, seed : int
    status : str
        ``done``, ``skipped`` or ``failed``.
    reason : str
        Why it was skipped, or the error's last line.
    fidelity : str
        ``author-code``, ``paper`` or ``reconstruction``.
    metrics : mapping of str to Measure
        ``mAP@5000``, ``P@r2``, ``base_rate``, also ``fit_seconds``, ``encode_us``, ``peak_mb``.
    curves : mapping of str to Curve
        ``PR`` (recall, precision) and ``P@N`` (N, precision).
    """

    dataset: str
    features: str
    method: str
    bits: int
    seed: int
    status: str
    reason: str = ""
    fidelity: str = "paper"
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
