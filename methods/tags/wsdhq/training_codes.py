"""Codes and codebooks of the training items, for a network that is trained along with them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from methods.algebra.codebooks import Codebooks


class TrainingCodes(nn.Module):
    """What code words stand for the training items at present.

    Called with item numbers it gives the sums of their code words.
    """

    def __init__(self, n_items: int, n_dimensions: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("words", torch.zeros(sum(sizes), n_dimensions))
        self.register_buffer("rows", torch.zeros(n_items, len(sizes), dtype=torch.int32))
        self.register_buffer("known", torch.tensor(False))

    @property
    def codebooks(self) -> Codebooks | None:
        """None before the first :meth:`replace`."""
        return Codebooks(self.words.cpu().double().numpy(), self.sizes) if self.known else None

    def replace(self, codebooks: Codebooks, codes: np.ndarray) -> None:
        """Take other codebooks, and codes (n, M) of the training items."""
        self.words.copy_(torch.from_numpy(codebooks.words))
        self.rows.copy_(torch.from_numpy(codes + codebooks.starts[:-1]))
        self.known.fill_(True)

    def forward(self, items: Tensor) -> Tensor:
        return self.words[self.rows[items].long()].sum(dim=1)


def quantisation_loss(r: Tensor, x: Tensor, factor: Tensor) -> Tensor:
    """L_q: mean over images of ``||(r_n - x_n) F||^2 = sum_t (v_t . (r_n - x_n))^2``.

    Parameters
    ----------
    r, x : (k, e) tensors
        Embeddings, and the sums of code words that stand for them.
    factor : (e, f) tensor
        F, from :func:`methods.algebra.codebooks.metric_factor`.
    """
    return ((r - x) @ factor).square().sum(dim=1).mean()
