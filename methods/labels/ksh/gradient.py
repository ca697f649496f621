"""Supervised hashing with kernels, trained by gradients on mini-batches."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor, nn

from features.pixels import ImageArray
from methods import Task, register
from methods.deep.network import HashNetwork, head_inputs
from methods.deep.pairs import Similar
from methods.deep.supervised import SupervisedHasher
from methods.deep.training import Loss
from methods.labels.ksh.kernel import kernel_map, skip_kernel

#: Part of the mean eigenvalue that is added to all before kernel values are scaled by them.
RIDGE = 0.1

#: End to end, so many images for each anchor give width, mean and covariance of the kernel values.
IMAGES_PER_ANCHOR = 4


@register(
    "ksh-gradient", paper="Liu et al., CVPR 2012", supervision="labels", fidelity="reconstruction"
)
class GradientKSH(SupervisedHasher):
    """KSH with all bits learnt at once: the form that pre-training can be plugged into.

    The codes before they are made binary are ``h = phi(A' k(x))`` with the centred kernel values
    k(x) on m anchors and the smooth sign ``phi(z) = 2 / (1 + exp(-z)) - 1`` of KSH.  The loss is
    its objective (equation 6) on a mini-batch,

        ``mean over ordered pairs of (h_i . h_j / b - S0_ij)^2``

    with S0 = 1 for pairs that share a label and -1 for the others.  A bit is ``h > 0``.  The
    kernel values of near anchors hardly differ, on which gradient descent makes no progress;
    therefore ``A = P W``, where P makes their covariance nearly the identity and W is learnt.

    Guan et al. (IJCAI 2018) train KSH by gradients without saying how; this form is ours.

    Parameters
    ----------
    n_bits : int
        Code length b.
    labels : {"labels", "tags"}
        What makes two items similar: a common label, or a common tag.
    n_anchors : int
        m, at most n; training items drawn at random.
    lr, backbone_lr, optimizer, weight_decay, batch_size
        See :class:`methods.deep.recipe.Recipe`.
    steps, epochs, schedule, validation, patience
        Likewise.
    random_state : int, optional
        Seed of anchors, weights, batches and validation part.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History
        Losses of every round of steps.

    References
    ----------
    W. Liu, J. Wang, R. Ji, Y.-G. Jiang, S.-F. Chang, "Supervised hashing with kernels",
    CVPR 2012.
    """

    grid: ClassVar[dict] = {"lr": (2e-3, 5e-3, 1e-2), "n_anchors": (300, 600, 1000)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        labels: str = "labels",
        n_anchors: int = 300,
        steps: int | None = 1500,
        epochs: int | None = None,
        batch_size: int = 256,
        lr: float = 5e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        weight_decay: float = 0.0,
        validation: float = 0.1,
        patience: int = 250,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.labels = labels
        self.n_anchors = n_anchors
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
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        return skip_kernel(task.n_train, self.n_anchors)

    def operations(self, task: Task) -> float:
        step = self.batch_size * self.n_bits + self.n_anchors * (task.n_features + 3 * self.n_bits)
        return 2.0 * self.recipe().n_seen(task.n_train) * step

    def make_head(self, width: int) -> nn.Module:
        return KernelBits(width, self.n_anchors, self.n_bits)

    def make_network(self, X: np.ndarray | ImageArray) -> HashNetwork:
        network = super().make_network(X)
        inputs = head_inputs(network, X, n_images=IMAGES_PER_ANCHOR * self.n_anchors)
        network.head.place(inputs, self.random_state)
        return network

    def make_loss(self, head: nn.Module, similar: Similar) -> Loss:
        return lambda h, rows: agreement_loss(h, similar(rows))


class KernelBits(nn.Module):
    """``phi(W' P' k(x))``; of these W is learnt, the kernel map k and P are set by :meth:`place`.

    Parameters
    ----------
    width, n_anchors, n_bits : int
        d, m and b.
    """

    def __init__(self, width: int, n_anchors: int, n_bits: int) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.zeros(n_anchors, width))
        self.register_buffer("tau", torch.tensor(1.0))
        self.register_buffer("mean", torch.zeros(n_anchors))
        self.register_buffer("P", torch.eye(n_anchors))
        self.bits = nn.Linear(n_anchors, n_bits, bias=False)
        nn.init.normal_(self.bits.weight, std=n_anchors**-0.5)

    def place(self, X: np.ndarray, random_state: int | None) -> None:
        """Draw the anchors from what this layer gets of the training items, (n, d)."""
        kernel = kernel_map(X, n_anchors=len(self.anchors), random_state=random_state)
        P = decorrelating(kernel.values(X))
        placed = {"anchors": kernel.anchors, "tau": kernel.tau, "mean": kernel.mean, "P": P}
        for name, value in placed.items():
            getattr(self, name).copy_(torch.from_numpy(np.asarray(value)))

    def forward(self, x: Tensor) -> Tensor:
        distances = torch.cdist(x, self.anchors).square()
        values = torch.exp(distances / (-2 * self.tau)) - self.mean
        return torch.tanh(self.bits(values @ self.P) / 2)


def decorrelating(K: np.ndarray) -> np.ndarray:
    """P, (m, m): the covariance of ``K P`` is the identity but for :data:`RIDGE`.

    Parameters
    ----------
    K : (n, m) array
        Centred kernel values.
    """
    eigenvalues, U = eigh(K.T @ K / len(K))
    return U / np.sqrt(eigenvalues + RIDGE * (eigenvalues.mean() or 1.0))


def agreement_loss(h: Tensor, similar: Tensor) -> Tensor:
    """Mean over ordered pairs of ``(h_i . h_j / b - S0_ij)^2``.

    Parameters
    ----------
    h : (k, b) tensor
    similar : (k, k) tensor of bool
        Where S0 is 1; it is -1 elsewhere.
    """
    return (h @ h.T / h.shape[1] - torch.where(similar, 1.0, -1.0)).square().mean()
