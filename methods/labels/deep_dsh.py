"""Deep supervised hashing (DSH)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from methods import register
from methods.deep.network import dense
from methods.deep.pairs import Similar, mean_over_pairs, squared_distances
from methods.deep.supervised import HIDDEN, SupervisedHasher
from methods.deep.training import Loss


@register(
    "deep-dsh",
    paper="Liu et al., CVPR 2016",
    supervision="labels",
    fidelity="author-code",
)
class DeepDSH(SupervisedHasher):
    """Outputs near -1 and 1 that are close for similar pairs and a margin apart for the others.

    The un-binarised codes u come from a linear layer.  The loss of a mini-batch (equation 5) is

        ``mean over pairs of [ s d^2 / 2 + (1 - s) max(0, M - d^2) / 2 ]
        + alpha mean over items of || |u| - 1 ||_1``

    with ``d^2 = ||u_i - u_j||^2`` and s = 1 for pairs that share a label; see :func:`pair_loss`
    and :func:`regulariser`.  A bit is ``u > 0``.  On features one hidden layer stands for the
    convolutional part of the network.

    Parameters
    ----------
    n_bits : int
        Code length b.
    labels : {"labels", "tags"}
        What makes two items similar: a common label, or a common tag.
    margin : float
        M / b; the paper takes 2.
    alpha : float
        Weight of the regulariser; the released program takes 0.01.
    dropout : float
        Share of hidden units left out in training.
    lr, backbone_lr, optimizer, weight_decay, batch_size
        See :class:`methods.deep.recipe.Recipe`.
    steps, epochs, schedule, validation, patience
        Likewise.  The last weights are kept: the loss on a validation part is smallest after few
        passes, when codes are still far worse than at the end.
    preset : {"default", "paper"}
        ``paper``: the settings of the released program with all of its 70,000 steps, which its
        learning rate needs: after 6,160 of them mAP on Corel5k at 32 bits is 0.215, and 0.368
        at ten times the rate.
    random_state : int, optional
        Seed of weights, batches, dropout and validation part.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History
        Losses of every round of steps.

    References
    ----------
    H. Liu, R. Wang, S. Shan, X. Chen, "Deep supervised hashing for fast image retrieval",
    CVPR 2016.
    """

    presets: ClassVar[dict] = {
        "paper": {
            "margin": 2.0,
            "alpha": 0.01,
            "dropout": 0.0,
            "steps": 70_000,
            "epochs": None,
            "batch_size": 200,
            "lr": 1e-3,
            "optimizer": "sgd",
            "schedule": "constant",
            "weight_decay": 0.004,
        }
    }
    grid: ClassVar[dict] = {"alpha": (0.001, 0.01, 0.1), "margin": (1.0, 2.0, 4.0)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        labels: str = "labels",
        margin: float = 2.0,
        alpha: float = 0.03,
        dropout: float = 0.5,
        steps: int | None = 1400,
        epochs: int | None = None,
        batch_size: int = 256,
        lr: float = 1e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        weight_decay: float = 0.0,
        validation: float = 0.0,
        patience: int = 500,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.labels = labels
        self.margin = margin
        self.alpha = alpha
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

    def make_head(self, width: int) -> nn.Module:
        return nn.Sequential(
            dense(width, HIDDEN),
            nn.ReLU(),
            nn.Dropout(self.in_force().dropout),
            dense(HIDDEN, self.n_bits),
        )

    def make_loss(self, head: nn.Module, similar: Similar) -> Loss:
        p = self.in_force()

        def loss(u: Tensor, rows: Tensor) -> Tensor:
            return pair_loss(u, similar(rows), p.margin * p.n_bits) + p.alpha * regulariser(u)

        return loss


def pair_loss(u: Tensor, similar: Tensor, margin: float) -> Tensor:
    """Mean over pairs of ``d^2 / 2`` where similar, of ``max(0, M - d^2) / 2`` elsewhere.

    Parameters
    ----------
    u : (k, b) tensor
    similar : (k, k) tensor of bool
    margin : float
        M.
    """
    distances = squared_distances(u)
    return mean_over_pairs(distances.where(similar, (margin - distances).relu())) / 2


def regulariser(u: Tensor) -> Tensor:
    """Mean over items of ``|| |u| - 1 ||_1``."""
    return (u.abs() - 1).abs().sum(dim=1).mean()
