r"""Tables as LaTeX; the document needs ``\usepackage{booktabs,graphicx}``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reporting.grid import Grid, GridCell, GridRow
from benchmark.reporting.wording import describe_marks

_SPECIAL = str.maketrans(
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
_RANKS = {0: "{}", 1: r"\textbf{{{}}}", 2: r"\underline{{{}}}"}


def render(grid: Grid) -> str:
    """The table as a float; over both columns of a page where columns stand in groups."""
    wide = bool(grid.groups)
    name, line_width = ("table*", r"\textwidth") if wide else ("table", r"\linewidth")
    sides = "".join("lr"[column.right] for column in grid.columns)
    lines = [
        rf"% Needs \usepackage{{{'booktabs,graphicx' if wide else 'booktabs'}}}.",
        rf"\begin{{{name}}}[htbp]",
        r"\centering",
        rf"\caption{{{_caption(grid)}}}",
        rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', grid.title.lower()).strip('-')}}}",
        *([r"\resizebox{\textwidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        *_heading(grid),
        r"\midrule",
        *_sections(grid, rules=wide),
        *([r"\midrule", *_body(grid.foot)] if grid.foot else []),
        r"\bottomrule",
        r"\end{tabular}" + ("}" if wide else ""),
    ]
    if grid.footnotes:
        notes = [f"{_raised((key,))}~{escape(text)}" for key, text in grid.footnotes.items()]
        lines += [r"\par\smallskip", rf"\begin{{minipage}}{{{line_width}}}\footnotesize"]
        lines += ["\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join([*lines, rf"\end{{{name}}}"]) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(_SPECIAL)


def _caption(grid: Grid) -> str:
    parts = [escape(grid.caption or f"{grid.title}.")]
    if grid.marked:
        marks = describe_marks(r"\textbf{Bold}", r"\underline{underlined}", tested=grid.tested)
        parts.append(marks)
    return " ".join([*parts, *filter(None, [escape(grid.findings)])])


def _heading(grid: Grid) -> list[str]:
    head = [escape(column.heading) for column in grid.columns]
    lines = [rf"{' & '.join(head)} \\"]
    if not grid.groups:
        return lines
    spans, rules, start = [], [], 1
    for title, n in grid.groups:
        spans.append(rf"\multicolumn{{{n}}}{{c}}{{{escape(title)}}}" if title else "")
        rules += [rf"\cmidrule(lr){{{start}-{start + n - 1}}}"] if title else []
        start += n
    return [rf"{' & '.join(spans)} \\", "".join(rules), *lines]


def _sections(grid: Grid, *, rules: bool) -> list[str]:
    found: list[str] = []
    for title, rows in grid.in_sections():
        found += [r"\addlinespace"] if title and found else []
        width = len(grid.columns)
        found += [rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escape(title)}}}}} \\"] if title else []
        found += _body(rows, rules=rules)
    return found


def _body(rows: Sequence[GridRow], *, rules: bool = False) -> list[str]:
    found: list[str] = []
    for i, row in enumerate(rows):
        found += [r"\midrule"] if rules and i else []
        height = max(len(cell.lines) for cell in row.cells)
        for line in range(height):
            cells = [_line(cell, line, height) for cell in row.cells]
            found.append(rf"{' & '.join(cells)} \\")
    return found


def _line(cell: GridCell, line: int, height: int) -> str:
    text = escape(cell.lines[line]) if line < len(cell.lines) else ""
    if line == 0:
        text = _RANKS[cell.rank].format(text) if text else text
        tail = escape(cell.tail).replace(r"$\pm$ ", r"$\pm$\,")
        text += rf"\,{{\scriptsize{tail}}}" if tail else ""
    elif text.startswith("  "):
        text = rf"\quad {text.lstrip()}"
    # The note follows what is explained: the verdict, where there is one below the number.
    place = len(cell.lines) - 1 if len(cell.lines) > 1 and cell.lines[-1] else 0
    return text + _raised(cell.notes) if line == place else text


def _raised(notes: Sequence[str]) -> str:
    """Numbers of footnotes in brackets."""
    return rf"\textsuperscript{{({','.join(notes)})}}" if notes else ""
