"""DeepBit: bits that quantise little, are balanced, and withstand small rotations."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from scipy.special import logit
from torch import Tensor, nn

from features.pixels import ImageArray
from features.rotations import ANGLES, RotatedCopies, rotated
from methods import Task, register
from methods.itq import random_rotation
from methods.network import DeepHasher, HashNetwork, finished, head_inputs, make_network
from methods.pca import principal_axes, skip_pca
from methods.training import Recipe, as_tensor, train

#: Degrees of one step of theta in C(theta).
STEP = 5.0


@register("deepbit", paper="Lin et al., CVPR 2016", supervision="none")
class DeepBit(DeepHasher):
    """One layer whose outputs are near 0 or 1, on for half of the items, and steady when turned.

    With ``F = sigmoid(x W + c)`` in (0, 1)^b and ``b = [F > 1/2]`` it minimises

        ``alpha mean_n ||b_n - F_n||^2 + beta sum_k (mean_n F_nk - 1/2)^2
        + gamma mean_n,theta C(theta) ||F_n - F_n,theta||^2 / 2``

    with ``C(theta) = exp(-theta^2 / 2)``, theta in steps of five degrees: see
    :func:`quantisation_loss`, :func:`balance_loss` and :func:`rotation_loss`.  On features the
    third term needs the features of rotated images; **where there are none, it is left out**, and
    the method is then a part of DeepBit only.  End to end the pixels of each batch are rotated.

    A bit is ``F > t`` with t the mean of all training outputs, one number as in the released code.
    There the first two losses cancel (their gradients are added with opposite signs), so that its
    published figures cannot be expected.  As nothing in the objective keeps bits apart, the first
    term, which favours wide directions, soon makes them alike: on validation data of Corel5k
    alpha = 1 brings mAP at 48 bits from 0.128 at the start down to 0.083, alpha = 0.1 with a large
    gamma to 0.116.  W starts as randomly rotated principal axes.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    alpha, beta, gamma : float
        Weights of quantisation, balance and invariance; the released code has (1, 1, 0.001).
    epochs, batch_size, lr, optimizer, weight_decay, validation, patience
        See :class:`methods.training.Recipe`.
    preset : {"default", "paper"}
        ``paper``: the constants of the released code, without its 55,000 steps.
    random_state : int, optional
        Seed of the rotation, batches and the angle of each item.

    Attributes
    ----------
    network_ : HashNetwork
    threshold_ : float
        t.
    history_ : History

    References
    ----------
    K. Lin, J. Lu, C.-S. Chen, J. Zhou, "Learning compact binary descriptors with unsupervised deep
    neural networks", CVPR 2016.
    """

    choices: ClassVar[dict] = {"optimizer": ("adam", "sgd")}
    presets: ClassVar[dict] = {
        "paper": {
            "alpha": 1.0,
            "gamma": 0.001,
            "epochs": 20,
            "batch_size": 32,
            "lr": 1e-3,
            "optimizer": "sgd",
            "weight_decay": 5e-4,
        }
    }
    grid: ClassVar[dict] = {"alpha": (0.01, 0.1, 1.0)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        alpha: float = 0.1,
        beta: float = 1.0,
        gamma: float = 100.0,
        epochs: int = 10,
        batch_size: int = 128,
        lr: float = 1e-4,
        optimizer: str = "adam",
        weight_decay: float = 0.0,
        validation: float = 0.0,
        patience: int = 10,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.validation = validation
        self.patience = patience
        self.preset = preset
        self.random_state = random_state

    @property
    def uses(self) -> tuple[str, ...]:
        return ("copies",)

    def skip(self, task: Task) -> str | None:
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        return 12.0 * self.in_force().epochs * task.n_train * task.n_features * self.n_bits

    def fit(
        self,
        X: np.ndarray | ImageArray,
        *,
        tags: None = None,
        labels: None = None,
        copies: RotatedCopies | None = None,
    ) -> DeepBit:
        X = self.check_training_data(X)
        p = self.in_force()
        network = make_network(X, lambda width: nn.Linear(width, self.n_bits), seed=None)
        self._place(network, X)
        turned = turned_pairs(X, copies)

        def loss(logits: Tensor, rows: Tensor) -> Tensor:
            F = torch.sigmoid(logits)
            total = p.alpha * quantisation_loss(F) + p.beta * balance_loss(F)
            if turned is None:
                return total
            items, others, angles = turned(rows)
            pair = (torch.sigmoid(network(x.to(rows.device))) for x in (items, others))
            return total + p.gamma * rotation_loss(*pair, rotation_weights(angles).to(rows.device))

        self.history_ = train(
            network, X, loss, Recipe.of(p), seed=self.random_state, stage="deepbit"
        )
        self.network_ = finished(network)
        outputs = 1 / (1 + np.exp(-super().project(X)))
        self.threshold_ = float(outputs.mean())
        return self

    def project(self, X: np.ndarray | ImageArray) -> np.ndarray:
        return super().project(X) - logit(self.threshold_)

    def _place(self, network: HashNetwork, X: np.ndarray | ImageArray) -> None:
        """Start from principal axes, rotated at random, with scores of mean variance 1."""
        pca = principal_axes(head_inputs(network, X), self.n_bits)
        R = random_rotation(self.n_bits, self.random_state)
        W = pca.axes @ R / np.sqrt(pca.variances.mean() or 1.0)
        with torch.no_grad():
            network.head.weight.copy_(torch.from_numpy(W.T))
            network.head.bias.copy_(torch.from_numpy(-pca.mean @ W))


def turned_pairs(X: np.ndarray | ImageArray, copies: RotatedCopies | None):  # noqa: ANN201
    """For the rows of a batch: items, the same turned by an angle drawn for each, and the angles.

    Images are turned themselves; of features the items that have copies are drawn.  None where
    there are no copies.
    """
    if isinstance(X, ImageArray):

        def turned(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            angles = torch.tensor(ANGLES)[torch.randint(len(ANGLES), (len(rows),))]
            pixels = torch.from_numpy(X.read(rows.cpu().numpy()))
            return pixels, rotated(pixels, angles), angles

        return turned
    if copies is None or not len(copies.rows):
        return None
    upright, features = as_tensor(X[copies.rows]), as_tensor(copies.features)
    angles = torch.from_numpy(np.asarray(copies.angles)).float()

    def drawn(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        i, j = torch.randint(len(upright), (len(rows),)), torch.randint(len(angles), (len(rows),))
        return upright[i], features[i, j], angles[j]

    return drawn


def quantisation_loss(F: Tensor) -> Tensor:
    """Mean over items of ``||b_n - F_n||^2``, where b = [F > 1/2] is held fixed; F is (k, b)."""
    return ((F > 0.5).to(F.dtype) - F).square().sum(dim=1).mean()


def balance_loss(F: Tensor) -> Tensor:
    """``sum_k (mean_n F_nk - 1/2)^2``; of the outputs, as bits have no gradient."""
    return (F.mean(dim=0) - 0.5).square().sum()


def rotation_loss(F: Tensor, turned: Tensor, weights: Tensor) -> Tensor:
    """Mean over items of ``C(theta) ||F_n - F_n,theta||^2 / 2``; F and turned are (k, b)."""
    return (weights * (F - turned).square().sum(dim=1)).mean() / 2


def rotation_weights(angles: Tensor) -> Tensor:
    """``C(theta) = exp(-theta^2 / 2)`` with theta = angle / 5 degrees."""
    return torch.exp(-(angles / STEP).square() / 2)
