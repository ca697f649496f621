"""Comparison tables as LaTeX."""

from __future__ import annotations

import re

from benchmark.protocol.catalogue import format_value
from benchmark.reporting.comparison import Entry, Table, numbers
from benchmark.reporting.marks import letter, spell_letters
from benchmark.reporting.wording import BASE_RATE, LETTERS, describe_marks

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


def to_latex(table: Table) -> str:
    r"""The table as a float for a paper; the document needs ``\usepackage{booktabs}``."""
    tested = bool(table.tests)
    head = [*([""] if tested else []), "Method", *(f"{bits} bits" for bits in table.bits)]
    lines = [
        r"% Needs \usepackage{booktabs}.",
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_latex_caption(table)}}}",
        rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', table.title.lower())}}}",
        rf"\begin{{tabular}}{{{'l' * (1 + tested)}{'r' * len(table.bits)}}}",
        r"\toprule",
        rf"{' & '.join(head)} \\",
        r"\midrule",
    ]
    for position, row in enumerate(table.rows):
        letters = [letter(position)] if tested else []
        name = escape_latex(row.method) + _superscript("", row.note)
        cells = [_latex_entry(table, entry) for entry in row.entries]
        lines.append(" & ".join([*letters, name, *cells]) + r" \\")
    if table.chance is not None:
        chance = [format_value(table.metric, table.chance)] * len(table.bits)
        first = [""] if tested else []
        lines += [r"\midrule", " & ".join([*first, BASE_RATE, *chance]) + r" \\"]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.footnotes:
        notes = [
            f"{_superscript('', key)}~{escape_latex(text)}" for key, text in table.footnotes.items()
        ]
        lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize"]
        lines += ["\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _latex_caption(table: Table) -> str:
    parts = [escape_latex(table.caption)]
    tested = bool(table.tests)
    if table.ranked:
        parts.append(describe_marks(r"\textbf{Bold}", r"\underline{underlined}", tested=tested))
    if tested:
        parts.append(LETTERS)
    if table.findings:
        parts.append(escape_latex(table.findings))
    return " ".join(parts)


def _latex_entry(table: Table, entry: Entry) -> str:
    mean, deviation = numbers(table, entry)
    mean = {0: "{}", 1: r"\textbf{{{}}}", 2: r"\underline{{{}}}"}[entry.rank].format(
        escape_latex(mean)
    )
    tail = rf"\,{{\scriptsize$\pm$\,{deviation}}}" if deviation else ""
    return mean + tail + _superscript(spell_letters(entry.better, dash="--"), entry.note)


def _superscript(letters: str, number: str) -> str:
    """Letters of methods and, in brackets, the number of a footnote."""
    raised = "~".join(filter(None, [letters, f"({number})" if number else ""]))
    return rf"\textsuperscript{{{raised}}}" if raised else ""


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(_LATEX_SPECIAL)
