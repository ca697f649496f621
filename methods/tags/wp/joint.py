"""The joint objective of sem-vectors and codes in weakly supervised pre-training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from sklearn.utils import gen_batches
from torch import Tensor, nn
from torch.nn.functional import normalize

from features.pixels import ImageArray
from methods.deep.context import training_context
from methods.deep.network import HashNetwork
from methods.deep.recipe import Recipe
from methods.deep.training import Batches, outputs_of

#: Items whose codes say how long codes are before training.
ITEMS_FOR_LENGTH = 2000


class JointObjective:
    """Equation 7 of Guan et al. (IJCAI 2018) on mini-batches, for sem-vectors s and codes h.

    ``1/2 sum_i ||s_i - z_i||^2 + beta/2 sum_i s_i'L s_i + delta/4 sum_ij (s_i.s_j - h_i.h_j)^2``

    The paper prints delta/2 and a sum over ordered pairs, but gradients (equations 8 and 9) of
    half of that; with delta/4 they are the exact ones.

    Parameters
    ----------
    z : (n, M) array
        Observed sem-vectors; none of them zero.
    L : (M, M) array
        Laplacian of the sem-words' correlation.
    beta, delta : float
    scale : {"cosine", "none"}
        ``cosine``: z is scaled to unit length, and ``s_i.s_j`` in the third term is the cosine of
        ``s_i - c`` and ``s_j - c`` for the mean c of z.
    device : str

    Attributes
    ----------
    z : (n, M) tensor
        As it is compared with s.
    """

    def __init__(
        self,
        z: np.ndarray,
        L: np.ndarray,
        beta: float,
        delta: float,
        scale: str,
        device: str = "cpu",
    ) -> None:
        self.cosine = scale == "cosine"
        self.z = torch.as_tensor(z, device=device)
        if self.cosine:
            self.z = normalize(self.z, dim=1)
        self.center = self.z.mean(dim=0)
        self.L = torch.as_tensor(L, device=device).to(self.z.dtype)
        self.beta, self.delta = beta, delta
        self.smoothness = float(torch.linalg.eigvalsh(self.L)[-1])

    def own_terms(self, s: Tensor, rows: Tensor) -> Tensor:
        """First and second term: nearness to z, and equal entries where sem-words go together."""
        near = (s - self.z[rows]).square().sum()
        smooth = ((s @ self.L) * s).sum()
        return (near + self.beta * smooth) / 2

    def similarity(self, s: Tensor, h: Tensor) -> Tensor:
        """Third term: the same inner products in sem-vectors (k, M) as in codes (k, b)."""
        s = self.compared(s)
        return self.delta / 4 * (s @ s.T - h @ h.T).square().sum()

    def compared(self, s: Tensor) -> Tensor:
        """Vectors whose inner products are compared with those of the codes."""
        return normalize(s - self.center, dim=1) if self.cosine else s

    def step(self, sem_vectors: Tensor, rows: Tensor, h: Tensor) -> None:
        """One gradient step on some rows of the sem-vectors in place, with their codes h fixed.

        Its length is the reciprocal of the curvature.
        """
        s = sem_vectors[rows].requires_grad_()
        value = self.own_terms(s, rows) + self.similarity(s, h)
        (gradient,) = torch.autograd.grad(value, s)
        sem_vectors[rows] -= gradient / self._curvature(s.detach())

    def _curvature(self, s: Tensor) -> Tensor:
        """About the largest curvature of the objective in each row, (k, 1)."""
        pairs = self.compared(s).square().sum()
        if self.cosine:
            # Close to c a small move turns a vector far.
            pairs = 2 * pairs / (s - self.center).square().sum(dim=1, keepdim=True).clamp(min=1e-3)
        return 1 + self.beta * self.smoothness + 2 * self.delta * pairs


class JointNetwork(HashNetwork):
    """A network together with the sem-vectors (n, M), so that checkpoints hold both."""

    def __init__(self, network: HashNetwork, sem_vectors: Tensor) -> None:
        super().__init__(network.front, network.head)
        self.register_buffer("sem_vectors", sem_vectors.clone())


def start_as_long_as(
    z: Tensor, network: HashNetwork, X: np.ndarray | ImageArray, recipe: Recipe
) -> None:
    """Scale the last layer in place so that at the start codes are about as long as sem-vectors.

    Much longer codes would first be driven apart whatever they show, and what the network knew
    of similar images with that.
    """
    some = np.linspace(0, len(X) - 1, min(len(X), ITEMS_FOR_LENGTH)).astype(int)
    parts = gen_batches(len(some), recipe.batch_size)
    batches = (some[part] for part in parts)
    h = torch.cat([first_of(o) for o, _ in outputs_in_search(network, X, recipe, batches)])
    lengths = [v.square().sum(dim=1).mean().sqrt() for v in (z, h)]
    ratio = float(lengths[0] / lengths[1].clamp(min=1e-6))
    last = [layer for layer in network.head.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter *= ratio


@torch.no_grad()
def outputs_in_search(
    network: HashNetwork,
    X: np.ndarray | ImageArray,
    recipe: Recipe,
    batches: Iterable[np.ndarray],
) -> Iterator[tuple[Any, Tensor]]:
    """Outputs of a network for batches of row numbers, as it encodes them, and these rows."""
    device = torch.device(training_context().device)
    network.eval().to(device)
    items = Batches(X, recipe, np.random.default_rng(0), device)
    for rows in batches:
        pixels_or_features, index = items.batch(rows)
        yield outputs_of(network, pixels_or_features), index


def first_of(outputs: Any) -> Tensor:
    """The first output of a network, which holds the scores."""
    return outputs if isinstance(outputs, Tensor) else outputs[0]
