"""A table of a paper: what it prints, what we measure, and whether the two agree."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmark.papers.entries import Sizes
from benchmark.papers.published import PublishedRow, PublishedTable, main_parts
from benchmark.reporting.footnotes import describe_tuning
from benchmark.significance.bootstrap import Interval, bootstrap_interval
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, over_seeds, value_of
from benchmark.store.store import Store

WITHIN, BETTER, WORSE, INCOMPARABLE = "within", "better", "worse", "not comparable"
#: Share of the paper's items that may be missing, as unreadable images are.
SLACK = 0.01


@dataclass(frozen=True)
class Measured:
    """Cells of one data set that stand beside the paper's.

    Attributes
    ----------
    cells : sequence of CellResult
    variants : mapping of str to str
        Method as the table has it, to the name of our cells (which ``--set`` may have changed).
    missing : mapping of str to str
        Method as the table has it, to the reason why it was not run.
    end_to_end : frozenset of str
        Names of those of our cells whose network could be trained from the images.
    sizes : Sizes
        Of the split.
    dataset : str
    features : str
    is_paper_data : bool
        Whether it is the data set of the paper.
    from_images : bool
        Whether networks were trained from the images.
    """

    cells: Sequence[CellResult]
    variants: Mapping[str, str]
    missing: Mapping[str, str]
    end_to_end: frozenset[str]
    sizes: Sizes
    dataset: str
    features: str
    is_paper_data: bool
    from_images: bool


@dataclass(frozen=True)
class PaperEntry:
    """One method at one code length of one data set.

    Attributes
    ----------
    published : float or None
        As a fraction; None for a method that the paper does not have.
    printed : str
        The same with the digits of the paper.
    mean, deviation : float or None
        Over seeds; None for what was not measured, or for a single seed.
    n_seeds : int
    interval : Interval or None
        Of the mean, over queries and seeds.
    verdict : str
        ``within`` the interval, ``better``, ``worse``, ``not comparable``, or empty.
    notes : tuple of str
        Reasons and remarks.
    """

    published: float | None = None
    printed: str = ""
    mean: float | None = None
    deviation: float | None = None
    n_seeds: int = 0
    interval: Interval | None = None
    verdict: str = ""
    notes: tuple[str, ...] = ()

    @property
    def difference(self) -> float | None:
        """Ours less the paper's."""
        if self.mean is None or self.published is None:
            return None
        return self.mean - self.published


@dataclass(frozen=True)
class Block:
    """A data set of the table: columns for its code lengths.

    Attributes
    ----------
    title : str
        As the paper prints it.
    measured_on : str
        Our data set and features.
    metric, protocol : str
    bits : tuple of int
    chance : float or None
        Base rate of what was measured.
    """

    title: str
    measured_on: str
    metric: str
    protocol: str
    bits: tuple[int, ...]
    chance: float | None


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper in its own layout, ready to be rendered.

    Attributes
    ----------
    id, paper, caption : str
    blocks : tuple of Block
    rows : mapping of str to tuple of tuple of PaperEntry
        Label in the paper to the entries of each block.
    notes : tuple of str
        What holds for the table as a whole.
    """

    id: str
    paper: str
    caption: str
    blocks: tuple[Block, ...]
    rows: Mapping[str, tuple[tuple[PaperEntry, ...], ...]]
    notes: tuple[str, ...] = field(default=())


def paper_table(
    parts: Sequence[PublishedTable],
    measured: Mapping[str, Measured],
    others: Sequence[str],
    store: Store,
) -> PaperTable:
    """Compare what was measured with a published table.

    Parameters
    ----------
    parts : sequence of PublishedTable
        One for each data set and setting.
    measured : mapping of str to Measured
        By the source of the part.
    others : sequence of str
        Methods of our own that get a row below those of the paper.
    store : Store
        For the values of each query.
    """
    main = main_parts(parts)
    entries: dict[str, dict[str, tuple[PaperEntry, ...]]] = {}
    for part in parts:
        compared = _Comparison(part, measured[part.source], store)
        for row in part.rows:
            entries.setdefault(row.name, {})[part.dataset] = compared.row(row)
    for title, part in main.items():
        compared = _Comparison(part, measured[part.source], store)
        for variant in others:
            own = PublishedRow(name=variant, variant=variant, values={}, printed={})
            name = f"{variant} (not in the paper)"
            entries.setdefault(name, {})[title] = compared.row(own)
    blocks = tuple(_block(part, measured[part.source]) for part in main.values())
    empty = {block.title: (PaperEntry(),) * len(block.bits) for block in blocks}
    return PaperTable(
        id=parts[0].id,
        paper=parts[0].paper,
        caption=parts[0].caption,
        blocks=blocks,
        rows={
            name: tuple(of_row.get(title, empty[title]) for title in main)
            for name, of_row in entries.items()
        },
        notes=tuple(_notes(parts, [measured[part.source] for part in parts])),
    )


def _notes(parts: Sequence[PublishedTable], measured: Sequence[Measured]) -> Iterator[str]:
    """Oddities of the table, and what our tags and parameters are."""
    yield from dict.fromkeys(f"{part.dataset}: {part.note}" for part in parts if part.note)
    tags = dict.fromkeys(cell.tags for m in measured for cell in m.cells if cell.tags)
    if tags:
        yield f"Tags of ours: {' / '.join(tags)}"


def _block(part: PublishedTable, measured: Measured) -> Block:
    return Block(
        title=part.dataset,
        measured_on=f"{measured.dataset}, {measured.features} features",
        metric=part.metric,
        protocol=part.protocol,
        bits=part.bits,
        chance=chance_level(measured.cells),
    )


class _Comparison:
    """Entries of one part of a table."""

    def __init__(self, part: PublishedTable, measured: Measured, store: Store) -> None:
        self.part = part
        self.measured = measured
        self.store = store
        self.reasons = tuple(_reasons(part, measured))
        self.groups = over_seeds(measured.cells)

    def row(self, row: PublishedRow) -> tuple[PaperEntry, ...]:
        """An entry for each code length."""
        return tuple(self._entry(row, bits) for bits in self.part.bits)

    def _entry(self, row: PublishedRow, bits: int) -> PaperEntry:
        published, printed = row.values.get(bits), row.printed.get(bits, "")
        remarks = tuple(filter(None, (row.note, row.notes.get(bits, ""))))
        if not row.variant or row.variant in self.measured.missing:
            why = self.measured.missing.get(row.variant, "not measured by this benchmark")
            return PaperEntry(published, printed, notes=(why, *remarks))
        name = self.measured.variants[row.variant]
        group = self.groups.get((name, bits), [])
        done = [cell for cell in group if value_of(cell, self.part.metric) is not None]
        gaps = tuple(dict.fromkeys(_gap(cell) for cell in group if cell not in done))
        if not done:
            return PaperEntry(published, printed, notes=(*gaps, *remarks))
        values = [value_of(cell, self.part.metric) for cell in done]
        mean, interval = statistics.fmean(values), self._interval(done)
        reasons = (*self._row_reasons(row, done[0]), *self.reasons)
        if published is None:
            verdict, reasons = "", ()
        elif reasons:
            verdict = INCOMPARABLE
        elif interval.low <= published <= interval.high:
            verdict = WITHIN
        else:
            verdict = BETTER if mean > published else WORSE
        return PaperEntry(
            published,
            printed,
            mean,
            statistics.stdev(values) if len(values) > 1 else None,
            len(values),
            interval,
            verdict,
            (*reasons, *gaps, *filter(None, [describe_tuning(done)]), *remarks),
        )

    def _interval(self, cells: Sequence[CellResult]) -> Interval:
        stored = (self.store.per_query(cell.folder) for cell in cells)
        values = np.stack([of_query[self.part.metric] for of_query in stored])
        return bootstrap_interval(values)

    def _row_reasons(self, row: PublishedRow, cell: CellResult) -> list[str]:
        """Why this method's numbers are no check of the paper's."""
        found = []
        if row.incomparable:
            found.append(row.incomparable)
        if cell.fidelity == "reconstruction":
            found.append("a reconstruction: the formulas of the paper are not known")
        if cell.method != row.variant:
            found.append(f"run as {cell.method}")
        if cell.method in self.measured.end_to_end and not self.measured.from_images:
            found.append("trained on fixed features; the paper trains the network end to end")
        return found


def _gap(cell: CellResult) -> str:
    reason = " ".join(cell.reason.split())
    return f"{cell.status}: {reason}" if reason else cell.status


def _reasons(part: PublishedTable, measured: Measured) -> list[str]:
    """Why no number of a data set is a check of the paper's."""
    if not measured.is_paper_data:
        where = f"measured on {measured.dataset}, {measured.features} features"
        return [f"{where}, and not in {part.about}" if part.about else where]
    found = []
    if measured.features != part.features:
        found.append(f"{measured.features} features instead of {part.features}")
    # A split size that is not known is no mismatch.
    ours, theirs = measured.sizes, part.sizes
    if theirs and any(
        not (1 - SLACK) * b <= a <= b
        for a, b in ((ours.query, theirs.query), (ours.train, theirs.train))
    ):
        found.append(
            f"{part.dataset} with {_spelt(ours)} instead of {_spelt(theirs)}",
        )
    return found


def _spelt(sizes: Sizes) -> str:
    return f"{sizes.train:,} training and {sizes.query:,} query items"
