"""What ``--tune`` tried and chose for one cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from benchmark.registry import spell_parameters

if TYPE_CHECKING:
    from benchmark.store import CellResult


@dataclass(frozen=True)
class Trial:
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
    trials : sequence of Trial
        The first is the method without tuning; at least one has a value.
    """

    relevance: str
    n_fit: int
    n_validation: int
    trials: Sequence[Trial]

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The parameters of the largest value, the first of them where several have it."""
        measured = [trial for trial in self.trials if trial.mAP is not None]
        return max(measured, key=lambda trial: trial.mAP).parameters

    def record(self) -> dict[str, Any]:
        """As plain values, for ``run.json``."""
        return {**asdict(self), "chosen": dict(self.chosen)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """What :meth:`record` gave."""
        values = {key: value for key, value in record.items() if key != "chosen"}
        return cls(**{**values, "trials": [Trial(**trial) for trial in values["trials"]]})

    def __str__(self) -> str:
        return ", ".join(spell_parameters(self.chosen.items()))


def describe_tuning(cells: Sequence[CellResult]) -> str:
    """What was chosen in the cells of one method, as a footnote; empty if nothing was."""
    tuned = sorted((c for c in cells if c.tuned), key=lambda cell: (cell.bits, cell.seed))
    if not tuned:
        return ""
    seeds: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for cell in tuned:
        seeds[cell.bits][str(cell.tuned)].append(cell.seed)
    places: dict[str, list[str]] = defaultdict(list)
    for bits, choices in seeds.items():
        for choice, its in choices.items():
            which = f" (seed{'s' if len(its) > 1 else ''} {', '.join(map(str, its))})"
            places[choice].append(f"{bits}{which if len(choices) > 1 else ''}")
    chosen = "; ".join(f"{choice} at {', '.join(where)} bits" for choice, where in places.items())
    return f"tuned on {tuned[0].tuned.relevance} of a validation part: {chosen}"
