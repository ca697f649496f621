"""What is measured, under which conventions: frozen protocols, named presets, and evaluation."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmark.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from benchmark.evaluation import Evaluation

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
    radius : int
        Hamming radius of ``P@r...`` and ``empty@r...``.
    ties : {"expected", "index"}
        Exact expectation over the orders of items at equal distance (or score), or database
        order, as a stable sort leaves it.
    normalizer : {"retrieved", "min", "all"}
        What AP is divided by; see :func:`benchmark.metrics.average_precision`.
    no_hit : {"zero", "skip"}
        A query without a relevant item in the top K counts 0 in mAP@K, or is left out.
    no_relevant : {"zero", "skip"}
        Likewise a query without any relevant item in the database.
    empty : {"zero", "skip"}
        Likewise a query with an empty Hamming ball, in ``P@r...``.
    interpolated : bool
        Whether precision-recall curves show the largest precision at the same or higher recall.
    """

    name: str = "custom"
    about: str = ""
    map_at: tuple[int, ...] = (5000, 50000)
    precision_at: tuple[int, ...] = tuple(range(100, 1001, 100))
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
        if any(k < 1 for k in (*self.map_at, *self.precision_at)) or self.radius < 0:
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


def evaluate(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
) -> Evaluation:
    """Rank a database by Hamming distance for each query and measure the ranking.

    Parameters
    ----------
    query_codes, database_codes : (q, b), (n, b) arrays of bool
        Binary codes; 0/1 integers are taken as well.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        Multi-hot labels (anything but 0 counts), or one class id per item.  Items that share a
        label are relevant to each other.
    protocol : str or Protocol
        Name of a preset, or conventions of one's own.

    Returns
    -------
    Evaluation
        Maps ``mAP@K``, ``mAP@all``, ``P@r2``, ``empty@r2``, ``P@N`` and ``base_rate`` to floats.

    Raises
    ------
    InputError
        If shapes do not match, or codes are not binary.
    """
    from benchmark.evaluation import checked_codes, measure_codes

    codes = checked_codes(query_codes, database_codes)
    labels = _labels_of(*codes, query_labels, database_labels)
    return measure_codes(codes, labels, _as_protocol(protocol))


def evaluate_scores(
    query_tables: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
) -> Evaluation:
    """Rank a database by asymmetric score for each query and measure the ranking.

    ``score(query, item) = sum_m query_tables[query, m, database_codes[item, m]]``, added in single
    precision; larger is better, and items with the same score are tied.

    Parameters
    ----------
    query_tables : (q, M, K) array of float
        Score of each code word of each codebook.  A codebook with fewer than K words leaves its
        last entries unused; they must be finite.
    database_codes : (n, M) array of integers
        The code word of each item in each codebook, from 0 to K - 1.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        As in :func:`evaluate`.
    protocol : str or Protocol
        Name of a preset, or conventions of one's own.

    Returns
    -------
    Evaluation
        As :func:`evaluate` gives it, without ``P@r2``, ``empty@r2`` and ``profile``: a ranking by
        score has no Hamming distances.

    Raises
    ------
    InputError
        If shapes do not match, a code is out of range, or a score would not be finite.
    """
    from benchmark.evaluation import checked_tables, measure_scores

    codes = checked_tables(query_tables, database_codes)
    labels = _labels_of(*codes, query_labels, database_labels)
    return measure_scores(codes, labels, _as_protocol(protocol))


def _as_protocol(protocol: str | Protocol) -> Protocol:
    return find_protocol(protocol) if isinstance(protocol, str) else protocol


def _labels_of(
    queries: np.ndarray, database: np.ndarray, query_labels: np.ndarray, database_labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Packed labels, or an InputError where there is not one for each item."""
    from benchmark.evaluation import packed_labels

    labels = packed_labels(query_labels, database_labels)
    for name, code, label in zip(("query", "database"), (queries, database), labels, strict=True):
        if len(code) != len(label):
            raise InputError(f"{len(code)} {name} codes but {len(label)} {name} labels")
    return labels
