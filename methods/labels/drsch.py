"""Deep regularised similarity comparison hashing (DRSCH)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from features.pixels import ImageArray
from methods import Task, register
from methods.deep.network import FeatureDropout, HashNetwork, dense
from methods.deep.pairs import Similar, squared_distances
from methods.deep.recipe import History
from methods.deep.supervised import HIDDEN, SupervisedHasher
from methods.deep.training import Loss


@register("drsch", paper="Zhang et al., IEEE TIP 2015", supervision="labels")
class DRSCH(SupervisedHasher):
    """Weighted bits in which similar items are nearer than dissimilar ones, by a margin.

    The codes before they are made binary are ``v = 2 / (1 + exp(-kappa a)) - 1`` for the outputs
    a of a linear layer, and each bit has a learnt weight, ``z = w v``.  The loss of a mini-batch is

        ``mean over triplets of max(0, c + ||z_q - z_p||^2 - ||z_q - z_n||^2)
        + lambda tr(Z' L Z)``

    over triplets of an item q, one p that shares a label with it and one n that shares none; see
    :func:`triplet_loss` and :func:`smoothness`.  A bit is ``v > 0``; more bits may be trained than
    are kept, which then are those of largest |w|.  Distances between the codes are plain Hamming
    distances; ``weights_`` gives what the paper's weighted ones need, ``sum w^2 [b != b']``.

    The paper's batches hold ten classes with ten images each; here they are drawn at random, as an
    item may have several labels.  On features one hidden layer stands for the convolutional part.

    Parameters
    ----------
    n_bits : int
        Code length b.
    labels : {"labels", "tags"}
        What makes two items similar: a common label, or a common tag.
    n_trained : int, optional
        Bits that are trained, at least b; by default b.
    kappa : float
        Slope of the scaled tanh.  The paper takes 5.
    margin : float, optional
        c; by default the number of trained bits.  The paper takes 5.
    n_negatives : int
        Negatives n of a pair (q, p) at most: the nearest to q of those farther away than p.
    laplacian : float
        lambda, for the sum over a mini-batch.  The paper takes 0.001.
    dropout : float
        Share of hidden units left out in training.
    lr, backbone_lr, optimizer, weight_decay, batch_size
        See :class:`methods.deep.recipe.Recipe`.
    steps, epochs, schedule, validation, patience
        Likewise.  The best round of steps is that of the smallest mean over all triplets of the
        validation part, not only over the hard ones.
    preset : {"default", "paper"}
        ``paper``: the settings of the released program with all of its 800,000 steps, an hour on
        features and weeks end to end.  After 2,700 steps on Corel5k mAP at 32 bits is 0.244, and
        0.437 with Adam at 1e-3 and all else equal (default: 0.462).
    random_state : int, optional
        Seed of weights, batches, dropout and validation part.

    Attributes
    ----------
    network_ : HashNetwork
    weights_ : (b,) array of float
        w of the bits kept.
    history_ : History
        Losses of every round of steps.

    References
    ----------
    R. Zhang, L. Lin, R. Zhang, W. Zuo, L. Zhang, "Bit-scalable deep hashing with regularized
    similarity learning for image retrieval and person re-identification", IEEE TIP 24(12), 2015.
    """

    presets: ClassVar[dict] = {
        "paper": {
            "kappa": 5.0,
            "margin": 5.0,
            "laplacian": 1e-3,
            "steps": 800_000,
            "epochs": None,
            "batch_size": 100,
            "lr": 1e-2 / 3,
            "optimizer": "sgd",
            "schedule": "constant",
            "weight_decay": 5e-4,
            "validation": 0.0,
        }
    }
    grid: ClassVar[dict] = {"kappa": (1.0, 2.0, 5.0), "laplacian": (0.0, 1e-5, 1e-4)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        labels: str = "labels",
        n_trained: int | None = None,
        kappa: float = 2.0,
        margin: float | None = None,
        n_negatives: int = 10,
        laplacian: float = 1e-5,
        dropout: float = 0.0,
        steps: int | None = 2000,
        epochs: int | None = None,
        batch_size: int = 128,
        lr: float = 1e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        weight_decay: float = 0.0,
        validation: float = 0.1,
        patience: int = 500,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.labels = labels
        self.n_trained = n_trained
        self.kappa = kappa
        self.margin = margin
        self.n_negatives = n_negatives
        self.laplacian = laplacian
        self.dropout = dropout
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.backbone_lr = backbone_lr
        self.optimizer = optimizer
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.validation = validation
        self.patience = patience
        self.preset = preset
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        if self.n_trained is not None and self.n_trained < self.n_bits:
            return f"needs n_trained >= {self.n_bits} bits"
        return super().skip(task)

    def make_head(self, width: int) -> nn.Module:
        p = self.in_force()
        return WeightedBits(width, self.n_trained or self.n_bits, p.kappa, p.dropout)

    def make_loss(self, head: nn.Module, similar: Similar) -> Loss:
        p = self.in_force()
        margin = len(head.weights) if p.margin is None else p.margin

        def loss(v: Tensor, rows: Tensor) -> Tensor:
            z, s = v * head.weights, similar(rows)
            # Among hard triplets alone the loss does not fall as the codes get better.
            n_negatives = p.n_negatives if head.training else None
            return triplet_loss(z, s, margin, n_negatives) + p.laplacian * smoothness(z, s)

        return loss

    def train_supervised(
        self, network: HashNetwork, X: np.ndarray | ImageArray, targets: Any
    ) -> History:
        history = super().train_supervised(network, X, targets)
        network.head.keep(self.n_bits)
        return history

    def fit(self, X: np.ndarray | ImageArray, *, tags: Any = None, labels: Any = None) -> DRSCH:
        super().fit(X, tags=tags, labels=labels)
        self.weights_ = self.network_.head.weights.numpy()
        return self


class WeightedBits(nn.Module):
    """A hidden layer, b outputs through the scaled tanh, and the weights of the bits."""

    def __init__(self, width: int, n_bits: int, kappa: float, dropout: float) -> None:
        super().__init__()
        self.kappa = kappa
        self.hidden = nn.Sequential(dense(width, HIDDEN), nn.ReLU(), FeatureDropout(dropout))
        self.bits = dense(HIDDEN, n_bits)
        self.weights = nn.Parameter(torch.ones(n_bits))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.kappa / 2 * self.bits(self.hidden(x)))

    def keep(self, n_bits: int) -> None:
        """Drop all but the bits with the largest weights, whatever their sign."""
        kept = self.weights.detach().abs().argsort(descending=True, stable=True)[:n_bits]
        kept = kept.sort().values
        self.weights = nn.Parameter(self.weights.detach()[kept])
        self.bits.weight = nn.Parameter(self.bits.weight.detach()[kept])
        self.bits.bias = nn.Parameter(self.bits.bias.detach()[kept])
        self.bits.out_features = len(kept)


def triplet_loss(z: Tensor, similar: Tensor, margin: float, n_negatives: int | None) -> Tensor:
    """Mean over triplets (q, p, n) of ``max(0, c + ||z_q - z_p||^2 - ||z_q - z_n||^2)``.

    Parameters
    ----------
    z : (k, b) tensor
    similar : (k, k) tensor of bool
        Pairs (q, p); all others, but for an item with itself, are pairs (q, n).
    margin : float
        c.
    n_negatives : int or None
        For each pair (q, p) only so many n, the nearest to q that are farther away than p; all of
        them for None.
    """
    distances = squared_distances(z)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    q, p = (similar & ~itself).nonzero(as_tuple=True)
    farther = distances[q] - distances[q, p][:, None]
    chosen = ~(similar | itself)[q]
    if n_negatives is not None:
        ahead = farther.detach().masked_fill(~chosen | (farther <= 0), torch.inf)
        nearest = ahead.topk(min(n_negatives, len(z)), dim=1, largest=False)
        farther, chosen = farther.gather(1, nearest.indices), nearest.values.isfinite()
    return ((margin - farther).relu() * chosen).sum() / chosen.sum().clamp(min=1)


def smoothness(z: Tensor, similar: Tensor) -> Tensor:
    """``tr(Z' L Z)`` = half the sum over ordered pairs of ``W_ij ||z_i - z_j||^2``, L = D - W.

    The affinity W is 1 for similar pairs and 0.001 for the others, D its row sums.
    """
    return (affinity(similar) * squared_distances(z)).sum() / 2


def affinity(similar: Tensor) -> Tensor:
    """W, (k, k)."""
    return torch.where(similar, 1.0, 0.001)
