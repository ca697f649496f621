"""DeepBit: bits that quantise little, are balanced, and withstand small rotations."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
import torch
from scipy.special import expit, logit
from sklearn.utils import gen_batches
from torch import Tensor, nn

from features.backbones import Backbone
from features.pixels import ImageArray
from features.rotations import ANGLES, RotatedCopies, rotated
from methods import Task, register
from methods.itq import random_rotation
from methods.network import DeepHasher, HashNetwork, ImageFront, Standardise, finished, make_network
from methods.pca import principal_axes, skip_pca
from methods.training import Recipe, as_tensor, train


@register("deepbit", paper="Lin et al., CVPR 2016", supervision="none")
class DeepBit(DeepHasher):
    """draft"""

    choices: ClassVar[dict] = {"init": ("pca", "gaussian"), "optimizer": ("adam", "sgd")}
    presets: ClassVar[dict] = {"paper": {}}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        alpha: float = 1.0,
        beta: float = 1.0,
        gamma: float = 1.0,
        init: str = "pca",
        scale: float = 1.0,
        epochs: int = 20,
        batch_size: int = 128,
        lr: float = 1e-3,
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
        self.init = init
        self.scale = scale
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

    def fit(self, X, *, tags=None, labels=None, copies=None):
        X = self.check_training_data(X)
        p = self.in_force()
        torch.manual_seed(self.random_state or 0)
        network = make_network(X, lambda width: nn.Linear(width, self.n_bits), seed=self.random_state)
        W = network.head.weight
        with torch.no_grad():
            nn.init.zeros_(network.head.bias)
            if p.init == "pca":
                pca = principal_axes(X, self.n_bits)
                sc = float(np.sqrt(pca.variances.mean()))
                R = random_rotation(self.n_bits, self.random_state)
                W.copy_(torch.from_numpy((pca.axes @ R).T * p.scale * float(network.front.scale) / sc))
            else:
                W.normal_(0, p.scale / np.sqrt(X.shape[1]))
        if copies is not None:
            Xt = as_tensor(X)[torch.from_numpy(copies.rows)]
            Ct = as_tensor(copies.features)
            w = rotation_weights(copies.angles)

        def loss(z, rows):
            F = torch.sigmoid(z)
            L = p.alpha * quantisation_loss(F) + p.beta * balance_loss(F)
            if copies is not None and p.gamma:
                i = torch.randint(len(Xt), (len(rows),))
                j = torch.randint(Ct.shape[1], (len(rows),))
                a = torch.sigmoid(network(Xt[i])); c = torch.sigmoid(network(Ct[i, j]))
                L = L + p.gamma * rotation_loss(a, c, w[j])
            return L

        self.history_ = train(network, X, loss, Recipe.of(p), seed=self.random_state, stage="deepbit")
        self.network_ = finished(network)
        F = torch.sigmoid(self.network_(torch.from_numpy(np.asarray(X, dtype=float))))
        self.threshold_ = float(F.mean())
        return self

    def project(self, X):
        return super().project(X) - logit(self.threshold_)


def quantisation_loss(F):
    return ((F > 0.5).float() - F).square().sum(dim=1).mean()

def balance_loss(F):
    return (F.mean(dim=0) - 0.5).square().sum()

def rotation_loss(F, turned, weights):
    return (weights * (F - turned).square().sum(dim=1)).mean() / 2

def rotation_weights(angles):
    return torch.exp(-(torch.as_tensor(angles).float() / 5).square() / 2)
