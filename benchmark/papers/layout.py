"""Tables of papers, ours beside theirs, as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.files import write_file
from benchmark.papers.table import INCOMPARABLE, Block, PaperEntry, PaperTable
from benchmark.protocol.catalogue import describe
from benchmark.reporting.latex import escape_latex
from benchmark.reporting.tables import escape_markdown
from benchmark.reporting.wording import DASH
from benchmark.significance.bootstrap import CONFIDENCE, RESAMPLES

#: What stands for "not comparable" where there is little room.
SHORT = "n/c"
#: What the lines of an entry are called, in their order.
LINES = ("paper", "difference", "interval", "verdict")
#: Columns of the CSV file.
COLUMNS = (
    *("table", "dataset", "measured_on", "row", "bits", "metric", "mean", "deviation", "seeds"),
    *("low", "high", "published", "difference", "verdict", "notes"),
)


@dataclass(frozen=True)
class _Printed:
    """An entry in print: five strings, and the numbers of its footnotes."""

    ours: str
    paper: str
    difference: str
    interval: str
    verdict: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Row:
    name: str
    numbers: tuple[int, ...]
    blocks: tuple[tuple[_Printed, ...], ...]


def to_text(table: PaperTable, width: int | None = None) -> str:
    """The table for a terminal; data sets stand side by side where `width` has room for them."""
    rows, footnotes = _printed(table)
    grid = _text_grid(table.blocks, rows)
    if width is not None and max(map(len, grid)) > width:
        grids = []
        for k, block in enumerate(table.blocks):
            part = [_Row(row.name, row.numbers, (row.blocks[k],)) for row in rows]
            part = [row for row in part if any(e.paper or e.ours != DASH for e in row.blocks[0])]
            grids += [*_text_grid([block], part), ""]
        grid = grids[:-1]
    below = [f"({number}) {text}" for number, text in footnotes.items()]
    below.append(f"{_caption(table)} {SHORT}: {INCOMPARABLE}, for the reason in a footnote.")
    wrapped = [textwrap.fill(text, min(100, width or 100)) for text in below]
    return "\n".join([_title(table), "", *grid, "", *wrapped]) + "\n"


def to_markdown(table: PaperTable) -> str:
    """The table as GitHub shows it: each entry has up to five lines."""
    rows, footnotes = _printed(table)
    head = ["Method", *(f"{b.title}<br>{bits} bits" for b in table.blocks for bits in b.bits)]
    lines = [f"| {' | '.join(head)} |", "|:---" + "|---:" * (len(head) - 1) + "|"]
    for row in rows:
        cells = [_markdown_entry(entry) for block in row.blocks for entry in block]
        name = escape_markdown(row.name) + _raised(row.numbers)
        lines.append(f"| {' | '.join([name, *cells])} |")
    notes = [f"{_raised((k,))} {escape_markdown(text)}" for k, text in footnotes.items()]
    parts = [f"# {escape_markdown(_title(table))}", "\n".join(lines)]
    if notes:
        parts.append("<br>\n".join(notes))
    parts.append(escape_markdown(_caption(table)))
    return "\n\n".join(parts) + "\n"


def to_csv(table: PaperTable) -> str:
    """The table for a spreadsheet, long: a line for each entry, full precision, notes in words."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, of_row in table.rows.items():
        for block, entries in zip(table.blocks, of_row, strict=True):
            for bits, e in zip(block.bits, entries, strict=True):
                if e == PaperEntry():
                    continue
                low, high = e.interval or (None, None)
                place = (table.id, block.title, block.measured_on, name, bits, block.metric)
                numbers = (e.mean, e.deviation, e.n_seeds, low, high, e.published, e.difference)
                writer.writerow([*place, *numbers, e.verdict, "; ".join(e.notes)])
    return stream.getvalue()


def to_latex(table: PaperTable) -> str:
    r"""The table as a float over both columns; needs ``\usepackage{booktabs,graphicx}``."""
    rows, footnotes = _printed(table)
    spans, rules, start = [], [], 2
    for block in table.blocks:
        end = start + len(block.bits) - 1
        spans.append(rf"\multicolumn{{{len(block.bits)}}}{{c}}{{{escape_latex(block.title)}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{end}}}")
        start = end + 1
    head = ["Method", *(f"{bits} bits" for block in table.blocks for bits in block.bits)]
    lines = [
        r"% Needs \usepackage{booktabs,graphicx}.",
        r"\begin{table*}[htbp]",
        r"\centering",
        rf"\caption{{{escape_latex(f'{_title(table)}. {_caption(table)}')}}}",
        rf"\label{{tab:paper-{table.id}}}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        f" & {' & '.join(spans)} \\\\",
        "".join(rules),
        rf"{' & '.join(head)} \\",
    ]
    for row in rows:
        lines += [r"\midrule", *_latex_row(row)]
    lines += [r"\bottomrule", r"\end{tabular}}"]
    if footnotes:
        notes = [rf"\textsuperscript{{({k})}}~{escape_latex(t)}" for k, t in footnotes.items()]
        lines += [r"\par\smallskip", r"\begin{minipage}{\textwidth}\footnotesize"]
        lines += ["\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table*}"]) + "\n"


def write_paper_table(table: PaperTable, folder: Path) -> Path:
    """Write ``paper-<id>.md``, ``.txt`` (for the page), ``.csv`` and ``.tex``; return the first."""
    page = Path(folder) / f"paper-{table.id}.md"
    write_file(page, to_markdown(table))
    write_file(page.with_suffix(".txt"), to_text(table))
    write_file(page.with_suffix(".csv"), to_csv(table))
    write_file(page.with_suffix(".tex"), to_latex(table))
    return page


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


def _printed(table: PaperTable) -> tuple[list[_Row], dict[int, str]]:
    """Rows in print, and the footnotes by number, in the order in which they are met."""
    number_of: dict[str, int] = {}

    def numbered(notes: Sequence[str]) -> tuple[int, ...]:
        return tuple(sorted(number_of.setdefault(note, len(number_of) + 1) for note in notes))

    rows = []
    for name, blocks in table.rows.items():
        there = [entry for block in blocks for entry in block if entry != PaperEntry()]
        common = [n for n in there[0].notes if all(n in e.notes for e in there)] if there else []
        numbers = numbered(common)
        printed = tuple(
            tuple(_in_print(e, numbered([n for n in e.notes if n not in common])) for e in block)
            for block in blocks
        )
        rows.append(_Row(name, numbers, printed))
    return rows, {number: note for note, number in number_of.items()}


def _in_print(entry: PaperEntry, numbers: tuple[int, ...]) -> _Printed:
    ours = DASH
    if entry.mean is not None:
        deviation = "" if entry.deviation is None else f" ±{entry.deviation:.4f}"
        ours = f"{entry.mean:.4f}{deviation}"
    return _Printed(
        ours=ours,
        paper=entry.printed,
        difference="" if entry.difference is None else f"{entry.difference:+.4f}",
        interval="" if entry.interval is None else "{:.3f}-{:.3f}".format(*entry.interval),
        verdict=entry.verdict,
        numbers=numbers,
    )


def _text_grid(blocks: Sequence[Block], rows: Sequence[_Row]) -> list[str]:
    """Lines of equal meaning below each other, a heading of two lines above them."""
    columns = [["method", *(text for row in rows for text in _text_names(row))]]
    for k, block in enumerate(blocks):
        for position, bits in enumerate(block.bits):
            entries = (row.blocks[k][position] for row in rows)
            lines = (line for entry in entries for line in _text_lines(entry))
            columns.append([f"{bits} bits", *lines])
    widths = [max(map(len, column)) for column in columns]
    heading = [" " * widths[0]]
    start = 1
    for block in blocks:
        end = start + len(block.bits)
        # A title stands over all columns of its data set.
        widths[end - 1] += max(0, len(block.title) - sum(widths[start:end]) - 2 * (end - start - 1))
        heading.append(block.title.ljust(sum(widths[start:end]) + 2 * (end - start - 1)))
        start = end
    lines = [
        "  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)).rstrip()
        for line in zip(*(column for column in columns), strict=True)
    ]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return ["  ".join(heading).rstrip(), lines[0], rule, *lines[1:]]


def _text_names(row: _Row) -> list[str]:
    return [row.name + _bracketed(row.numbers), *(f"  {line}" for line in LINES)]


def _text_lines(entry: _Printed) -> list[str]:
    verdict = SHORT if entry.verdict == INCOMPARABLE else entry.verdict
    last = (verdict + _bracketed(entry.numbers)).strip()
    return [entry.ours, entry.paper, entry.difference, entry.interval, last]


def _bracketed(numbers: Sequence[int]) -> str:
    return f" ({','.join(map(str, numbers))})" if numbers else ""


def _markdown_entry(entry: _Printed) -> str:
    mark = _raised(entry.numbers)
    lines = [f"**{entry.ours}**" if entry.ours != DASH else DASH]
    if entry.paper:
        difference = f" ({entry.difference})" if entry.difference else ""
        lines.append(f"paper {entry.paper}{difference}")
    lines += [text for text in (entry.interval, entry.verdict) if text]
    return "<br>".join(lines) + mark


def _raised(numbers: Sequence[int]) -> str:
    return f"<sup>({','.join(map(str, numbers))})</sup>" if numbers else ""


def _latex_row(row: _Row) -> list[str]:
    """Five lines; the first holds ours."""
    entries = [entry for block in row.blocks for entry in block]
    lines = [[entry.ours for entry in entries]]
    lines += [[getattr(entry, line) for entry in entries] for line in LINES]
    marks = [_latex_mark(entry.numbers) for entry in entries]
    names = [escape_latex(row.name) + _latex_mark(row.numbers)]
    names += [rf"\quad {line}" for line in LINES]
    found = []
    for name, texts in zip(names, lines, strict=True):
        cells = [escape_latex(text) for text in texts]
        if texts is lines[-1]:
            cells = [cell + mark for cell, mark in zip(cells, marks, strict=True)]
        found.append(f"{' & '.join([name, *cells])} \\\\")
    return found


def _latex_mark(numbers: Sequence[int]) -> str:
    return rf"\textsuperscript{{({','.join(map(str, numbers))})}}" if numbers else ""
