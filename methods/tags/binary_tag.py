"""Binary tag vectors, the baseline of WDHT."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from methods import Task, register
from methods.deep.network import DeepHasher, FeatureDropout, dense, finished, make_network
from methods.deep.pairs import similarity
from methods.deep.recipe import Recipe
from methods.deep.training import train
from methods.tags.wdht import HIDDEN, code_distances, quantisation_loss


@register("binary-tag", paper="Gattupalli et al., CVPR 2019", supervision="tags")
class BinaryTag(DeepHasher):
    """WDHT without word vectors: images are similar if they have a tag in common.

    The network of WDHT with the head H1 alone minimises ``lambda3 L3 + lambda4 L4`` (section 4):
    L3, :func:`methods.tags.wdht.quantisation_loss`, keeps h in (0, 1)^b away from 1/2, and L4,
    :func:`contrastive_loss`, pulls similar pairs together and pushes the others apart.  A bit is
    ``h > 1/2``.  Images without tags are left out of training.

    Parameters
    ----------
    n_bits : int
        Code length b.
    lambda3, lambda4 : float
        Weights of the losses, both 1 in the paper, for sums.  For means lambda3 = 1 saturates
        the bits before they have learnt anything.
    margin : float
        Of the distances in [0, 1]; not in the paper.  The (unused) function of the released code
        has 3.
    square_similar : bool
        Whether similar pairs are weighed by the squared distance too, as in the released code.
    reduction : {"mean", "sum"}
        Losses as means over pairs and items, or as the printed sums.
    dropout : float
        Share of features left out in training.
    lr, backbone_lr, optimizer, batch_size
        See :class:`methods.deep.recipe.Recipe`.
    steps, epochs, schedule, validation, patience
        Likewise.
    preset : {"default", "paper", "code"}
        ``paper``: the printed settings at a hundredth of the printed learning rates, see
        :class:`methods.tags.wdht.WDHT`; ``code``: those of the released function, with means.
    random_state : int, optional
        Seed of weights, batches, dropout and validation part.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History

    References
    ----------
    V. Gattupalli, Y. Zhuo, B. Li, "Weakly supervised deep image hashing through tag embeddings",
    CVPR 2019.
    """

    choices: ClassVar[dict] = {
        "reduction": ("mean", "sum"),
        "optimizer": ("adam", "sgd"),
    }
    _LITERAL: ClassVar[dict] = {
        "lambda3": 1.0,
        "dropout": 0.0,
        "steps": None,
        "epochs": 50,
        "batch_size": 50,
        "optimizer": "sgd",
        "schedule": "constant",
        "validation": 0.0,
    }
    presets: ClassVar[dict] = {
        "paper": {**_LITERAL, "reduction": "sum", "lr": 1e-5, "backbone_lr": 1e-6},
        "code": {
            **_LITERAL,
            "square_similar": True,
            "margin": 3.0,
            "lr": 1e-3,
            "backbone_lr": 1e-4,
        },
    }
    grid: ClassVar[dict] = {"lambda3": (0.01, 0.02, 0.1), "lr": (1e-3, 3e-3)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        lambda3: float = 0.02,
        lambda4: float = 1.0,
        margin: float = 1.0,
        square_similar: bool = False,
        reduction: str = "mean",
        dropout: float = 0.5,
        steps: int | None = 2000,
        epochs: int | None = None,
        batch_size: int = 128,
        lr: float = 1e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        validation: float = 0.1,
        patience: int = 500,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.lambda3 = lambda3
        self.lambda4 = lambda4
        self.margin = margin
        self.square_similar = square_similar
        self.reduction = reduction
        self.dropout = dropout
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.backbone_lr = backbone_lr
        self.optimizer = optimizer
        self.schedule = schedule
        self.validation = validation
        self.patience = patience
        self.preset = preset
        self.random_state = random_state

    def recipe(self) -> Recipe:
        return Recipe.of(self.in_force(), weight_decay=0.0, halve_every=0)

    def operations(self, task: Task) -> float:
        return 6.0 * self.recipe().n_seen(task.n_train) * (task.n_features + self.n_bits) * HIDDEN

    def fit(self, X: np.ndarray, *, tags: Any = None, labels: None = None) -> BinaryTag:
        X = self.check_training_data(X)
        p = self.in_force()
        tagged = np.asarray(tags.sum(axis=1)).ravel() > 0
        if tagged.sum() < 2:
            raise ValueError("BinaryTag: fewer than two training images carry a tag")
        X, similar = X[tagged], similarity(tags[tagged])

        def head(width: int) -> nn.Module:
            layers = (FeatureDropout(p.dropout), dense(width, HIDDEN), nn.ReLU())
            return nn.Sequential(*layers, dense(HIDDEN, self.n_bits))

        def loss(logits: Tensor, rows: Tensor) -> Tensor:
            h = torch.sigmoid(logits)
            L4 = contrastive_loss(h, similar(rows), p.margin, square_similar=p.square_similar)
            k = len(rows)
            pairs, items = (k * (k - 1), k) if p.reduction == "sum" else (1, 1)
            return p.lambda3 * items * quantisation_loss(h) + p.lambda4 * pairs * L4

        network = make_network(X, head, seed=self.random_state)
        self.history_ = train(
            network,
            X,
            loss,
            self.recipe(),
            seed=self.random_state,
            stage="binary-tag",
            depends_on=(p.get_params(), tags[tagged]),
        )
        self.network_ = finished(network)
        return self


def contrastive_loss(
    h: Tensor, similar: Tensor, margin: float, *, square_similar: bool = False
) -> Tensor:
    """L4: mean over ordered pairs of ``S (1 - beta) D + (1 - S) beta max(0, margin - D)^2``.

    D is the distance ``||h_i - h_j||^2 / b`` and beta the share of similar pairs: the rarer kind
    has the larger weight.  A pair of an item with itself does not count.

    Parameters
    ----------
    h : (k, b) tensor
        Outputs in (0, 1).
    similar : (k, k) tensor of bool
        S; its diagonal is ignored.
    margin : float
    square_similar : bool
        D^2 in the first term.
    """
    D = code_distances(h)
    others = ~torch.eye(len(h), dtype=torch.bool, device=h.device)
    S, D = similar[others].to(D.dtype), D[others]
    beta = S.mean()
    together = D.square() if square_similar else D
    apart = torch.relu(margin - D).square()
    return (S * (1 - beta) * together + (1 - S) * beta * apart).mean()
