"""What each table and figure of the papers needs: data, features, protocol, methods, code lengths.

The numbers of the tables are in :mod:`benchmark.papers.published`; here is how to measure ours.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmark.errors import InputError
from benchmark.papers.published import TABLE_IDS, PublishedTable, published_tables
from benchmark.registry import Variant, methods


@dataclass(frozen=True)
class Sizes:
    """Numbers of items in the paper's split."""

    query: int
    train: int
    database: int


#: The paper's split of each data set, as ``--dataset`` takes it.
SIZES = {
    "nuswide": Sizes(2000, 100_000, 100_000),
    "mirflickr25k": Sizes(2000, 16_000, 16_000),
    "nuswide[setting=wmh]": Sizes(1000, 5000, 5000),
    "mirflickr25k[setting=wmh]": Sizes(1000, 5000, 5000),
    "nuswide[labels=81]": Sizes(5000, 264_648, 264_648),
    "mirflickr1m": Sizes(2000, 897_500, 23_000),
}

#: The network whose features (or, end to end, weights) a paper starts from.
FEATURES = {"ijcai": "vgg16-fc7", "wdht": "alexnet-fc7", "wsdhq": "alexnet-fc7"}


@dataclass(frozen=True)
class Wanted:
    """Cells of one data set.

    Attributes
    ----------
    source : str
        As ``--dataset`` takes it.
    features : str
        What the paper starts from.
    protocol : str
    bits : tuple of int
    variants : tuple of str
        Methods as ``--methods`` takes them.
    validation : bool
        Whether to measure on held-out training items in place of the queries.
    codes : bool
        Whether codes are needed.
    """

    source: str
    features: str
    protocol: str
    bits: tuple[int, ...]
    variants: tuple[str, ...]
    validation: bool = False
    codes: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure of a paper.

    Attributes
    ----------
    id : str
        What ``--figure`` takes.
    about : str
        One line for ``--list papers``.
    blocks : mapping of str to str
        Title in the paper to our data set.
    features, protocol : str
    bits : tuple of int
    rows : mapping of str to str
        What the paper calls a method to our variant of it.
    needs_codes : bool
        Whether it is drawn from codes, not from metrics.
    """

    id: str
    about: str
    blocks: Mapping[str, str]
    features: str
    protocol: str
    bits: tuple[int, ...]
    rows: Mapping[str, str] = field(default_factory=dict)
    needs_codes: bool = False


_WDHT_BLOCKS = {"NUS-WIDE": "nuswide", "MIR-FLICKR25K": "mirflickr25k"}
_IJCAI_ROWS = {
    "LSH": "lsh",
    "DeepBit": "deepbit",
    "KSH": "ksh",
    "WP-KSH": "wp-ksh",
    "DSH": "deep-dsh",
    "WP-DSH": "wp-dsh",
    "DRSCH": "drsch",
    "WP-DRSCH": "wp-drsch",
}
_IJCAI_BITS = (8, 16, 32, 64)

#: Values of lambda2 and lambda3 in Figure 3 of WDHT; the text gives their range alone.
LAMBDAS = (0.01, 0.1, 1.0, 10.0, 100.0)
#: Training items of that figure, as in the paper, and held-out ones, which it does not count.
VALIDATION = (10_000, 2000)


def _wdht_rows() -> dict[str, str]:
    rows = (row for row in published_tables("4")[0].rows if row.variant)
    return {row.name: row.variant for row in rows}


def _figures() -> dict[str, Figure]:
    ijcai = (FEATURES["ijcai"], "wp-ijcai2018")
    grid = {f"wdht[lambda2={a},lambda3={b}]": (a, b) for a in LAMBDAS for b in LAMBDAS}
    shared = "P@r2 and P@500 against bits, precision curves at 64 bits"
    found = (
        Figure(
            "2",
            "WDHT (CVPR 2019), Figure 2: precision-recall curves at every code length",
            _WDHT_BLOCKS,
            FEATURES["wdht"],
            "wdht",
            (12, 24, 32, 48),
            _wdht_rows(),
        ),
        Figure(
            "3",
            "WDHT (CVPR 2019), Figure 3: validation mAP over lambda2 and lambda3",
            {"NUS-WIDE": "nuswide"},
            FEATURES["wdht"],
            "wdht",
            (32,),
            {variant: variant for variant in grid},
        ),
        Figure(
            "ijcai-3",
            f"WP (IJCAI 2018), Figure 3, NUS-WIDE: {shared}",
            {"NUS-WIDE": "nuswide[labels=81]"},
            *ijcai,
            _IJCAI_BITS,
            _IJCAI_ROWS,
        ),
        Figure(
            "ijcai-4",
            f"WP (IJCAI 2018), Figure 4, MIR Flickr-1M: {shared}",
            {"MIR Flickr-1M": "mirflickr1m"},
            *ijcai,
            _IJCAI_BITS,
            _IJCAI_ROWS,
        ),
        Figure(
            "ijcai-5",
            "WP (IJCAI 2018), Figure 5: example retrievals at 64 bits",
            {"MIR Flickr-1M": "mirflickr1m"},
            *ijcai,
            (64,),
            {"WP-DRSCH": "wp-drsch", "DRSCH": "drsch"},
            needs_codes=True,
        ),
    )
    return {figure.id: figure for figure in found}


FIGURE_IDS = ("2", "3", "ijcai-3", "ijcai-4", "ijcai-5")


def find_figure(figure_id: str) -> Figure:
    """The figure of that id.

    Raises
    ------
    InputError
        If there is none.
    """
    if figure_id not in FIGURE_IDS:
        raise InputError(f"there is no figure {figure_id!r}: give {', '.join(FIGURE_IDS)}")
    return _figures()[figure_id]


def list_papers() -> list[tuple[str, str]]:
    """Tables and figures with one line each, for ``--list papers``."""
    tables = [(i, published_tables(i)[0]) for i in TABLE_IDS]
    lines = [(f"--table {i}", f"{t.paper}: {t.caption}") for i, t in tables]
    return lines + [(f"--figure {f.id}", f.about) for f in _figures().values()]


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
            raise InputError(f"--bits: {what} has {' '.join(map(str, bits))} bits alone")
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
    """Names of our methods that some table has a row for."""
    rows = (row for i in TABLE_IDS for part in published_tables(i) for row in part.rows)
    return {row.variant.partition("[")[0] for row in rows}


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
    parts = []
    for part in published_tables(table_id):
        rows = [row for row in part.rows if choice.keeps(row.variant)]
        parts.append(replace(part, bits=choice.lengths(what, part.bits), rows=tuple(rows)))
    variants = [row.variant for part in published_tables(table_id) for row in part.rows]
    if not any(part.rows for part in parts) and not choice.others(variants):
        raise InputError(
            f"--methods {' '.join(choice.patterns)}: {what} has none of them; it has "
            f"{', '.join(dict.fromkeys(filter(None, variants)))}"
        )
    return tuple(parts)


def narrowed_figure(figure_id: str, choice: Choice) -> Figure:
    """A figure with the methods and code lengths that the user wants.

    Raises
    ------
    InputError
        If there is no such figure, or nothing of it is left.
    """
    figure = find_figure(figure_id)
    what = f"figure {figure_id}"
    rows = {name: v for name, v in figure.rows.items() if choice.keeps(v)}
    if figure_id != "3":
        rows |= {v: v for v in choice.others(list(figure.rows.values()))}
    if not rows:
        raise InputError(
            f"--methods {' '.join(choice.patterns)}: {what} has none of them; it has "
            f"{', '.join(dict.fromkeys(figure.rows.values()))}"
        )
    blocks = {choice.dataset: choice.dataset} if choice.dataset else figure.blocks
    return replace(figure, bits=choice.lengths(what, figure.bits), rows=rows, blocks=blocks)


def known_variants(
    variants: Sequence[str], change: Callable[[Variant], Variant]
) -> tuple[dict[str, Variant], dict[str, str]]:
    """Variants that can be run, changed as ``--set`` says, and the reasons for the others.

    A method that this version does not have is a gap in the table, not an error.
    """
    known, missing = {}, {}
    for text in dict.fromkeys(variants):
        name = text.partition("[")[0]
        if name in methods.names():
            known[text] = change(methods.parse(text))
        else:
            missing[text] = f"there is no method {name} in this version"
    return known, missing
