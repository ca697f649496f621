"""How items are found again by what a method makes of them: Hamming distance, or scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.evaluation import Evaluation
from benchmark.protocol import evaluate, evaluate_scores
from methods import Quantizer

if TYPE_CHECKING:
    from methods import Hasher


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


def search_of(hasher: Hasher) -> Search:
    """By score for a quantiser, by Hamming distance for every other method."""
    return SCORES if isinstance(hasher, Quantizer) else HAMMING


def search_of_stored(queries: np.ndarray) -> Search:
    """The search that the queries in a ``codes.npz`` are for: only tables have three axes."""
    return SCORES if queries.ndim == 3 else HAMMING


def _packed(bits: np.ndarray) -> np.ndarray:
    return np.packbits(bits, axis=1, bitorder="little")


def _unpacked(packed: np.ndarray, n_bits: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=n_bits, bitorder="little").astype(bool)


def _as_they_are(codes: np.ndarray, n_bits: int) -> np.ndarray:
    return codes


HAMMING = Search(evaluate, _packed, _unpacked)
SCORES = Search(evaluate_scores, np.asarray, _as_they_are)
