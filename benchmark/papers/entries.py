"""What a paper, a table and a figure are, before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: How a figure can be drawn, by its field ``kind``; :mod:`benchmark.papers.figure_data` does it.
KINDS = ("curves", "lengths", "grid", "retrieval")
#: Kinds that show one data set, and kinds that show one code length.
OF_ONE_DATASET, OF_ONE_LENGTH = ("lengths", "retrieval"), ("grid", "retrieval")


@dataclass(frozen=True)
class Sizes:
    """Numbers of items in a split."""

    query: int
    train: int
    database: int


@dataclass(frozen=True)
class Validation:
    """Numbers of training items that a figure trains on, and that serve it as queries."""

    train: int
    query: int


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes
    ----------
    name : str
        What captions call it.
    features : str
        The network whose features (or, end to end, weights) it starts from.
    protocol : str
        The preset that imitates it.
    methods : mapping of str to str
        What it calls a method, to ours as ``--methods`` takes it; empty where we have none.
    """

    name: str
    features: str
    protocol: str
    methods: Mapping[str, str]


@dataclass(frozen=True)
class TablePart:
    """A data set of a table in one setting.

    Attributes
    ----------
    dataset : str
        As the paper prints it.
    source : str
        The same data and split as ``--dataset`` takes it.
    setting : str
        Which lines of the CSV file belong to it.
    features, protocol : str
        Those of the paper, unless the part has its own.
    sizes : Sizes or None
        Of the paper's split; None if they are not known.
    about : str
        What is special about the setting, or empty.
    """

    dataset: str
    source: str
    setting: str
    features: str
    protocol: str
    sizes: Sizes | None
    about: str = ""


@dataclass(frozen=True)
class TableEntry:
    """A table of a paper, without its numbers.

    Attributes
    ----------
    id : str
        What ``--table`` takes.
    name : str
        Paper and title.
    caption : str
    file : str
        CSV file with the numbers.
    methods : mapping of str to str
        Of the paper.
    parts : tuple of TablePart
        The first part of a data set is the main one.
    """

    id: str
    name: str
    caption: str
    file: str
    methods: Mapping[str, str]
    parts: tuple[TablePart, ...]


@dataclass(frozen=True)
class PaperFigure:
    """A figure of a paper.

    Attributes
    ----------
    id : str
        What ``--figure`` takes.
    name : str
        Paper and title.
    caption : str
    kind : str
        One of `KINDS`.
    blocks : mapping of str to str
        Title in the paper to our data set.
    features, protocol : str
    bits : tuple of int
    rows : mapping of str to str
        What the paper calls a method to our variant of it.
    grid : mapping of str to mapping of str to float
        Each variant to the values of the two parameters that the kind ``grid`` combines.
    validation : Validation or None
        Sizes of the split if it is measured on held-out training items in place of the queries.
    """

    id: str
    name: str
    caption: str
    kind: str
    blocks: Mapping[str, str]
    features: str
    protocol: str
    bits: tuple[int, ...]
    rows: Mapping[str, str]
    grid: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    validation: Validation | None = None

    @property
    def about(self) -> str:
        """One line."""
        return f"{self.name}: {self.caption}"

    @property
    def needs_codes(self) -> bool:
        """Whether it is drawn from codes and images, not from metrics."""
        return self.kind == "retrieval"
