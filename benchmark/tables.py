"""Comparison tables as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmark.aggregate import chance_level, method_names, write_file
from benchmark.comparison import (
    TIE_RULES,
    Entry,
    Table,
    comparison_table,
    describe,
    describe_seeds,
    format_value,
)
from benchmark.store import CellResult

__all__ = [
    "Table",
    "comparison_table",
    "to_csv",
    "to_latex",
    "to_markdown",
    "to_text",
    "write_tables",
]

BASE_RATE = "base rate"
DASH = "–"
_ANSI = {1: "\x1b[1m", 2: "\x1b[4m"}
_ANSI_OFF = "\x1b[0m"
_PLAIN_MARKS = {0: "", 1: "*", 2: "+"}
_MARKDOWN_MARKS = "**Best** and <ins>second</ins> of each code length are marked."
# GitHub takes an underscore inside a word as it is.
_MARKDOWN_SPECIAL = re.compile(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")
_LATEX_MARKS = r" \textbf{Best} and \underline{second} of each code length are marked."
_LATEX_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        "±": r"$\pm$",
        "–": "--",
        # After the end of a row, LaTeX would take a bracket for the length of a gap.
        "[": "{[}",
        "]": "{]}",
    }
)


def to_text(table: Table, *, colour: bool = False) -> str:
    """The table for a terminal.

    Parameters
    ----------
    table : Table
    colour : bool
        Mark the best bold and the second underlined; otherwise with ``*`` and ``+``.
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
    marks = "Bold: best; underlined: second." if colour else "*: best; +: second."
    caption = f"{table.caption} {marks}" if table.ranked else table.caption
    below = [f"({letter}) {text}" for letter, text in table.footnotes.items()] + [caption]
    wrapped = [textwrap.fill(text, max(len(rule), 72)) for text in below]
    return "\n".join([table.title, "", *lines, "", *wrapped]) + "\n"


def to_markdown(table: Table) -> str:
    """The table as GitHub shows it: heading, rows, footnotes, caption."""
    caption = _markdown(table.caption) + (f" {_MARKDOWN_MARKS}" if table.ranked else "")
    return f"### {_markdown(table.title)}\n\n{_markdown_grid(table)}\n{caption}\n"


def to_csv(table: Table) -> str:
    """The table for a spreadsheet: full precision, no marks, footnotes in words.

    For each code length there are the columns ``12 bits`` (mean), ``12 bits deviation`` and
    ``12 bits seeds``; the column ``notes`` comes last.
    """
    parts = ("", " deviation", " seeds")
    lines = [["method", *(f"{bits} bits{part}" for bits in table.bits for part in parts), "notes"]]
    for row in table.rows:
        notes = [table.footnotes[row.note]] if row.note else []
        numbers: list[float | int | None] = []
        for bits, entry in zip(table.bits, row.entries, strict=True):
            numbers += [entry.mean, entry.deviation, entry.n_seeds]
            if entry.note:
                notes.append(f"{bits} bits: {table.footnotes[entry.note]}")
        lines.append([row.method, *numbers, "; ".join(notes)])
    if table.chance is not None:
        lines.append([BASE_RATE, *[table.chance, None, None] * len(table.bits), ""])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def to_latex(table: Table) -> str:
    r"""The table as a float for a paper; the document needs ``\usepackage{booktabs}``."""
    head = " & ".join(["Method", *(f"{bits} bits" for bits in table.bits)])
    lines = [
        r"% Needs \usepackage{booktabs}.",
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_latex(table.caption)}{_LATEX_MARKS if table.ranked else ''}}}",
        rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', table.title.lower())}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table.bits)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    for row in table.rows:
        name = _latex(row.method) + _latex_note(row.note)
        cells = [_latex_entry(table, entry) for entry in row.entries]
        lines.append(" & ".join([name, *cells]) + r" \\")
    if table.chance is not None:
        chance = [format_value(table.metric, table.chance)] * len(table.bits)
        lines += [r"\midrule", " & ".join([BASE_RATE, *chance]) + r" \\"]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.footnotes:
        notes = [f"{_latex_note(key)}~{_latex(text)}" for key, text in table.footnotes.items()]
        lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize"]
        lines += ["\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def write_tables(
    cells: Sequence[CellResult], folder: Path, metrics: Sequence[str], *, ties: str = "expected"
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

    Returns
    -------
    Path
        The page, ``all.md``.
    """
    tables = [comparison_table(cells, metric, ties=ties) for metric in metrics]
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
        f"# {_markdown(first.dataset)}, {_markdown(first.features)} features",
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
        lines.append(f"- Tags: {_markdown(' / '.join(sources))}.")
    lines += [
        f"- Numbers: {describe_seeds(first.seeds)}; {TIE_RULES[first.ties]}.",
        *([f"- {_MARKDOWN_MARKS}"] if any(table.ranked for table in tables) else []),
        "- A dash is a cell without a result, explained below its table.",
    ]
    for table in tables:
        lines += ["", f"## {_markdown(table.heading)}", ""]
        if table.heading == table.metric:
            lines += [f"{_markdown(describe(table.metric))}.", ""]
        lines.append(_markdown_grid(table).rstrip("\n"))
    return "\n".join(lines) + "\n"


def _numbers(table: Table, entry: Entry) -> tuple[str, str]:
    """Mean and deviation as printed; a dash without a mean, an empty string without a deviation."""
    if entry.mean is None:
        return DASH, ""
    if entry.deviation is None:
        return format_value(table.metric, entry.mean), ""
    deviation = format_value(table.metric, entry.deviation, like=entry.mean)
    return format_value(table.metric, entry.mean), deviation


def _text_column(table: Table, entries: Sequence[Entry], colour: bool) -> list[str]:
    """Entries of one code length, means aligned on the right, with the base rate below."""
    numbers = [_numbers(table, entry) for entry in entries]
    chance = [] if table.chance is None else [format_value(table.metric, table.chance)]
    width = max(map(len, [*(mean for mean, _ in numbers), *chance]))
    column = []
    for entry, (mean, deviation) in zip(entries, numbers, strict=True):
        marked = f"{_ANSI[entry.rank]}{mean}{_ANSI_OFF}" if colour and entry.rank else mean
        tail = f" ±{deviation}" if deviation else ""
        tail += "" if colour else _PLAIN_MARKS[entry.rank]
        column.append(" " * (width - len(mean)) + marked + tail + _plain_note(entry.note))
    return column + [text.rjust(width) for text in chance]


def _visible_length(text: str) -> int:
    return len(re.sub(r"\x1b\[\d+m", "", text))


def _plain_note(letter: str) -> str:
    return f" ({letter})" if letter else ""


def _markdown_grid(table: Table) -> str:
    """Rows and footnotes."""
    head = " | ".join(["Method", *(f"{bits} bits" for bits in table.bits)])
    lines = [f"| {head} |", "|:---|" + "---:|" * len(table.bits)]
    for row in table.rows:
        name = _markdown(row.method) + _markdown_note(row.note)
        cells = [_markdown_entry(table, entry) for entry in row.entries]
        lines.append(f"| {' | '.join([name, *cells])} |")
    if table.chance is not None:
        chance = [format_value(table.metric, table.chance)] * len(table.bits)
        lines.append(f"| {' | '.join([f'*{BASE_RATE}*', *chance])} |")
    lines.append("")
    notes = [f"{_markdown_note(key)} {_markdown(text)}" for key, text in table.footnotes.items()]
    if notes:
        lines += ["<br>\n".join(notes), ""]
    return "\n".join(lines)


def _markdown_entry(table: Table, entry: Entry) -> str:
    mean, deviation = _numbers(table, entry)
    mean = {0: mean, 1: f"**{mean}**", 2: f"<ins>{mean}</ins>"}[entry.rank]
    return mean + (f" ± {deviation}" if deviation else "") + _markdown_note(entry.note)


def _markdown_note(letter: str) -> str:
    return f"<sup>{letter}</sup>" if letter else ""


def _markdown(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", text)


def _latex_entry(table: Table, entry: Entry) -> str:
    mean, deviation = _numbers(table, entry)
    mean = {0: "{}", 1: r"\textbf{{{}}}", 2: r"\underline{{{}}}"}[entry.rank].format(_latex(mean))
    tail = rf"\,{{\scriptsize$\pm$\,{deviation}}}" if deviation else ""
    return mean + tail + _latex_note(entry.note)


def _latex_note(letter: str) -> str:
    return rf"\textsuperscript{{{letter}}}" if letter else ""


def _latex(text: str) -> str:
    return text.translate(_LATEX_SPECIAL)
