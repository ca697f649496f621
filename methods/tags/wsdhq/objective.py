"""The network of WSDHQ and what it minimises."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn.functional import normalize

from methods.deep.network import FeatureDropout, dense
from methods.tags.wsdhq.margins import embedding_loss, tag_margins
from methods.tags.wsdhq.training_codes import TrainingCodes, quantisation_loss


def make_head(width: int, n_outputs: int, method: Any) -> nn.Module:
    """tanh of a layer with weights from N(0, 0.01^2), on ReLU units or on the features alone."""
    output = nn.Linear(method.hidden or width, n_outputs)
    nn.init.normal_(output.weight, std=0.01)
    nn.init.zeros_(output.bias)
    inner = [dense(width, method.hidden), nn.ReLU()] if method.hidden else []
    return nn.Sequential(FeatureDropout(method.dropout), *inner, output, nn.Tanh())


class Objective:
    """``L_emb + lam L_q`` of a batch; L_q counts nothing before there are codes.

    Parameters
    ----------
    carried : (n, T) sparse matrix of bool
        Which training item carries which tag.
    vectors : (T, e) array
        Of the tags.
    factor : (e, f) array
    codes : TrainingCodes
    method : WSDHQ
        For its parameters.
    """

    def __init__(
        self,
        carried: csr_array,
        vectors: np.ndarray,
        factor: np.ndarray,
        codes: TrainingCodes,
        method: Any,
    ) -> None:
        self.carried, self.codes = carried, codes
        self.vectors, self.factor = torch.from_numpy(vectors).float(), torch.from_numpy(factor)
        self.margins = tag_margins(self.vectors, method.gamma, method.margin)
        self.lam, self.on_sphere = method.lam, method.normalize

    def __call__(self, r: Tensor, rows: Tensor) -> Tensor:
        L_emb = self.L_emb(r, rows)
        if not self.codes.known:
            return L_emb
        on_sphere = normalize(r, dim=1) if self.on_sphere else r
        return L_emb + self.lam * quantisation_loss(on_sphere, self.codes(rows), self.factor.to(r))

    def L_emb(self, r: Tensor, rows: Tensor) -> Tensor:
        positive = torch.from_numpy(self.carried[rows.cpu().numpy()].toarray())
        return embedding_loss(r, positive.to(r.device), self.vectors.to(r), self.margins.to(r))
