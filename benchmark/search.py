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
    """

    evaluate: Callable[..., Evaluation]
    stored: Callable[[np.ndarray], np.ndarray]


def search_of(hasher: Hasher) -> Search:
    """By score for a quantiser, by Hamming distance for every other method."""
    return SCORES if isinstance(hasher, Quantizer) else HAMMING


def _packed(bits: np.ndarray) -> np.ndarray:
    return np.packbits(bits, axis=1, bitorder="little")


HAMMING = Search(evaluate, _packed)
SCORES = Search(evaluate_scores, np.asarray)
