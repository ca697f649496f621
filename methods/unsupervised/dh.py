"""Deep hashing (DH), the unsupervised form."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from methods import Task, register
from methods.algebra.pca import PrincipalAxes, principal_axes
from methods.deep.network import DeepHasher, HashNetwork, Standardise, finished
from methods.deep.recipe import Recipe
from methods.deep.training import train

#: Units of the hidden layers for code lengths up to the key; the paper has those of 16, 32, 64.
LAYERS = {12: (60, 30), 16: (60, 30), 24: (70, 40), 32: (80, 50), 48: (100, 70), 64: (100, 80)}


@register("dh", paper="Liong et al., CVPR 2015", supervision="none")
class DH(DeepHasher):
    """A small tanh network whose outputs are near their signs, vary much and are uncorrelated.

    Minimises over weights W_l and biases c_l of the layers ``tanh(W_l x + c_l)``, with the last
    outputs H (b x n) and ``B = sgn(H)``,

        ``||B - H||^2 / 2n - lambda1 tr(H H') / 2n + lambda2 / 2 sum_l ||W_l W_l' - I||^2
        + lambda3 / 2 sum_l (||W_l||^2 + ||c_l||^2)``

    (:func:`deep_hashing_loss`).  The first two terms are means over items.  As printed the second
    is largest where every item has the same saturated code, and that is what training finds (mAP
    at chance level); so H is centred in it, which is what a variance means.  W_1 starts as the
    principal axes, the others as identities, the biases at 0; features are scaled so that the
    first b scores have a mean variance of 1.  A bit is ``h > 0``.

    Parameters
    ----------
    n_bits : int
        Code length b, at most the width of the features.
    lambda1, lambda2, lambda3 : float
        Weights of variance, orthogonality and size.
    center : bool
        Whether the variance is taken about the mean of the batch.
    steps, epochs, batch_size, lr, optimizer, schedule, validation, patience
        See :class:`methods.deep.recipe.Recipe`.  800 steps against 200, one seed: mAP .109 .136
        against .106 .133 on Corel5k (12, 32 bits).
    preset : {"default", "paper"}
        ``paper``: (100, 0.001, 0.001) and the second term as printed.
    random_state : int, optional
        Seed of the batches.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History

    References
    ----------
    V. E. Liong, J. Lu, G. Wang, P. Moulin, J. Zhou, "Deep hashing for compact binary codes
    learning", CVPR 2015.
    """

    choices: ClassVar[dict] = {
        "optimizer": ("adam", "sgd"),
    }
    presets: ClassVar[dict] = {
        "paper": {"lambda1": 100.0, "lambda2": 0.001, "lambda3": 0.001, "center": False}
    }
    end_to_end: ClassVar[bool] = False

    def __init__(
        self,
        n_bits: int = 32,
        *,
        lambda1: float = 10.0,
        lambda2: float = 30.0,
        lambda3: float = 0.001,
        center: bool = True,
        steps: int | None = 800,
        epochs: int | None = None,
        batch_size: int = 1024,
        lr: float = 1e-2,
        optimizer: str = "sgd",
        schedule: str = "constant",
        validation: float = 0.0,
        patience: int = 250,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.lambda3 = lambda3
        self.center = center
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.schedule = schedule
        self.validation = validation
        self.patience = patience
        self.preset = preset
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        limit = min(task.n_features, task.n_train - 1)
        return f"needs bits <= min(d, n - 1) = {limit}" if self.n_bits > limit else None

    def recipe(self) -> Recipe:
        return Recipe.of(self.in_force(), backbone_lr=0.0, weight_decay=0.0, halve_every=0)

    def operations(self, task: Task) -> float:
        widths = layer_sizes(self.n_bits, task.n_features, task.n_train)
        products = sum(a * b for a, b in zip([task.n_features, *widths], widths, strict=False))
        return 6.0 * self.recipe().n_seen(task.n_train) * products

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> DH:
        X = self.check_training_data(X)
        p = self.in_force()
        widths = layer_sizes(self.n_bits, X.shape[1], len(X))
        pca = principal_axes(X, widths[0])
        scale = float(np.sqrt(pca.variances[: self.n_bits].mean()))
        head = TanhLayers(pca, widths)
        network = HashNetwork(Standardise(pca.mean, scale), head)

        def loss(H: Tensor, rows: Tensor) -> Tensor:
            return deep_hashing_loss(H, head, p.lambda1, p.lambda2, p.lambda3, center=p.center)

        self.history_ = train(
            network,
            X,
            loss,
            self.recipe(),
            seed=self.random_state,
            stage="dh",
            depends_on=p.get_params(),
        )
        self.network_ = finished(network)
        return self


class TanhLayers(nn.Sequential):
    """``tanh(W_l x + c_l)``, started from the principal axes and identities."""

    def __init__(self, pca: PrincipalAxes, widths: tuple[int, ...]) -> None:
        layers = []
        for n_inputs, n_outputs in zip((len(pca.mean), *widths), widths, strict=False):
            layer = nn.Linear(n_inputs, n_outputs)
            nn.init.eye_(layer.weight)
            nn.init.zeros_(layer.bias)
            layers += [layer, nn.Tanh()]
        super().__init__(*layers)
        with torch.no_grad():
            self[0].weight.copy_(torch.from_numpy(pca.axes.T))

    @property
    def linear(self) -> list[nn.Linear]:
        return [layer for layer in self if isinstance(layer, nn.Linear)]


def deep_hashing_loss(
    H: Tensor,
    head: TanhLayers,
    lambda1: float,
    lambda2: float,
    lambda3: float,
    *,
    center: bool = True,
) -> Tensor:
    """The objective on a batch of outputs H (k, b), with B = sgn(H) held fixed."""
    B = torch.where(H > 0, 1.0, -1.0)
    k = len(H)
    quantisation = (B - H).square().sum() / (2 * k)
    centred = H - H.mean(dim=0) if center else H
    variance = centred.square().sum() / (2 * k)
    orthogonality = size = H.new_zeros(())
    for layer in head.linear:
        gram = layer.weight @ layer.weight.T
        orthogonality = (
            orthogonality + (gram - torch.eye(len(gram), device=H.device)).square().sum()
        )
        size = size + layer.weight.square().sum() + layer.bias.square().sum()
    return quantisation - lambda1 * variance + lambda2 / 2 * orthogonality + lambda3 / 2 * size


def layer_sizes(n_bits: int, n_features: int, n_train: int) -> tuple[int, ...]:
    """Units of the layers, not increasing: ``W W' = I`` needs that."""
    known = next((sizes for bits, sizes in LAYERS.items() if n_bits <= bits), (2 * n_bits, n_bits))
    limit = min(n_features, n_train - 1)
    return (*(min(limit, max(size, n_bits)) for size in known), n_bits)
