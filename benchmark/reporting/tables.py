"""Comparison tables as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.files import write_file
from benchmark.protocol.catalogue import describe, format_value
from benchmark.reporting.comparison import Entry, Table, comparison_table, numbers
from benchmark.reporting.latex import to_latex
from benchmark.reporting.marks import describe_separation, letter, spell_letters
from benchmark.reporting.wording import (
    BASE_RATE,
    LETTERS,
    TIE_RULES,
    describe_marks,
    describe_seeds,
    describe_test,
)
from benchmark.significance.evidence import NONE, Evidence
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, method_names

__all__ = [
    "Table",
    "comparison_table",
    "to_csv",
    "to_latex",
    "to_markdown",
    "to_text",
    "write_tables",
]

_ANSI = {1: "\x1b[1m", 2: "\x1b[4m"}
_ANSI_OFF = "\x1b[0m"
_PLAIN_MARKS = {0: "", 1: "*", 2: "+"}
# GitHub takes an underscore inside a word as it is.
_MARKDOWN_SPECIAL = re.compile(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")


def to_text(table: Table, *, colour: bool = False) -> str:
    """The table for a terminal.

    Parameters
    ----------
    table : Table
    colour : bool
        Mark entries bold and underlined; otherwise with ``*`` and ``+``.
    """
    columns = [["method", *(row.method + _plain_note(row.note) for row in table.rows)]]
    for position, bits in enumerate(table.bits):
        entries = [row.entries[position] for row in table.rows]
        columns.append([f"{bits} bits", *_text_column(table, entries, colour)])
    if table.chance is not None:
        columns[0].append(BASE_RATE)
    widths = [max(map(_visible_length, column)) for column in columns]
    lines = []
    for cells in zip(*columns, strict=True):
        padded = [c + " " * (w - _visible_length(c)) for c, w in zip(cells, widths, strict=True)]
        lines.append("  ".join(padded).rstrip())
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines.insert(1, rule)
    if table.chance is not None:
        lines.insert(-1, rule)
    caption = [table.caption]
    if table.ranked:
        names = ("Bold", "underlined") if colour else ("*", "+")
        caption.append(describe_marks(*names, tested=bool(table.tests)))
    if table.findings:
        caption.append(table.findings)
    below = [f"({number}) {text}" for number, text in table.footnotes.items()]
    below.append(" ".join(caption))
    wrapped = [textwrap.fill(text, max(len(rule), 72)) for text in below]
    return "\n".join([table.title, "", *lines, "", *wrapped]) + "\n"


def to_markdown(table: Table) -> str:
    """The table as GitHub shows it: heading, rows, footnotes, caption."""
    caption = [escape_markdown(table.caption)]
    if table.ranked:
        caption.append(_markdown_marks(tested=bool(table.tests)))
    if table.findings:
        caption.append(table.findings)
    return f"### {escape_markdown(table.title)}\n\n{_markdown_grid(table)}\n{' '.join(caption)}\n"


def to_csv(table: Table) -> str:
    """The table for a spreadsheet: full precision, no marks, footnotes in words.

    For each code length there are the columns ``12 bits`` (mean), ``12 bits deviation`` and
    ``12 bits seeds``; the column ``notes`` comes last.  Where the values of each query are known,
    ``12 bits low`` and ``12 bits high`` are the ends of the interval of the mean.  Where
    differences were tested, ``letter`` names each method and ``12 bits better than`` lists those
    that it is significantly better than.
    """
    tested = bool(table.tests)
    sure = any(entry.interval for row in table.rows for entry in row.entries)
    ends = [" low", " high"] if sure else []
    parts = ("", " deviation", " seeds", *ends, *([" better than"] if tested else []))
    head = ["method", *(["letter"] if tested else [])]
    lines = [[*head, *(f"{bits} bits{part}" for bits in table.bits for part in parts), "notes"]]
    for position, row in enumerate(table.rows):
        notes = [table.footnotes[row.note]] if row.note else []
        values: list[float | int | str | None] = [letter(position)] if tested else []
        for bits, entry in zip(table.bits, row.entries, strict=True):
            values += [entry.mean, entry.deviation, entry.n_seeds]
            values += (entry.interval or [None, None]) if sure else []
            values += [" ".join(map(letter, entry.better))] if tested else []
            if entry.note:
                notes.append(f"{bits} bits: {table.footnotes[entry.note]}")
        lines.append([row.method, *values, "; ".join(notes)])
    if table.chance is not None:
        chance = [table.chance, *[None] * (len(parts) - 1)] * len(table.bits)
        lines.append([BASE_RATE, *[None] * (len(head) - 1), *chance, ""])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def write_tables(
    cells: Sequence[CellResult],
    folder: Path,
    metrics: Sequence[str],
    *,
    ties: str = "expected",
    evidence: Mapping[str, Evidence] | None = None,
) -> Path:
    """Write ``<metric>.md``, ``.csv`` and ``.tex`` for each metric, and all of them on one page.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind, methods in the order in which to show them.
    folder : Path
        Made where it is missing.
    metrics : sequence of str
        In the order of the page.
    ties : {"expected", "index"}
        The tie rule of the protocol, for the captions.
    evidence : mapping of str to Evidence, optional
        By metric, from :func:`benchmark.significance.evidence.weigh_cells`.

    Returns
    -------
    Path
        The page, ``all.md``.
    """
    of = evidence or {}
    tables = [comparison_table(cells, m, ties=ties, evidence=of.get(m, NONE)) for m in metrics]
    folder = Path(folder)
    for table in tables:
        stem = re.sub(r"[^A-Za-z0-9@._-]", "_", table.metric)
        write_file(folder / f"{stem}.md", to_markdown(table))
        write_file(folder / f"{stem}.csv", to_csv(table))
        write_file(folder / f"{stem}.tex", to_latex(table))
    page = folder / "all.md"
    write_file(page, _page(cells, tables))
    return page


def _page(cells: Sequence[CellResult], tables: Sequence[Table]) -> str:
    """All tables of a run in Markdown; what holds for all of them is said once, at the top."""
    first = tables[0]
    counts = Counter(cell.status for cell in cells)
    states = [f"{counts[s]} {s}" for s in ("done", "skipped", "failed") if counts[s]]
    lengths = ", ".join(map(str, first.bits))
    lines = [
        f"# {escape_markdown(first.dataset)}, {escape_markdown(first.features)} features",
        "",
        f"- Methods: {len(method_names(cells))}; code lengths: {lengths} bits; "
        f"seeds: {', '.join(map(str, first.seeds))}.",
        f"- Cells: {', '.join(states)}.",
    ]
    chance = chance_level(cells)
    if chance is not None:
        lines.append(f"- Base rate, the level of a random ranking: {chance:.4f}.")
    sources = dict.fromkeys(cell.tags for cell in cells if cell.tags)
    if sources:
        lines.append(f"- Tags: {escape_markdown(' / '.join(sources))}.")
    lines += _page_tuning(cells)
    lines += [
        f"- Numbers: {describe_seeds(first.seeds)}; {TIE_RULES[first.ties]}.",
        *_page_marks(tables),
        "- A dash is a cell without a result, explained below its table.",
    ]
    for table in tables:
        lines += ["", f"## {escape_markdown(table.heading)}", ""]
        if table.heading == table.metric:
            lines += [f"{escape_markdown(describe(table.metric))}.", ""]
        if table.tests:
            lines += [describe_separation(sorted(table.tests), table.separated), ""]
        lines.append(_markdown_grid(table).rstrip("\n"))
    return "\n".join(lines) + "\n"


def _page_tuning(cells: Sequence[CellResult]) -> list[str]:
    """Which methods chose their parameters, and by what; footnotes say what they chose."""
    methods = dict.fromkeys(cell.method for cell in cells if cell.tuned)
    if not methods:
        return []
    rules = dict.fromkeys(cell.tuned.relevance for cell in cells if cell.tuned)
    return [
        f"- Tuned on {' / '.join(rules)} of a validation part of the training items, without the "
        f"queries: {escape_markdown(', '.join(methods))}; footnotes say what was chosen."
    ]


def _page_marks(tables: Sequence[Table]) -> list[str]:
    """What the marks of all tables mean."""
    if not any(table.ranked for table in tables):
        return []
    levels = {test.level for table in tables for test in table.tests.values()}
    marks = _markdown_marks(tested=bool(levels))
    return [f"- {' '.join([marks, *map(describe_test, levels)])}"]


def _text_column(table: Table, entries: Sequence[Entry], colour: bool) -> list[str]:
    """Entries of one code length, means aligned on the right, with the base rate below."""
    printed = [numbers(table, entry) for entry in entries]
    chance = [] if table.chance is None else [format_value(table.metric, table.chance)]
    width = max(map(len, [*(mean for mean, _ in printed), *chance]))
    column = []
    for entry, (mean, deviation) in zip(entries, printed, strict=True):
        marked = f"{_ANSI[entry.rank]}{mean}{_ANSI_OFF}" if colour and entry.rank else mean
        tail = f" ±{deviation}" if deviation else ""
        tail += "" if colour else _PLAIN_MARKS[entry.rank]
        column.append(" " * (width - len(mean)) + marked + tail + _plain_note(entry.note))
    return column + [text.rjust(width) for text in chance]


def _visible_length(text: str) -> int:
    return len(re.sub(r"\x1b\[\d+m", "", text))


def _plain_note(number: str) -> str:
    return f" ({number})" if number else ""


def _markdown_marks(*, tested: bool) -> str:
    marks = describe_marks("**Bold**", "<ins>underlined</ins>", tested=tested)
    return f"{marks} {LETTERS}" if tested else marks


def _markdown_grid(table: Table) -> str:
    """Rows and footnotes."""
    tested = bool(table.tests)
    head = [*([" "] if tested else []), "Method", *(f"{bits} bits" for bits in table.bits)]
    left, right = "|:---" * (1 + tested), "|---:" * len(table.bits)
    lines = [f"| {' | '.join(head)} |", f"{left}{right}|"]
    for position, row in enumerate(table.rows):
        letters = [letter(position)] if tested else []
        name = escape_markdown(row.method) + _superscript("", row.note)
        cells = [_markdown_entry(table, entry) for entry in row.entries]
        lines.append(f"| {' | '.join([*letters, name, *cells])} |")
    if table.chance is not None:
        chance = [format_value(table.metric, table.chance)] * len(table.bits)
        first = [" "] if tested else []
        lines.append(f"| {' | '.join([*first, f'*{BASE_RATE}*', *chance])} |")
    lines.append("")
    notes = [
        f"{_superscript('', key)} {escape_markdown(text)}" for key, text in table.footnotes.items()
    ]
    if notes:
        lines += ["<br>\n".join(notes), ""]
    return "\n".join(lines)


def _markdown_entry(table: Table, entry: Entry) -> str:
    mean, deviation = numbers(table, entry)
    mean = {0: mean, 1: f"**{mean}**", 2: f"<ins>{mean}</ins>"}[entry.rank]
    mean += f" ± {deviation}" if deviation else ""
    return mean + _superscript(spell_letters(entry.better), entry.note)


def _superscript(letters: str, number: str) -> str:
    """Letters of methods and, in brackets, the number of a footnote."""
    raised = " ".join(filter(None, [letters, f"({number})" if number else ""]))
    return f"<sup>{raised}</sup>" if raised else ""


def escape_markdown(text: str) -> str:
    """Text that GitHub's Markdown shows as it is."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", text)
