"""How what a method has learnt is searched: by its codes, or by real-valued scores in their place.

A code keeps the signs of b scores.  Queries need no code, since nothing of them is stored: their
scores themselves can rank the codes of the items (asymmetric search).  Scores of the items too
show what the signs lose: no code, but a bound on what codes of these scores can reach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from methods.base import Hasher
from methods.quantizer import Quantizer


@dataclass(frozen=True)
class Representation:
    """What items and queries become, and how the two are compared.

    Attributes
    ----------
    ranked_by : {"hamming", "scores", "cosine"}
        As :attr:`Hasher.ranked_by`.
    items, queries : callable
        From a fitted method and features, or images, to an array with a row for each.
    """

    ranked_by: str
    items: Callable[[Hasher, np.ndarray], np.ndarray]
    queries: Callable[[Hasher, np.ndarray], np.ndarray]


def representation(hasher: Hasher, search: str | None) -> Representation:
    """How a method is searched: as it says itself, or as the option of its variant says.

    Parameters
    ----------
    hasher : Hasher
    search : {"asymmetric", "real"}, optional
        ``asymmetric`` ranks codes of -1 and +1 by their inner product with the query's scores,
        ``real`` scores by their cosine with the query's.

    Raises
    ------
    ValueError
        If the method has no scores whose signs are its codes.
    """
    if search is None:
        return Representation(hasher.ranked_by, _own_codes, _own_queries)
    if isinstance(hasher, Quantizer) or hasher.ranked_by != "hamming":
        raise ValueError(f"search={search} is for methods whose codes are signs of scores")
    return SEARCHES[search]


def byte_codes(hasher: Hasher, X: np.ndarray) -> np.ndarray:
    """The bits of a method, eight a byte.

    Returns
    -------
    (n, ceil(b / 8)) array of uint8
        Bit k is bit k % 8 of byte k // 8; unused bits are 0.
    """
    return np.packbits(hasher.encode(X), axis=1, bitorder="little")


def byte_tables(hasher: Hasher, X: np.ndarray) -> np.ndarray:
    """Scores of queries as look-up tables over the bytes of a code.

    The score of an item with the signs ``b_k`` is ``sum_k b_k s_k(query)``, an inner product
    (asymmetric distance; Gordo, Perronnin, Gong and Lazebnik, TPAMI 2014).  A byte has 256 values,
    so that eight terms are one entry.

    Returns
    -------
    (q, ceil(b / 8), 256) array of float32
        Entry [q, m, v] is the sum over the bits of byte m, each +1 or -1 as in v, times scores.
    """
    scores = hasher.scores(X)
    q, n_bits = scores.shape
    n_bytes = -(-n_bits // 8)
    padded = np.zeros((q, 8 * n_bytes))
    padded[:, :n_bits] = scores
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    signs = 2.0 * bits - 1
    return (padded.reshape(q, n_bytes, 8) @ signs.T).astype(np.float32)


def real_scores(hasher: Hasher, X: np.ndarray) -> np.ndarray:
    """The scores themselves, (n, b) array of float32."""
    return hasher.scores(X).astype(np.float32)


def _own_codes(hasher: Hasher, X: np.ndarray) -> np.ndarray:
    return hasher.encode(X)


def _own_queries(hasher: Hasher, X: np.ndarray) -> np.ndarray:
    return hasher.encode_queries(X)


#: By the word that the option ``search`` of a variant takes.
SEARCHES = {
    "asymmetric": Representation("scores", byte_codes, byte_tables),
    "real": Representation("cosine", real_scores, real_scores),
}
