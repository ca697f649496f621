"""DeepBit: bits that lose little, are balanced, and withstand small rotations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.special import expit, logit
from torch import Tensor, nn

from features.pixels import ImageArray
from features.rotations import ANGLES, RotatedCopies, rotated
from methods import Task, register
from methods.algebra.pca import PrincipalAxes, principal_axes, skip_pca
from methods.algebra.rotations import random_rotation
from methods.deep.context import training_context
from methods.deep.network import DeepHasher, HashNetwork, finished, head_inputs, make_network
from methods.deep.recipe import Recipe
from methods.deep.training import as_tensor, train
from methods.unsuitable import Unsuitable


@register("deepbit", paper="Lin et al., CVPR 2016", supervision="none")
class DeepBit(DeepHasher):
    """Outputs near 0 or 1, each 1/2 on average, and the same for an image that is turned a little.

    The last layer gives ``F = sigmoid(W x + c)`` in (0, 1)^b; with bits ``b_n = [F_n > 1/2]`` it
    minimises ``alpha L1 + beta L2 + gamma L3``:

    * L1, :func:`quantisation_loss`: F is near its bits;
    * L2, :func:`balance_loss`: the mean of each output over a batch is near 1/2;
    * L3, :func:`rotation_loss`: F stays where it is when the image is rotated by -10, -5, 5 or 10
      degrees; larger angles weigh less (:func:`rotation_weights`).

    Everything before that layer stays as it was pretrained.  The final threshold is the mean of
    all training outputs over items and bits, one number.

    On features L3 needs ``copies``, the features of rotated images.  **Without them it is left
    out**, which fit says by a warning: what remains is no complete DeepBit.  On images a rotated
    crop is made for each item of a batch.

    Nothing in the objective keeps two bits from being alike, and from Gaussian weights they all
    turn to the direction of largest variance.  So by default x are scores on the first b principal
    axes, each scaled to variance 1, where that pull is absent, and W starts as a random rotation
    of the principal axes.

    Parameters
    ----------
    n_bits : int
        Code length b; with ``init="principal"`` at most min(d, n - 1).
    alpha, beta, gamma : float
        Weights of the losses.
    init : {"principal", "gaussian"}
        ``gaussian``: x are the features, centred and scaled to a mean variance of 1, and W starts
        with Gaussian entries of deviation 0.01, as in the released program.
    steps, epochs, batch_size, lr, optimizer, schedule, weight_decay
        See :class:`methods.deep.recipe.Recipe`.
    preset : {"default", "paper"}
        ``paper``: constants of the released program, with its 50,000 + 5,000 steps
        (its rotation loss comes in with the last 5,000).  It has a ReLU in
        place of the sigmoid, and an error in its gradients: L1 and L2 cancel out.
    random_state : int, optional
        Seed of W, batches, crops and angles.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History
    threshold_ : float
        Mean of F over training items and bits; a bit is ``F > threshold_``.

    References
    ----------
    K. Lin, J. Lu, C.-S. Chen, J. Zhou, "Learning compact binary descriptors with unsupervised
    deep neural networks", CVPR 2016.
    """

    choices: ClassVar[dict] = {
        "init": ("principal", "gaussian"),
        "optimizer": ("adam", "sgd"),
    }
    presets: ClassVar[dict] = {
        "paper": {
            "alpha": 1.0,
            "beta": 1.0,
            "gamma": 0.001,
            "init": "gaussian",
            "steps": 55_000,
            "epochs": None,
            "batch_size": 32,
            "lr": 1e-3,
            "optimizer": "sgd",
            "schedule": "constant",
            "weight_decay": 5e-4,
        }
    }
    grid: ClassVar[dict] = {"beta": (0.3, 1.0, 3.0), "gamma": (0.3, 1.0, 10.0)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        alpha: float = 1.0,
        beta: float = 1.0,
        gamma: float = 1.0,
        init: str = "principal",
        steps: int | None = 700,
        epochs: int | None = 100,
        batch_size: int = 128,
        lr: float = 1e-2,
        optimizer: str = "sgd",
        schedule: str = "constant",
        weight_decay: float = 0.0,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.init = init
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.preset = preset
        self.random_state = random_state

    @property
    def uses(self) -> tuple[str, ...]:
        return ("copies",) if self.in_force().gamma > 0 else ()

    def skip(self, task: Task) -> str | None:
        if self.in_force().init == "gaussian":
            return None
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def recipe(self) -> Recipe:
        # The backbone stays as it is, and the loss falls on new items as on old ones: there is
        # nothing to choose weights by.
        others = {"backbone_lr": 0.0, "halve_every": 0, "validation": 0.0, "patience": 1}
        return Recipe.of(self.in_force(), **others)

    def operations(self, task: Task) -> float:
        return 18.0 * self.recipe().n_seen(task.n_train) * task.n_features * self.n_bits

    def fit(
        self,
        X: np.ndarray,
        *,
        tags: None = None,
        labels: None = None,
        copies: RotatedCopies | None = None,
    ) -> DeepBit:
        X = self.check_training_data(X)
        p = self.in_force()
        network = make_network(
            X, lambda width: gaussian_layer(width, self.n_bits), seed=self.random_state
        )
        if p.init == "principal":
            inputs = head_inputs(network, X)
            if reason := skip_pca(self.n_bits, *inputs.shape):
                raise Unsuitable(f"DeepBit: {reason}")
            network.head = principal_layer(principal_axes(inputs, self.n_bits), self.random_state)
        if isinstance(X, ImageArray):
            network = RotatingNetwork(network.front, network.head)
        views = _views_of(network, X, copies, p.gamma)

        def loss(outputs: Any, rows: Tensor) -> Tensor:
            F, *pair = outputs if isinstance(outputs, tuple) else (outputs, *views(len(rows)))
            F = torch.sigmoid(F)
            total = p.alpha * quantisation_loss(F) + p.beta * balance_loss(F)
            if pair:
                upright, turned, weights = pair
                L3 = rotation_loss(torch.sigmoid(upright), torch.sigmoid(turned), weights)
                total = total + p.gamma * L3
            return total

        self.history_ = train(
            network,
            X,
            loss,
            self.recipe(),
            seed=self.random_state,
            stage="deepbit",
            depends_on=(p.get_params(), copies),
        )
        self.network_ = finished(network)
        self.threshold_ = float(expit(super().project(X)).mean(dtype=np.float64))
        return self

    def project(self, X: np.ndarray | ImageArray) -> np.ndarray:
        return super().project(X) - logit(self.threshold_)


#: Deviations at the start: of the weights, and of the scores on principal axes.  Outputs that
#: start farther from 1/2 learn less (measured: 0.3, 1 and 3).
GAUSSIAN, PRINCIPAL = 0.01, 0.3

#: Degrees for one step of the angle in the weights.
STEP = 5.0


class RotatingNetwork(HashNetwork):
    """Scores of images; in training those of rotated crops too, and the weights of their angles.

    The backbone is not trained.
    """

    def __init__(self, front: nn.Module, head: nn.Module) -> None:
        super().__init__(front, head)
        self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> RotatingNetwork:
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, pixels: Tensor) -> Any:
        if not self.training:
            return super().forward(pixels)
        crops = self.front.crops(pixels)
        angles = torch.tensor(ANGLES)[torch.randint(len(ANGLES), (len(crops),))].to(crops.device)
        both = torch.cat([crops, rotated(crops, angles)])
        upright, turned = self.head(self.front.look(both)).chunk(2)
        return upright, upright, turned, rotation_weights(angles)


class Whitening(nn.Module):
    """Scores on principal axes, each scaled to variance 1; 0 on an axis without variance."""

    def __init__(self, axes: PrincipalAxes) -> None:
        super().__init__()
        scales = np.sqrt(np.where(axes.variances > 0, axes.variances, 1))
        self.register_buffer("mean", torch.from_numpy(axes.mean).float())
        self.register_buffer("axes", torch.from_numpy(axes.axes / scales).float())

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) @ self.axes


def gaussian_layer(n_inputs: int, n_bits: int) -> nn.Linear:
    layer = nn.Linear(n_inputs, n_bits)
    nn.init.normal_(layer.weight, std=GAUSSIAN)
    nn.init.zeros_(layer.bias)
    return layer


def principal_layer(axes: PrincipalAxes, seed: int | None) -> nn.Sequential:
    """A layer on whitened scores that starts as a random rotation of the scores themselves."""
    n_bits = len(axes.variances)
    layer = gaussian_layer(n_bits, n_bits)
    deviations = np.sqrt(axes.variances)
    weights = random_rotation(n_bits, seed) * deviations
    scale = PRINCIPAL / max(np.sqrt(np.mean(deviations**2)), np.finfo(float).tiny)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(scale * weights))
    return nn.Sequential(Whitening(axes), layer)


def _views_of(
    network: HashNetwork, X: np.ndarray | ImageArray, copies: RotatedCopies | None, gamma: float
) -> Callable[[int], tuple[Tensor, ...]]:
    """A function that draws k items that have copies and an angle for each of them.

    It gives the scores of both, and the weights of the angles; nothing where there are no copies.
    """
    if isinstance(X, ImageArray) or gamma == 0:
        return lambda k: ()
    if copies is None:
        warnings.warn(
            "deepbit: there are no features of rotated images, so the rotation loss is left out",
            stacklevel=3,
        )
        return lambda k: ()
    device = training_context().device
    upright, turned = (as_tensor(x).to(device) for x in (X[copies.rows], copies.features))
    weights = rotation_weights(torch.as_tensor(copies.angles)).to(device)

    def draw(k: int) -> tuple[Tensor, ...]:
        items, angles = (torch.randint(n, (k,)).to(device) for n in turned.shape[:2])
        return network(upright[items]), network(turned[items, angles]), weights[angles]

    return draw


def quantisation_loss(F: Tensor) -> Tensor:
    """L1: mean over items of ``||b_n - F_n||^2`` with the bits ``b_n = [F_n > 1/2]`` held fixed."""
    bits = (F > 0.5).to(F.dtype)
    return (bits - F).square().sum(dim=1).mean()


def balance_loss(F: Tensor) -> Tensor:
    """L2: ``sum_k (mean_n F_nk - 1/2)^2``; the paper has bits there, which have no gradient."""
    return (F.mean(dim=0) - 0.5).square().sum()


def rotation_loss(F: Tensor, turned: Tensor, weights: Tensor) -> Tensor:
    """L3: mean over items of ``w_n ||F_n - F'_n||^2 / 2``.

    Parameters
    ----------
    F, turned : (k, b) tensors
        Outputs for images and for rotated ones, one angle each, drawn at random.
    weights : (k,) tensor
        Of the angles.
    """
    return (weights * (F - turned).square().sum(dim=1)).mean() / 2


def rotation_weights(angles: Tensor) -> Tensor:
    """``C(theta) = exp(-theta^2 / 2)`` with the angles, given in degrees, in steps of 5 degrees."""
    return torch.exp(-(angles.float() / STEP).square() / 2)
