"""The numbers that papers print, each table with the data set, protocol and methods it is about.

The CSV files below ``results/published/`` hold them as printed.  Nothing is corrected here: what
looks wrong carries a note from ``notes.csv``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.errors import InputError
from benchmark.papers.entries import Sizes, TableEntry, TablePart
from benchmark.papers.index import PaperIndex, read_index
from benchmark.papers.printed import Note, PrintedValue, read_notes, read_values
from benchmark.protocol.protocol import find_protocol


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table.

    Attributes
    ----------
    name : str
        As the paper prints it.
    variant : str
        Our method as the command takes it, ``wdht[aggregation=tf]``; empty if it has none.
    values : mapping of int to float
        Bits to the value, as a fraction.
    printed : mapping of int to str
        Bits to the value with the digits of the paper, as a fraction: ``0.4550`` for 45.50 %.
    notes : mapping of int to str
        Bits to what is odd about the entry.
    note : str
        What is odd about the row.
    incomparable : str
        Why our number cannot be compared with it, or empty.
    """

    name: str
    variant: str
    values: Mapping[int, float]
    printed: Mapping[int, str]
    notes: Mapping[int, str] = field(default_factory=dict)
    note: str = ""
    incomparable: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One data set of a published table, in one setting.

    Attributes
    ----------
    id : str
        What ``--table`` takes.
    paper, caption : str
    metric : str
        Ours: ``mAP@5000``.
    protocol : str
        Preset of :mod:`benchmark.protocol.protocol` that imitates the paper.
    features : str
        The network whose features (or, end to end, weights) the paper starts from.
    dataset : str
        As the paper prints it.
    source : str
        The same data and split as ``--dataset`` takes it.
    sizes : Sizes or None
        Of the paper's split; None if they are not known.
    about : str
        What is special about the setting, or empty.
    bits : tuple of int
    rows : tuple of PublishedRow
        In the order of the paper.
    note : str
        What is odd about the table, or empty.
    """

    id: str
    paper: str
    caption: str
    metric: str
    protocol: str
    features: str
    dataset: str
    source: str
    sizes: Sizes | None
    about: str
    bits: tuple[int, ...]
    rows: tuple[PublishedRow, ...]
    note: str = ""

    @property
    def variants(self) -> tuple[str, ...]:
        """Our methods, in the order of the rows that have one."""
        return tuple(row.variant for row in self.rows if row.variant)

    def row(self, variant: str) -> PublishedRow:
        """The row of one of our methods."""
        return next(row for row in self.rows if row.variant == variant)


def published_tables(table_id: str, index: PaperIndex | None = None) -> tuple[PublishedTable, ...]:
    """A published table, one for each data set and setting in it.

    Parameters
    ----------
    table_id : str
    index : PaperIndex, optional
        Where to look it up; by default in the published numbers that hashbench comes with.

    Raises
    ------
    InputError
        If there is no such table, or its files are missing or contradict its description.
    """
    index = index or read_index()
    entry = index.find_table(table_id)
    values = read_values(index.folder / entry.file)
    notes = [note for note in read_notes(index.folder / "notes.csv") if note.table == table_id]
    parts = tuple(_part(entry, part, values, notes) for part in entry.parts)
    _check_notes(notes, parts)
    return parts


def main_parts(parts: Sequence[PublishedTable]) -> dict[str, PublishedTable]:
    """The first part of each data set, by its name in the paper.

    Later parts of a data set are in a setting of their own, as starred rows are.
    """
    main: dict[str, PublishedTable] = {}
    for part in parts:
        main.setdefault(part.dataset, part)
    return main


def _part(
    entry: TableEntry, part: TablePart, values: Sequence[PrintedValue], notes: Sequence[Note]
) -> PublishedTable:
    own = [v for v in values if (v.dataset, v.setting) == (part.dataset, part.setting)]
    where = f"table {entry.id}: {entry.file}, {part.dataset} in the setting {part.setting!r}"
    if not own:
        raise InputError(f"{where}: there is no line; see its parts in tables.toml")
    metrics = sorted({value.metric for value in own})
    known = find_protocol(part.protocol).map_names
    wrong = [m for m in metrics if m.startswith("mAP") and m not in known]
    if len(metrics) > 1 or wrong:
        raise InputError(
            f"{where}: all lines need one metric of the protocol {part.protocol} "
            f"({', '.join(known)}), not {', '.join(metrics)}"
        )
    names = list(dict.fromkeys(value.row for value in own))
    for name in names:
        if name not in entry.methods:
            raise InputError(f"{where}: the methods of the paper do not say what {name!r} is")
    return PublishedTable(
        id=entry.id,
        paper=entry.name,
        caption=entry.caption,
        metric=metrics[0],
        protocol=part.protocol,
        features=part.features,
        dataset=part.dataset,
        source=part.source,
        sizes=part.sizes,
        about=part.about,
        bits=tuple(sorted({value.bits for value in own})),
        rows=tuple(
            _row(entry.methods[name], [v for v in own if v.row == name], notes) for name in names
        ),
        note=_find_note(notes, "remark", part.dataset),
    )


def _row(variant: str, values: Sequence[PrintedValue], notes: Sequence[Note]) -> PublishedRow:
    dataset, name = values[0].dataset, values[0].row
    odd = {v.bits: _find_note(notes, "remark", dataset, name, v.bits) for v in values}
    reasons = (
        _find_note(notes, "incomparable", dataset),
        _find_note(notes, "incomparable", dataset, name),
    )
    return PublishedRow(
        name=name,
        variant=variant,
        values={v.bits: float(v.fraction) for v in values},
        printed={v.bits: str(v.fraction) for v in values},
        notes={bits: note for bits, note in odd.items() if note},
        note=_find_note(notes, "remark", dataset, name),
        incomparable="; ".join(filter(None, reasons)),
    )


def _find_note(
    notes: Sequence[Note], kind: str, dataset: str, row: str = "", bits: int | None = None
) -> str:
    about = (kind, dataset, row, bits)
    return "; ".join(n.text for n in notes if (n.kind, n.dataset, n.row, n.bits) == about)


def _check_notes(notes: Sequence[Note], parts: Sequence[PublishedTable]) -> None:
    """Every note of a table is about something in it."""
    known = {(part.dataset, "", None) for part in parts}
    for part in parts:
        for row in part.rows:
            known |= {(part.dataset, row.name, bits) for bits in (None, *row.values)}
    for note in notes:
        if (note.dataset, note.row, note.bits) not in known:
            where = f"notes.csv, line {note.line}"
            raise InputError(f"{where}: table {parts[0].id} has no such data set, row or bits")
