r"""Tables as LaTeX; the document needs ``\usepackage{booktabs,graphicx}``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmark.reporting.grid import Grid, GridCell, GridRow
from benchmark.reporting.wording import LETTERS, describe_marks

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
    sides = ("l" if grid.lettered else "") + "".join("lr"[column.right] for column in grid.columns)
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
        *_body(grid.rows, grid.lettered, rules=wide),
        *([r"\midrule", *_body(grid.foot, grid.lettered)] if grid.foot else []),
        r"\bottomrule",
        r"\end{tabular}" + ("}" if wide else ""),
    ]
    if grid.footnotes:
        notes = [f"{_raised('', (key,))}~{escape(text)}" for key, text in grid.footnotes.items()]
        lines += [r"\par\smallskip", rf"\begin{{minipage}}{{{line_width}}}\footnotesize"]
        lines += ["\\par\n".join(notes), r"\end{minipage}"]
    return "\n".join([*lines, rf"\end{{{name}}}"]) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(_SPECIAL)


def _caption(grid: Grid) -> str:
    parts = [escape(grid.caption or f"{grid.title}.")]
    if grid.marked:
        tested = grid.lettered
        parts.append(describe_marks(r"\textbf{Bold}", r"\underline{underlined}", tested=tested))
    if grid.lettered:
        parts.append(LETTERS)
    return " ".join([*parts, *filter(None, [escape(grid.findings)])])


def _heading(grid: Grid) -> list[str]:
    head = [*([""] if grid.lettered else []), *(escape(c.heading) for c in grid.columns)]
    lines = [rf"{' & '.join(head)} \\"]
    if not grid.groups:
        return lines
    spans, rules, start = [], [], 1
    for title, n in grid.groups:
        spans.append(rf"\multicolumn{{{n}}}{{c}}{{{escape(title)}}}" if title else "")
        rules += [rf"\cmidrule(lr){{{start}-{start + n - 1}}}"] if title else []
        start += n
    return [rf"{' & '.join(spans)} \\", "".join(rules), *lines]


def _body(rows: Sequence[GridRow], lettered: bool, *, rules: bool = False) -> list[str]:
    found: list[str] = []
    for i, row in enumerate(rows):
        found += [r"\midrule"] if rules and i else []
        height = max(len(cell.lines) for cell in row.cells)
        for line in range(height):
            cells = [_line(cell, line, height) for cell in row.cells]
            letters = [row.letter if line == 0 else ""] if lettered else []
            found.append(rf"{' & '.join([*letters, *cells])} \\")
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
    return text + _raised(cell.letters, cell.notes) if line == place else text


def _raised(letters: str, notes: Sequence[str]) -> str:
    """Letters of rows and, in brackets, numbers of footnotes."""
    raised = "~".join(filter(None, [letters.replace("–", "--"), *_bracketed(notes)]))
    return rf"\textsuperscript{{{raised}}}" if raised else ""


def _bracketed(notes: Sequence[str]) -> list[str]:
    return [f"({','.join(notes)})"] if notes else []
