"""Product quantisation (PQ)."""

from __future__ import annotations

import numpy as np

from methods import Quantizer, Task, register
from methods.algebra.products import drawn_items, product_codebooks, skip_products


@register("pq", paper="Jégou et al., TPAMI 2011", supervision="none", fidelity="paper")
class PQ(Quantizer):
    """k-means on M blocks of consecutive features; ranks by squared distance from the query.

    An item x is stored as the nearest centre c of each block, and a query q is compared with it by
    ``-sum_m ||q_m - c_m||^2``, a sum of M table entries (asymmetric distance, section 3.1).

    Parameters
    ----------
    n_bits : int
        Bits of an item's M code words together, 8 bits each where they divide by 8.
    n_iter : int
        Rounds of k-means.
    random_state : int, optional
        Seed of k-means, and of the items that it learns from where there are more than 256 for
        each centre.

    Attributes
    ----------
    codebooks_ : ProductCodebooks

    References
    ----------
    H. Jégou, M. Douze, C. Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI
    33(1), 2011.
    """

    def __init__(
        self, n_bits: int = 32, *, n_iter: int = 25, random_state: int | None = None
    ) -> None:
        self.n_bits = n_bits
        self.n_iter = n_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_products(self.codebook_sizes, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        return 4.0 * task.n_train * task.n_features * max(self.codebook_sizes) * self.n_iter

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> PQ:
        X = self.check_training_data(X)
        rows = drawn_items(len(X), self.codebook_sizes, self.random_state)
        self.codebooks_ = product_codebooks(
            X[rows], self.codebook_sizes, self.n_iter, self.random_state
        )
        return self

    def assign(self, X: np.ndarray) -> np.ndarray:
        return self.codebooks_.assign(X)

    def tables(self, X: np.ndarray) -> np.ndarray:
        return self.codebooks_.tables(X)
