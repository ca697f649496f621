"""What a table says below itself: of methods, and of cells without a result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from benchmark.protocol.catalogue import is_of_ball
from benchmark.reporting.method import Method
from benchmark.store.record import CellResult
from benchmark.store.seeds import value_of


class Footnotes:
    """Texts by number; the same text gets the same number."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def number(self, text: str) -> str:
        for number, known in self.texts.items():
            if known == text:
                return number
        number = str(len(self.texts) + 1)
        self.texts[number] = text
        return number


def note_on_method(cells: Sequence[CellResult], about: Method, footnotes: Footnotes) -> str:
    """The number of a footnote on all cells of a method; empty if there is nothing to say."""
    notes = []
    if about.by_score:
        notes.append("asymmetric search: a quantiser, ranked by look-up tables of the query")
    if about.rebuilt:
        notes.append("reconstruction: the paper leaves parts of the method open")
    if cells[0].fidelity == "adapted":
        notes.append("adapted: defaults of ours; presets hold the authors' settings")
    if cells[0].backbone:
        notes.append(f"trained end to end, from a pretrained {cells[0].backbone}")
    if tuning := describe_tuning(cells):
        notes.append(tuning)
    return footnotes.number("; ".join(notes)) if notes else ""


def gaps_of(group: Sequence[CellResult], metric: str, seeds: Sequence[int]) -> dict[str, list[int]]:
    """Seeds without a value, by the reason for it."""
    by_seed = {cell.seed: cell for cell in group}
    gaps: dict[str, list[int]] = {}
    for seed in seeds:
        cell = by_seed.get(seed)
        if cell is None:
            why = "not run"
        elif cell.status != "done":
            reason = " ".join(cell.reason.split())
            why = f"{cell.status}: {reason}" if reason else cell.status
        elif metric not in cell.metrics and is_of_ball(metric):
            why = "ranked by score: no Hamming radius"
        elif value_of(cell, metric) is None:
            why = "not measured"
        else:
            continue
        gaps.setdefault(why, []).append(seed)
    return gaps


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
