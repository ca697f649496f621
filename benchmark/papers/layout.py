"""Tables of papers in print, ours beside theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmark.papers.table import INCOMPARABLE, PaperEntry, PaperTable
from benchmark.protocol.catalogue import describe
from benchmark.reporting.grid import Column, Grid, GridCell, GridRow
from benchmark.reporting.wording import DASH
from benchmark.significance.bootstrap import CONFIDENCE, RESAMPLES

#: What stands for "not comparable" where there is little room.
SHORT = "n/c"
#: What the lines of an entry below our number are called, in their order.
LINES = ("paper", "difference", "interval", "verdict")
#: Columns of the CSV file.
COLUMNS = (
    *("table", "dataset", "measured_on", "row", "bits", "metric", "mean", "deviation", "seeds"),
    *("low", "high", "published", "difference", "verdict", "notes"),
)


def paper_grid(table: PaperTable) -> Grid:
    """The table in print: five lines for each method, columns in groups by data set."""
    numbered = _Numbers()
    columns = [Column("Method", right=False)]
    for block in table.blocks:
        columns += [Column(f"{bits} bits", block.title) for bits in block.bits]
    return Grid(
        _title(table),
        tuple(columns),
        tuple(_row(name, blocks, numbered) for name, blocks in table.rows.items()),
        footnotes={number: note for note, number in numbered.of.items()},
        caption=f"{_caption(table)} {SHORT}: {INCOMPARABLE}, for the reason in a footnote.",
        data=tuple(_data(table)),
    )


class _Numbers:
    """Numbers of footnotes, in the order in which they are met."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __call__(self, notes: Sequence[str]) -> tuple[str, ...]:
        found = [self.of.setdefault(note, str(len(self.of) + 1)) for note in notes]
        return tuple(sorted(found, key=int))


def _row(name: str, blocks: Sequence[Sequence[PaperEntry]], numbered: _Numbers) -> GridRow:
    """What holds for all entries of a method is said beside its name."""
    entries = [entry for block in blocks for entry in block]
    there = [entry for entry in entries if entry != PaperEntry()]
    common = [n for n in there[0].notes if all(n in e.notes for e in there)] if there else []
    head = GridCell((name, *(f"  {line}" for line in LINES)), notes=numbered(common))
    return GridRow((head, *(_cell(entry, common, numbered) for entry in entries)))


def _cell(entry: PaperEntry, common: Sequence[str], numbered: _Numbers) -> GridCell:
    ours = DASH if entry.mean is None else f"{entry.mean:.4f}"
    deviation = "" if entry.deviation is None else f" ±{entry.deviation:.4f}"
    return GridCell(
        (
            ours + deviation,
            entry.printed,
            "" if entry.difference is None else f"{entry.difference:+.4f}",
            "" if entry.interval is None else "{:.3f}-{:.3f}".format(*entry.interval),
            SHORT if entry.verdict == INCOMPARABLE else entry.verdict,
        ),
        notes=numbered([note for note in entry.notes if note not in common]),
    )


def _data(table: PaperTable) -> Iterator[tuple[object, ...]]:
    """Long: a line for each entry, full precision, notes in words."""
    yield COLUMNS
    for name, of_row in table.rows.items():
        for block, entries in zip(table.blocks, of_row, strict=True):
            for bits, e in zip(block.bits, entries, strict=True):
                if e == PaperEntry():
                    continue
                low, high = e.interval or (None, None)
                place = (table.id, block.title, block.measured_on, name, bits, block.metric)
                numbers = (e.mean, e.deviation, e.n_seeds, low, high, e.published, e.difference)
                yield (*place, *numbers, e.verdict, "; ".join(e.notes))


def _title(table: PaperTable) -> str:
    return f"{table.paper}: {table.caption}"


def _caption(table: PaperTable) -> str:
    measured = "; ".join(
        f"{b.title} on {b.measured_on}"
        + ("" if b.chance is None else f", base rate {b.chance:.4f}")
        for b in table.blocks
    )
    metrics = dict.fromkeys(f"{describe(b.metric)}, protocol {b.protocol}" for b in table.blocks)
    return (
        f"{' / '.join(metrics)}. Ours: mean ± sample standard "
        f"deviation over seeds; interval: {CONFIDENCE:.0%} bootstrap over queries and seeds "
        f"({RESAMPLES:,} resamples). Verdict: the paper's number lies within our interval, or ours "
        "is better or worse by more than that; the paper gives no deviation of its own. Measured: "
        f"{measured}. {' '.join(f'{note}.' for note in table.notes)}"
    ).rstrip()
