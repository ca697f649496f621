"""Similarity and distances of the pairs of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, issparse
from torch import Tensor

from methods.deep.training import as_tensor

#: For row numbers (k,) of training items a (k, k) tensor of bool: which pairs share a label.
Similar = Callable[[Tensor], Tensor]


def similarity(targets: Any) -> Similar:
    """Which pairs of a mini-batch share a label.

    Parameters
    ----------
    targets : (n, c) array of bool, or sparse matrix
        Labels or tags of all training items; never more than the rows asked for are compared.
    """
    if issparse(targets):
        hot = csr_array(targets, dtype=np.float32)

        def similar(rows: Tensor) -> Tensor:
            chosen = hot[rows.cpu().numpy()]
            return torch.from_numpy((chosen @ chosen.T).toarray() > 0).to(rows.device)
    else:
        dense = as_tensor(np.asarray(targets, dtype=bool))

        def similar(rows: Tensor) -> Tensor:
            chosen = dense[rows.cpu()].to(rows.device)
            return chosen @ chosen.T > 0

    return similar


def squared_distances(h: Tensor) -> Tensor:
    """``||h_i - h_j||^2`` of all pairs of rows, (k, k)."""
    squares = h.square().sum(dim=1)
    return (squares[:, None] + squares[None] - 2 * h @ h.T).clamp(min=0)


def mean_over_pairs(values: Tensor) -> Tensor:
    """Mean of a symmetric (k, k) matrix over the pairs of different items."""
    k = len(values)
    return (values.sum() - values.diagonal().sum()) / (k * (k - 1))
