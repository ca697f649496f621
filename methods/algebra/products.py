"""Product codebooks: an item is cut into blocks, and each block gets the nearest of its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from methods.algebra.anchors import kmeans
from methods.algebra.blocks import row_blocks, squared_distances

#: Items that words are learnt from, for each word of the largest codebook; more change little.
ITEMS_PER_WORD = 256


@dataclass(frozen=True)
class ProductCodebooks:
    """M codebooks, one for each of M blocks of consecutive dimensions.

    Attributes
    ----------
    words : tuple of (K_m, d_m) arrays of float64
        The dimensions d_m add up to d.
    """

    words: tuple[np.ndarray, ...]

    def blocks(self, Z: np.ndarray) -> list[np.ndarray]:
        """The columns of (n, d) that belong to each codebook."""
        ends = np.cumsum([words.shape[1] for words in self.words])
        return np.split(Z, ends[:-1], axis=1)

    def assign(self, Z: np.ndarray) -> np.ndarray:
        """Nearest word of every block, (n, M) array of uint8."""
        codes = np.empty((len(Z), len(self.words)), dtype=np.uint8)
        for rows in row_blocks(len(Z)):
            for m, (block, words) in enumerate(zip(self.blocks(Z[rows]), self.words, strict=True)):
                codes[rows, m] = squared_distances(block, words).argmin(axis=1)
        return codes

    def tables(self, Z: np.ndarray) -> np.ndarray:
        """Squared distances of queries to all words, negated: (q, M, max K_m) array of float32."""
        sizes = [len(words) for words in self.words]
        tables = np.zeros((len(Z), len(sizes), max(sizes)), dtype=np.float32)
        for m, (block, words) in enumerate(zip(self.blocks(Z), self.words, strict=True)):
            tables[:, m, : len(words)] = -squared_distances(block, words)
        return tables

    def reconstruct(self, codes: np.ndarray) -> np.ndarray:
        """The words that codes (n, M) stand for, side by side, (n, d) array."""
        return np.hstack([words[codes[:, m]] for m, words in enumerate(self.words)])

    def moved(self, Z: np.ndarray, codes: np.ndarray) -> ProductCodebooks:
        """Every word at the mean of the items that it stands for; unused words stay."""
        moved = []
        for m, (block, words) in enumerate(zip(self.blocks(Z), self.words, strict=True)):
            counts = np.bincount(codes[:, m], minlength=len(words))
            sums = np.zeros_like(words)
            np.add.at(sums, codes[:, m], block)
            moved.append(
                np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], words)
            )
        return ProductCodebooks(tuple(moved))


def product_codebooks(
    Z: np.ndarray, sizes: Sequence[int], n_iter: int, random_state: int | None
) -> ProductCodebooks:
    """k-means centres of blocks of dimensions as even as possible.

    Parameters
    ----------
    Z : (n, d) array of float
    sizes : sequence of int
        K_1 .. K_M.  Where a block has fewer distinct rows than K_m, its words are these.
    n_iter : int
        Rounds of k-means.
    random_state : int, optional
    """
    blocks = np.array_split(Z, len(sizes), axis=1)
    words = [
        kmeans(np.ascontiguousarray(block), size, n_iter, random_state).centres
        for block, size in zip(blocks, sizes, strict=True)
    ]
    return ProductCodebooks(tuple(words))


def drawn_items(n: int, sizes: Sequence[int], random_state: int | None) -> np.ndarray:
    """Rows that the words are learnt from: all, or 256 for each word of the largest codebook."""
    wanted = ITEMS_PER_WORD * max(sizes)
    if n <= wanted:
        return np.arange(n)
    return np.sort(np.random.default_rng(random_state).permutation(n)[:wanted])


def skip_products(sizes: Sequence[int], n_train: int, n_features: int) -> str | None:
    """Why so many codebooks of these sizes cannot be learnt, or None."""
    if n_features < len(sizes):
        return f"needs d >= {len(sizes)}, a dimension for each codebook"
    return None if n_train >= max(sizes) else f"needs n >= {max(sizes)}, an item for each code word"
