"""The comparison table: methods against code lengths, ranked, with every gap explained."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import ascii_lowercase

from benchmark.aggregate import (
    chance_level,
    code_lengths,
    method_names,
    over_seeds,
    value_of,
    values_of,
)
from benchmark.errors import InputError
from benchmark.store import CellResult

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


@dataclass(frozen=True)
class Entry:
    """One method at one code length.

    Attributes
    ----------
    mean : float or None
        Mean over the seeds that are there; None is shown as a dash.
    deviation : float or None
        Sample standard deviation over the seeds (divisor n - 1); None for fewer than two.
    n_seeds : int
        Number of seeds in the mean.
    rank : int
        1 for the best of its column, 2 for the second, otherwise 0.
    note : str
        Letter of its footnote, or empty.
    """

    mean: float | None
    deviation: float | None = None
    n_seeds: int = 0
    rank: int = 0
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A method, the letter of its own footnote (or empty), and an entry for each code length."""

    method: str
    entries: tuple[Entry, ...]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """One metric of one data set and feature kind, ready to be rendered.

    Attributes
    ----------
    dataset, features, metric : str
    bits : tuple of int
        Code lengths, ascending: the columns.
    rows : tuple of Row
        In the order of the cells they were made from.
    chance : float or None
        The base rate, shown as the last row; None where chance has no meaning for the metric.
    seeds : tuple of int
        All seeds of the run.
    ranked : bool
        Whether the best and the second are marked.
    ties : str
        The tie rule of the protocol, a key of ``TIE_RULES``.
    footnotes : mapping of str to str
        Letter to text.
    """

    dataset: str
    features: str
    metric: str
    bits: tuple[int, ...]
    rows: tuple[Row, ...]
    chance: float | None
    seeds: tuple[int, ...]
    ranked: bool
    ties: str = "expected"
    footnotes: Mapping[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The metric's name, or what it measures where it is a cost."""
        return COSTS.get(self.metric, self.metric)

    @property
    def title(self) -> str:
        """Metric, data set and features."""
        return f"{self.heading} on {self.dataset}, {self.features} features"

    @property
    def caption(self) -> str:
        """What is shown, on what, and how seeds and ties were averaged."""
        where = f"on {self.dataset} with {self.features} features"
        ties = f"; {TIE_RULES[self.ties]}" if has_ties(self.metric) else ""
        return f"{describe(self.metric)}, {where}; {describe_seeds(self.seeds)}{ties}."


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


def comparison_table(cells: Sequence[CellResult], metric: str, *, ties: str = "expected") -> Table:
    """Means over seeds of one metric, a row for each method and a column for each code length.

    The best entry of a column is marked, and the second; entries that print the same share a
    mark.  Costs and ``empty@r2`` are not ranked: they qualify a method and do not decide between
    methods.  Cells that were skipped or failed become dashes with a footnote.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind, methods in the order in which to show them.
    metric : str
    ties : {"expected", "index"}
        The tie rule of the protocol, for the caption.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If there are no cells, or if cells are done but none has the metric.
    """
    if not cells:
        raise InputError("no cells to tabulate: run the benchmark first")
    known = sorted({name for cell in cells if cell.status == "done" for name in cell.metrics})
    if known and metric not in known:
        raise InputError(f"no cell has the metric {metric!r}: they have {', '.join(known)}")
    seeds = tuple(sorted({cell.seed for cell in cells}))
    bits = tuple(code_lengths(cells))
    groups = over_seeds(cells)
    fidelity = {cell.method: cell.fidelity for cell in cells}
    footnotes = _Footnotes()
    rows = []
    for method in method_names(cells):
        note = ""
        if fidelity[method] == "reconstruction":
            note = footnotes.letter("reconstruction: the paper leaves parts of the method open")
        groups_of_row = [groups.get((method, b), []) for b in bits]
        entries = tuple(_entry(group, metric, seeds, footnotes) for group in groups_of_row)
        rows.append(Row(method, entries, note))
    compared = metric.startswith(("mAP@", "P@"))
    return Table(
        dataset=cells[0].dataset,
        features=cells[0].features,
        metric=metric,
        bits=bits,
        rows=_ranked(rows, metric) if compared and len(rows) > 1 else tuple(rows),
        chance=chance_level(cells) if compared else None,
        seeds=seeds,
        ranked=compared and len(rows) > 1,
        ties=ties,
        footnotes=footnotes.texts,
    )


class _Footnotes:
    """Texts by letter; the same text gets the same letter."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def letter(self, text: str) -> str:
        for letter, known in self.texts.items():
            if known == text:
                return letter
        letter = _letter(len(self.texts))
        self.texts[letter] = text
        return letter


def _letter(number: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    return (_letter(number // 26 - 1) if number >= 26 else "") + ascii_lowercase[number % 26]


def _entry(
    group: Sequence[CellResult], metric: str, seeds: Sequence[int], footnotes: _Footnotes
) -> Entry:
    values = values_of(group, metric)
    gaps = _gaps(group, metric, seeds)
    note = ""
    if gaps and not values:
        note = footnotes.letter("; ".join(gaps))
    elif gaps:
        lost = "; ".join(
            f"seed{'s' if len(which) > 1 else ''} {', '.join(map(str, which))} {why}"
            for why, which in gaps.items()
        )
        note = footnotes.letter(f"mean over {len(values)} of {len(seeds)} seeds ({lost})")
    mean = statistics.fmean(values) if values else None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Entry(mean, deviation, len(values), note=note)


def _gaps(group: Sequence[CellResult], metric: str, seeds: Sequence[int]) -> dict[str, list[int]]:
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


def _ranked(rows: Sequence[Row], metric: str) -> tuple[Row, ...]:
    """Rows with the two highest printed values of each column marked."""
    marked = []
    for column in zip(*(row.entries for row in rows), strict=True):
        printed = [None if e.mean is None else float(format_value(metric, e.mean)) for e in column]
        best = sorted({value for value in printed if value is not None}, reverse=True)[:2]
        ranks = [best.index(value) + 1 if value in best else 0 for value in printed]
        marked.append([replace(e, rank=r) for e, r in zip(column, ranks, strict=True)])
    entries = zip(*marked, strict=True)
    return tuple(replace(row, entries=e) for row, e in zip(rows, entries, strict=True))
