"""What is measured, under which conventions: frozen protocols and named presets."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from benchmark.errors import InputError

_CHOICES = {
    "ties": ("expected", "index"),
    "normalizer": ("retrieved", "min", "all"),
    "no_hit": ("zero", "skip"),
    "no_relevant": ("zero", "skip"),
    "empty": ("zero", "skip"),
}


@dataclass(frozen=True)
class Protocol:
    """Metrics and conventions of an evaluation.

    ``mAP@all``, ``base_rate`` and the precision-recall curve are always reported.

    Attributes
    ----------
    name : str
    about : str
        One line for ``--list protocols``.
    map_at : tuple of int
        Cut-offs K of ``mAP@K``.
    precision_at : tuple of int
        Cut-offs N of ``P@N``; their curve is ``curves["P@N"]``.
    ndcg_at : tuple of int
        Cut-offs K of ``nDCG@K``, for data sets with several labels an item.
    radius : int
        Hamming radius of ``P@r...`` and ``empty@r...``.
    ties : {"expected", "index"}
        Exact expectation over the orders of items at equal distance (or score), or database
        order, as a stable sort leaves it.
    normalizer : {"retrieved", "min", "all"}
        What AP is divided by; see :func:`benchmark.protocol.metrics.average_precision`.
    no_hit : {"zero", "skip"}
        A query without a relevant item in the top K counts 0 in mAP@K, or is left out.  Leaving
        out needs ties in database order: which queries count would depend on the order.
    no_relevant : {"zero", "skip"}
        A query without any relevant item in the database counts, or is left out of every metric
        but ``unanswerable``, the share of such queries.
    empty : {"zero", "skip"}
        A query with an empty Hamming ball counts 0 in ``P@r...``, or is left out.
    interpolated : bool
        Whether precision-recall curves show the largest precision at the same or higher recall.
        Only with ties in database order: the largest of expectations is not the expectation of
        the largest.

    Examples
    --------
    >>> short = Protocol("short", map_at=(10,), precision_at=(1, 5), ndcg_at=(10,))
    >>> short.map_names
    ('mAP@10', 'mAP@all')
    """

    name: str = "custom"
    about: str = ""
    map_at: tuple[int, ...] = (5000, 50000)
    precision_at: tuple[int, ...] = tuple(range(100, 1001, 100))
    ndcg_at: tuple[int, ...] = ()
    radius: int = 2
    ties: str = "expected"
    normalizer: str = "retrieved"
    no_hit: str = "zero"
    no_relevant: str = "zero"
    empty: str = "zero"
    interpolated: bool = False

    def __post_init__(self) -> None:
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in choices:
                raise InputError(
                    f"protocol {self.name}: {key} must be {' or '.join(choices)}, "
                    f"not {getattr(self, key)!r}"
                )
        cut_offs = chain(*(v for v in vars(self).values() if isinstance(v, tuple)))
        for key, value in (("interpolated", True), ("no_hit", "skip")):
            if getattr(self, key) == value and self.ties == "expected":
                raise InputError(
                    f"protocol {self.name}: {key}={value!r} has no expectation over the orders of "
                    'ties; set ties="index"'
                )
        if any(k < 1 for k in cut_offs) or self.radius < 0:
            raise InputError(f"protocol {self.name}: cut-offs must be positive, the radius >= 0")

    @property
    def map_names(self) -> tuple[str, ...]:
        """The mAP metrics: each cut-off, then the whole ranking."""
        return (*(f"mAP@{k}" for k in self.map_at), "mAP@all")

    def specification(self) -> dict[str, Any]:
        """The conventions as plain values, without the descriptive text."""
        return {key: value for key, value in asdict(self).items() if key != "about"}


PRESETS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol("wdht", "WDHT (CVPR 2019), Tables 3 and 4; the default; ties by expectation"),
        Protocol(
            "wp-ijcai2018",
            "WP (IJCAI 2018): mAP over the whole ranking, P@500, P@r2; ties by expectation",
            map_at=(),
        ),
        Protocol(
            "wsdhq",
            "released code of WSDHQ (AAAI 2021): mAP@5000, queries without a hit left out",
            map_at=(5000,),
            ties="index",
            no_hit="skip",
        ),
        Protocol(
            "deephash-pytorch",
            "swuxyj/DeepHash-pytorch: mAP@5000, a query without a hit counts 0",
            map_at=(5000,),
            ties="index",
        ),
        Protocol(
            "hashnet",
            "thuml/HashNet (PyTorch): mAP@5000, queries without a hit left out",
            map_at=(5000,),
            ties="index",
            no_hit="skip",
        ),
        Protocol(
            "trec",
            "trec_eval: AP over all relevant items, queries without any left out",
            map_at=(1000,),
            normalizer="all",
            no_relevant="skip",
            ties="index",
        ),
    )
}


def find_protocol(name: str) -> Protocol:
    """The preset of that name.

    Raises
    ------
    InputError
        With the nearest names, if there is none.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=2, cutoff=0.4) or list(PRESETS)
        raise InputError(f"unknown protocol {name!r}: did you mean {' or '.join(near)}?")
    return PRESETS[name]
