"""What the user narrows a table or figure to, by data set, methods and code lengths."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.errors import InputError
from benchmark.papers.entries import PaperFigure
from benchmark.papers.index import read_index
from benchmark.papers.published import PublishedTable, published_tables
from benchmark.registry import methods


@dataclass(frozen=True)
class Choice:
    """What the user narrows a table or figure to.

    Attributes
    ----------
    dataset : str or None
        Another data set than the paper's.
    patterns : tuple of str
        Names, wildcards and variants of methods; empty for all of the paper.
    bits : tuple of int
        Empty for all of the paper.
    """

    dataset: str | None = None
    patterns: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()

    def source(self, source: str) -> str:
        """The data set to use in place of the paper's."""
        return self.dataset or source

    def lengths(self, what: str, bits: Sequence[int]) -> tuple[int, ...]:
        """Those of the paper's code lengths that the user wants.

        Raises
        ------
        InputError
            If there are none.
        """
        chosen = tuple(b for b in bits if not self.bits or b in self.bits)
        if not chosen:
            raise InputError(f"--bits: {what} has only {_listed(bits)} bits")
        return chosen

    def keeps(self, variant: str) -> bool:
        """Whether a row of the paper with this method is wanted."""
        return not self.patterns or any(_matches(p, variant) for p in self.patterns)

    def others(self, variants: Sequence[str]) -> tuple[str, ...]:
        """Methods that the user names in full and the paper does not have.

        Raises
        ------
        InputError
            If there is no such method.
        """
        full = (p for p in self.patterns if not set(p.partition("[")[0]) & set("*?"))
        strange = [p for p in full if not any(_matches(p, variant) for variant in variants)]
        # A method of another table that this version does not have is no mistake.
        expected = [p for p in strange if p not in methods.names() and p in _paper_methods()]
        return tuple(str(methods.parse(p)) for p in strange if p not in expected)


def _paper_methods() -> set[str]:
    """Names of our methods that some paper has a row for."""
    tables = read_index().tables.values()
    return {text.partition("[")[0] for table in tables for text in table.methods.values()}


def _listed(bits: Sequence[int]) -> str:
    *first, last = map(str, bits)
    return f"{', '.join(first)} and {last}" if first else last


def _matches(pattern: str, variant: str) -> bool:
    """Whether a name, wildcard or variant means this variant; a name means all its variants."""
    names = (variant, variant.partition("[")[0])
    return pattern in names or ("[" not in pattern and fnmatch.fnmatchcase(names[1], pattern))


def narrowed_table(table_id: str, choice: Choice) -> tuple[PublishedTable, ...]:
    """The parts of a table with the rows and columns that the user wants.

    Raises
    ------
    InputError
        If there is no such table, or nothing of it is left.
    """
    what = f"table {table_id}"
    whole = published_tables(table_id)
    parts = []
    for part in whole:
        rows = tuple(row for row in part.rows if choice.keeps(row.variant))
        parts.append(replace(part, bits=choice.lengths(what, part.bits), rows=rows))
    variants = _variants(whole)
    if not any(part.rows for part in parts) and not choice.others(variants):
        raise _nothing_left(what, choice, variants)
    return tuple(parts)


def others_of_table(table_id: str, choice: Choice) -> tuple[str, ...]:
    """Methods that the user names in full and the table does not have.

    Raises
    ------
    InputError
        If there is no such table or method.
    """
    return choice.others(_variants(published_tables(table_id)))


def narrowed_figure(figure_id: str, choice: Choice) -> PaperFigure:
    """A figure with the methods and code lengths that the user wants.

    Raises
    ------
    InputError
        If there is no such figure, or nothing of it is left.
    """
    figure = read_index().find_figure(figure_id)
    what = f"figure {figure_id}"
    rows = {name: v for name, v in figure.rows.items() if choice.keeps(v)}
    if not figure.grid:
        rows |= {v: v for v in choice.others(list(figure.rows.values()))}
    if not rows:
        raise _nothing_left(what, choice, list(figure.rows.values()))
    blocks = {choice.dataset: choice.dataset} if choice.dataset else figure.blocks
    return replace(figure, bits=choice.lengths(what, figure.bits), rows=rows, blocks=blocks)


def _variants(parts: Sequence[PublishedTable]) -> list[str]:
    return [row.variant for part in parts for row in part.rows]


def _nothing_left(what: str, choice: Choice, variants: Sequence[str]) -> InputError:
    return InputError(
        f"--methods {' '.join(choice.patterns)}: {what} has none of them; it has "
        f"{', '.join(dict.fromkeys(filter(None, variants)))}"
    )
