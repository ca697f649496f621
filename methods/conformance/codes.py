"""What the conformance suite has to know of the forms of codes: bits, code words, and none."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from methods.base import Hasher
from methods.quantizer import Quantizer


class Form(NamedTuple):
    """A form of codes.

    Attributes
    ----------
    dtype : type
        Of the codes.
    shapes : function of a hasher to dict of str to tuple of int
        Functions that the method itself defines, with the shape of what they give for one item;
        a code has the shape of the first.
    n_bits : function of a hasher to float
        Bits that a code takes.
    similarities : function of queries and database codes to (q, n) array
        What items are ranked by, larger first.
    """

    dtype: type
    shapes: Callable[[Hasher], dict[str, tuple[int, ...]]]
    n_bits: Callable[[Hasher], float]
    similarities: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def code_shape(self, hasher: Hasher) -> tuple[int, ...]:
        """Shape of the code of one item."""
        return next(iter(self.shapes(hasher).values()))

    def outputs(self, hasher: Hasher, X: np.ndarray) -> dict[str, np.ndarray]:
        """What the functions of the method give for items, without the checks of the base class."""
        return {name: np.asarray(getattr(hasher, name)(X)) for name in self.shapes(hasher)}


def form_of(hasher: Hasher) -> Form:
    """The form of the codes that a method gives."""
    if hasher.ranked_by == "cosine":
        return VECTORS
    return WORDS if isinstance(hasher, Quantizer) else BITS


BITS = Form(
    dtype=bool,
    shapes=lambda hasher: {"project": (hasher.n_bits,)},
    n_bits=lambda hasher: hasher.n_bits,
    similarities=lambda queries, codes: -(queries[:, None] != codes).sum(axis=2),
)


def _shapes_of_words(hasher: Quantizer) -> dict[str, tuple[int, ...]]:
    M, K = len(hasher.codebook_sizes), max(hasher.codebook_sizes)
    return {"assign": (M,), "tables": (M, K)}


def _scores(tables: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return sum(tables[:, m, codes[:, m]] for m in range(codes.shape[1]))


VECTORS = Form(
    dtype=np.float32,
    shapes=lambda hasher: {"encode": (getattr(hasher, "n_features_in_", 0),)},
    n_bits=lambda hasher: 0,
    similarities=cosine_similarity,
)

WORDS = Form(
    dtype=np.uint8,
    shapes=_shapes_of_words,
    n_bits=lambda hasher: np.log2(hasher.codebook_sizes).sum(),
    similarities=_scores,
)
