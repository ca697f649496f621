"""What is known of one cell: its values, its curves, and what ``--tune`` chose for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

from benchmark.protocol.evaluation import Curve
from benchmark.registry import spell_parameters


@dataclass(frozen=True)
class TunedPoint:
    """One point of a method's grid.

    Attributes
    ----------
    parameters : mapping of str to value
    mAP : float or None
        Over the whole ranking of the validation queries; None where it could not be fitted.
    seconds : float
    error : str
        Why it could not be fitted.
    """

    parameters: Mapping[str, Any]
    mAP: float | None
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Tuning:
    """All points of a grid with their values, measured on training items alone.

    Attributes
    ----------
    relevance : {"labels", "tags"}
        What made two items relevant to each other.
    n_fit, n_validation : int
        Training items that the method was fitted on, and those that were queries.
    trials : sequence of TunedPoint
        The first is the method without tuning; at least one has a value.
    """

    relevance: str
    n_fit: int
    n_validation: int
    trials: Sequence[TunedPoint]

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The parameters of the largest value, the first of them where several have it."""
        return max(self.trials, key=lambda t: -1.0 if t.mAP is None else t.mAP).parameters

    def record(self) -> dict[str, Any]:
        """As plain values, for ``run.json``."""
        return {**asdict(self), "chosen": dict(self.chosen)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """What :meth:`record` gave."""
        values = {key: value for key, value in record.items() if key != "chosen"}
        return cls(**{**values, "trials": [TunedPoint(**trial) for trial in values["trials"]]})

    def __str__(self) -> str:
        return ", ".join(spell_parameters(self.chosen.items()))


class Value(NamedTuple):
    """A metric's value with its bounds over the orders of tied items (equal where untied)."""

    value: float
    low: float
    high: float


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
        ``author-code``, ``paper``, ``adapted`` (defaults of ours) or ``reconstruction``.
    tags : str
        Which tags and word vectors it learnt from; empty for a method that uses none.
    backbone : str
        Network that was trained end to end; empty where features were learnt from.
    folder : str
        Where it is stored, below ``cells/``; empty for a cell that is not.
    tuned : Tuning or None
        How its parameters were chosen, if they were.
    metrics : mapping of str to Value
        ``mAP@5000``, ``P@r2``, ``base_rate``, also ``fit_seconds``, ``encode_us``, ``peak_mb``,
        ``load`` and what :func:`benchmark.protocol.diagnostics.diagnose` finds.
    curves : mapping of str to Curve
        ``PR`` (recall, precision) and ``P@N`` (N, precision).
    split : str
        Checksum of the items that were used; cells of one split met the same queries.
    ranked_by : str
        ``hamming``, ``scores``, or ``cosine`` of vectors that are no codes: a bound, no result.
    """

    dataset: str
    features: str
    method: str
    bits: int
    seed: int
    status: str
    reason: str = ""
    fidelity: str = "paper"
    tags: str = ""
    backbone: str = ""
    folder: str = ""
    tuned: Tuning | None = None
    metrics: Mapping[str, Value] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    split: str = ""
    ranked_by: str = "hamming"

    @property
    def is_bound(self) -> bool:
        """Whether it is beside the codes, which are compared, and not among them."""
        return self.ranked_by == "cosine"
