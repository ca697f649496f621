"""How items are found again by what a method makes of them: Hamming distance, scores or cosine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.protocol.evaluate import evaluate, evaluate_scores, evaluate_vectors
from benchmark.protocol.evaluation import Evaluation


@dataclass(frozen=True)
class Search:
    """One way of searching.

    Attributes
    ----------
    evaluate : callable
        From queries, database codes, labels of both and a protocol to an Evaluation.
    stored : callable
        From queries or database codes to the array that ``codes.npz`` keeps of them.
    restored : callable
        Back from such an array and the number of bits.
    """

    evaluate: Callable[..., Evaluation]
    stored: Callable[[np.ndarray], np.ndarray]
    restored: Callable[[np.ndarray, int], np.ndarray]


def search_of_stored(queries: np.ndarray) -> Search:
    """The search that the queries in a ``codes.npz`` are for: only tables have three axes."""
    if queries.ndim == 3:
        return SCORES
    return HAMMING if queries.dtype == np.uint8 else COSINE


def _packed(bits: np.ndarray) -> np.ndarray:
    return np.packbits(bits, axis=1, bitorder="little")


def _unpacked(packed: np.ndarray, n_bits: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=n_bits, bitorder="little").astype(bool)


def _as_they_are(codes: np.ndarray, n_bits: int) -> np.ndarray:
    return codes


HAMMING = Search(evaluate, _packed, _unpacked)
SCORES = Search(evaluate_scores, np.asarray, _as_they_are)
COSINE = Search(evaluate_vectors, np.asarray, _as_they_are)

#: By what a method says of itself: ``Hasher.ranked_by``.
SEARCHES = {"hamming": HAMMING, "scores": SCORES, "cosine": COSINE}


def top_items(codes: tuple[np.ndarray, np.ndarray], query: int, n_bits: int, n: int) -> np.ndarray:
    """Positions in the database of the items that a query finds first.

    Items at the same distance, or with the same score, keep the order of the database.

    Parameters
    ----------
    codes : (queries, database)
        As :meth:`benchmark.store.store.Store.codes` gives them.
    query : int
    n_bits : int
    n : int

    Returns
    -------
    (n,) array of int64
        Fewer where the database is smaller.
    """
    queries, database = codes
    search = search_of_stored(queries)
    one, all_items = (search.restored(c, n_bits) for c in (queries[query : query + 1], database))
    if search is HAMMING:
        distances = (one != all_items).sum(axis=1)
    elif search is COSINE:
        lengths = np.linalg.norm(all_items, axis=1)
        distances = -(all_items @ one[0]) / np.where(lengths > 0, lengths, 1)
    else:
        table = one[0]
        distances = -table[np.arange(len(table)), all_items].sum(axis=1)
    return np.argsort(distances, kind="stable")[:n]
