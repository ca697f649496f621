"""Codes and labels to metrics: ``benchmark.evaluate`` and its sisters, which check their input."""

from __future__ import annotations

import numpy as np

from benchmark.errors import InputError
from benchmark.protocol.evaluation import Evaluation
from benchmark.protocol.inputs import (
    checked_codes,
    checked_labels,
    checked_neighbours,
    checked_tables,
    checked_vectors,
)
from benchmark.protocol.measure import Judged, measure_codes, measure_scores, measure_vectors
from benchmark.protocol.protocol import Protocol, find_protocol


def evaluate(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
    *,
    neighbours: np.ndarray | None = None,
) -> Evaluation:
    """Rank a database by Hamming distance for each query and measure the ranking.

    Parameters
    ----------
    query_codes, database_codes : (q, b), (n, b) arrays of bool
        Binary codes; 0/1 and -1/+1 numbers and tensors of torch are taken as well.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        Multi-hot labels of 0 and 1, or one class id per item.  Items that share a label are
        relevant to each other.
    protocol : str or Protocol
        Name of a preset, or conventions of one's own.
    neighbours : (q, t) array of integers, optional
        Database positions of each query's nearest items, for a protocol with ``recall_at``.

    Returns
    -------
    Evaluation
        Maps ``mAP@K``, ``mAP@all``, ``P@r2``, ``empty@r2``, ``P@N``, ``base_rate`` and what else
        the protocol asks for to floats.

    Raises
    ------
    InputError
        If shapes do not match, codes are not binary, or labels are neither 0/1 nor class ids.

    Examples
    --------
    The only relevant item is tied with another at distance 1, behind nothing: it is first or
    second, so that average precision is 1 or 1/2.

    >>> measured = evaluate([[0, 1, 1]], [[0, 1, 0], [1, 1, 1], [1, 0, 0]], [7], [7, 8, 9])
    >>> measured["mAP@all"], measured.bounds["mAP@all"]
    (0.75, Bounds(low=0.5, high=1.0))
    """
    codes = checked_codes(query_codes, database_codes)
    labels = checked_labels(*codes, query_labels, database_labels)
    return measure_codes(codes, *_judged(labels, protocol, neighbours))


def evaluate_scores(
    query_tables: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
    *,
    neighbours: np.ndarray | None = None,
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
    protocol, neighbours
        As in :func:`evaluate`.

    Returns
    -------
    Evaluation
        As :func:`evaluate` gives it, without ``P@r2``, ``empty@r2`` and ``profile``: a ranking by
        score has no Hamming distances.

    Raises
    ------
    InputError
        If shapes do not match, a code is out of range, or a score would not be finite.

    Examples
    --------
    Two codebooks of two words; the scores of the three items are 0.5, 0.9 and 0.1.

    >>> tables = [[[0.1, 0.5], [0.0, 0.4]]]
    >>> measured = evaluate_scores(tables, [[1, 0], [1, 1], [0, 0]], [7], [7, 8, 9])
    >>> measured["mAP@all"]
    0.5
    """
    codes = checked_tables(query_tables, database_codes)
    labels = checked_labels(*codes, query_labels, database_labels)
    return measure_scores(codes, *_judged(labels, protocol, neighbours))


def evaluate_vectors(
    query_vectors: np.ndarray,
    database_vectors: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
    *,
    neighbours: np.ndarray | None = None,
) -> Evaluation:
    """Rank a database by cosine for each query and measure the ranking.

    Parameters
    ----------
    query_vectors, database_vectors : (q, d), (n, d) arrays of float
        The cosine is computed in double precision and rounded to single, so that items with the
        same vector are tied; with a vector of zeros it is 0.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        As in :func:`evaluate`.
    protocol, neighbours
        As in :func:`evaluate`.

    Returns
    -------
    Evaluation
        As :func:`evaluate_scores` gives it.

    Raises
    ------
    InputError
        If shapes do not match, or an entry is not finite.
    """
    vectors = checked_vectors(query_vectors, database_vectors)
    labels = checked_labels(*vectors, query_labels, database_labels)
    return measure_vectors(vectors, *_judged(labels, protocol, neighbours))


def _judged(
    labels: tuple[np.ndarray, np.ndarray], protocol: str | Protocol, neighbours: np.ndarray | None
) -> tuple[Judged, Protocol]:
    """Checked: what a protocol holds against a ranking, and the protocol."""
    protocol = find_protocol(protocol) if isinstance(protocol, str) else protocol
    if not protocol.recall_at:
        return Judged(*labels), protocol
    if neighbours is None:
        raise InputError(
            f"protocol {protocol.name} has recall_at: pass neighbours, the positions of each "
            "query's nearest items"
        )
    shape = len(labels[0]), protocol.neighbours
    return Judged(*labels, checked_neighbours(neighbours, shape, len(labels[1]))), protocol
