"""Who a method is: what its paper calls it, what it learns from, how its codes are searched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmark.errors import InputError
from benchmark.protocol.catalogue import is_of_ball
from benchmark.registry import Entry, methods
from benchmark.store.record import CellResult
from benchmark.store.seeds import method_names

#: Supervision to the name of its group, in the order in which groups are shown.
GROUPS = {
    "none": "unsupervised",
    "tags": "from tags",
    "labels": "from labels",
    "": "supervision unknown",
}


@dataclass(frozen=True)
class Method:
    """What is said of a method beside its numbers.

    Attributes
    ----------
    id : str
        Canonical variant, as cells have it.
    supervision : str
        A key of ``GROUPS``; empty for a method that is not registered here.
    name : str
        What its paper calls it; empty where it is not registered.
    year, paper, summary : str
        Of its paper, and the first line of its documentation; empty where there is none.
    by_score : bool
        Whether its codes are ranked by look-up tables of the query (asymmetric search), in place
        of Hamming distance.
    rebuilt : bool
        Whether it is a reconstruction: its paper leaves parts of it open.
    """

    id: str
    supervision: str = ""
    name: str = ""
    year: str = ""
    paper: str = ""
    summary: str = ""
    by_score: bool = False
    rebuilt: bool = False

    @property
    def group(self) -> str:
        """The name of its group."""
        return GROUPS[self.supervision]

    @property
    def label(self) -> str:
        """The paper's name with the id and the year, ``WDHT (wdht) 2019``."""
        return " ".join(filter(None, [self.short, self.year]))

    @property
    def short(self) -> str:
        """The paper's name with the id, ``WDHT (wdht)``."""
        return f"{self.name} ({self.id})" if self.name else self.id

    @property
    def kinds(self) -> tuple[str, ...]:
        """What sets it apart from most methods of its group."""
        return (
            *(["asymmetric search"] if self.by_score else []),
            *(["reconstruction"] if self.rebuilt else []),
        )


def method_of(variant: str, cells: Iterable[CellResult] = ()) -> Method:
    """What the registry and its own cells say of a method.

    Parameters
    ----------
    variant : str
        ``itq`` or ``wdht[aggregation=tf]``; it need not be registered, since cells outlive
        plug-ins.
    cells : iterable of CellResult
        Those of the method.
    """
    cells = list(cells)
    by_score = any(is_by_score(cell) for cell in cells)
    rebuilt = any(cell.fidelity == "reconstruction" for cell in cells)
    try:
        entry = methods.find(variant.partition("[")[0])
    except InputError:
        # Only what learns from tags has a record of them.
        from_tags = any(cell.tags for cell in cells)
        return Method(variant, "tags" if from_tags else "", by_score=by_score, rebuilt=rebuilt)
    paper = str(entry.facts["paper"])
    years = re.findall(r"\b(?:19|20)\d\d\b", paper)
    return Method(
        variant,
        entry.facts["supervision"],
        paper_name(entry),
        years[-1] if years else "",
        paper,
        entry.summary,
        by_score,
        rebuilt,
    )


def methods_of(cells: Sequence[CellResult]) -> dict[str, Method]:
    """What is said of each method, in the order in which they first appear."""
    of_method: dict[str, list[CellResult]] = {name: [] for name in method_names(cells)}
    for cell in cells:
        of_method[cell.method].append(cell)
    return {name: method_of(name, own) for name, own in of_method.items()}


def paper_name(entry: Entry) -> str:
    """The id with the capitals that the class has: ``deep-dsh`` of DeepDSH is Deep-DSH."""

    def spelt(word: str) -> str:
        found = re.search(re.escape(word), entry.class_name, re.IGNORECASE)
        return found.group() if found else word

    return "-".join(map(spelt, entry.name.split("-")))


def is_by_score(cell: CellResult) -> bool:
    """Whether the codes of a cell were ranked by score, and so have no Hamming balls."""
    measured = cell.status == "done" and "bytes_per_item" in cell.metrics
    return measured and not any(map(is_of_ball, cell.metrics))


def group_order(supervision: str) -> int:
    """The place of a group."""
    return list(GROUPS).index(supervision)
