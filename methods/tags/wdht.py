"""Weakly supervised deep hashing with tag embeddings (WDHT)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from methods import Task, register
from methods.deep.network import DeepHasher, FeatureDropout, dense, finished, make_network
from methods.deep.pairs import squared_distances
from methods.deep.recipe import Recipe
from methods.deep.training import train
from methods.tag_vectors import has_vector, image_vectors


@register("wdht", paper="Gattupalli et al., CVPR 2019", supervision="tags")
class WDHT(DeepHasher):
    """Bits whose distances follow the tags' word vectors, which a second head learns to predict.

    An image's target w is the mean of its tags' word vectors, or a mean weighted by frequency.
    From a shared layer of 256 units two heads give h in (0, 1)^b and a prediction f of w;
    the network minimises ``lambda1 L1 + lambda2 L2 + lambda3 L3`` (section 3.4):

    * L1, :func:`pair_loss`: distances of h follow the cosines of w;
    * L2, :func:`ranking_loss`: f is nearer to its own w than to those of others;
    * L3, :func:`quantisation_loss`: h keeps away from 1/2.

    A bit is ``h > 1/2``.  Images without a tag that has a word vector are left out of training.

    Parameters
    ----------
    n_bits : int
        Code length b.
    aggregation : {"mean", "tf", "itf"}
        Weights of an image's tags: equal, ``n(t) / N`` or ``log(N / n(t))``, where n(t) images
        carry tag t.
    base : {"assignments", "images"}
        N: all pairs of an image and its tag, or all images; the paper can be read either way.
    targets : {"raw", "unit", "centred"}
        Form of w: as it is, as in the paper; scaled to unit length, which L1 does not notice; or
        first less its mean over the training images.
    lambda1, lambda2, lambda3 : float
        Weights of the losses.  The paper trains with (1, 10, 1), for sums, and finds that a large
        lambda2 and a small lambda3 are best.  In a batch of 50, lambda3 = 1 for sums is 1/50 for
        means; lambda3 = 1 for means saturates the bits before they have learnt anything.
    margin : float
        Of L2; not in the paper, 0.2 in the released code.
    half : bool
        Whether L1 aims at ``(1 - cos) / 2`` as the paper prints, or at ``1 - cos`` as the
        released code does, which distances in [0, 1] cannot reach.
    reduction : {"mean", "sum"}
        Losses as means over pairs and items (released code), or as the printed sums.
    dropout : float
        Share of features left out in training.
    lr, backbone_lr, optimizer, batch_size
        See :class:`methods.deep.recipe.Recipe`.
    steps, epochs, schedule, validation, patience
        Likewise.  The best round of steps is that of the smallest
        ``lambda1 L1 + lambda3 L3`` on the validation part: L2 overfits before the bits do.
    preset : {"default", "paper", "code"}
        ``paper``: the printed settings, but for the learning rates: at the printed 1e-3 and 1e-4
        the printed sums over pairs do not train (mAP at 32 bits on Corel5k: 0.074; 0.154 at a
        hundredth of both, which the preset takes).  ``code``: those of the released program, which
        has means and the printed rates.
    random_state : int, optional
        Seed of weights, batches, dropout and validation part.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History
        Losses of every round of steps.

    References
    ----------
    V. Gattupalli, Y. Zhuo, B. Li, "Weakly supervised deep image hashing through tag embeddings",
    CVPR 2019.
    """

    choices: ClassVar[dict] = {
        "aggregation": ("mean", "tf", "itf"),
        "base": ("assignments", "images"),
        "targets": ("raw", "unit", "centred"),
        "reduction": ("mean", "sum"),
        "optimizer": ("adam", "sgd"),
    }
    # SGD, 50 epochs, batches of 50, no validation: printed, or read in the program.
    _LITERAL: ClassVar[dict] = {
        "targets": "raw",
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
        "code": {**_LITERAL, "half": False, "lr": 1e-3, "backbone_lr": 1e-4},
    }
    grid: ClassVar[dict] = {"lambda2": (1.0, 10.0, 100.0), "lambda3": (0.01, 0.02, 0.1)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        aggregation: str = "mean",
        base: str = "assignments",
        targets: str = "centred",
        lambda1: float = 1.0,
        lambda2: float = 10.0,
        lambda3: float = 0.02,
        margin: float = 0.2,
        half: bool = True,
        reduction: str = "mean",
        dropout: float = 0.5,
        steps: int | None = 2000,
        epochs: int | None = None,
        batch_size: int = 128,
        lr: float = 3e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        validation: float = 0.1,
        patience: int = 500,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.aggregation = aggregation
        self.base = base
        self.targets = targets
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.lambda3 = lambda3
        self.margin = margin
        self.half = half
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
        n_inputs_and_outputs = task.n_features + self.n_bits + 300
        return 6.0 * self.recipe().n_seen(task.n_train) * n_inputs_and_outputs * HIDDEN

    def fit(self, X: np.ndarray, *, tags: Any = None, labels: None = None) -> WDHT:
        X = self.check_training_data(X)
        p = self.in_force()
        W = image_vectors(tags, p.aggregation, p.base, p.targets)
        tagged = has_vector(W)
        if tagged.sum() < 2:
            raise ValueError("WDHT: fewer than two training images carry a tag with a word vector")
        X, targets = X[tagged], torch.from_numpy(W[tagged]).float()
        network = make_network(
            X,
            lambda width: TwoHeads(width, self.n_bits, W.shape[1], p.dropout),
            seed=self.random_state,
        )

        def counts(rows: Tensor) -> tuple[int, int]:
            """What makes the printed sums of the means over pairs and over items."""
            k = len(rows)
            return (k**2, k) if p.reduction == "sum" else (1, 1)

        def code_loss(outputs: tuple, rows: Tensor) -> Tensor:
            h, w = torch.sigmoid(outputs[0]), targets[rows.cpu()].to(rows.device)
            L1, L3 = pair_loss(h, w, half=p.half), quantisation_loss(h)
            pairs, items = counts(rows)
            return p.lambda1 * pairs * L1 + p.lambda3 * items * L3

        def loss(outputs: tuple, rows: Tensor) -> Tensor:
            w = targets[rows.cpu()].to(rows.device)
            L2 = ranking_loss(outputs[1], w, p.margin)
            return code_loss(outputs, rows) + p.lambda2 * counts(rows)[0] * L2

        self.history_ = train(
            network,
            X,
            loss,
            self.recipe(),
            seed=self.random_state,
            stage="wdht",
            depends_on=(p.get_params(), W[tagged]),
            choose=code_loss,
        )
        self.network_ = finished(network)
        return self


#: Units of the shared layer, FC3.
HIDDEN = 256


class TwoHeads(nn.Module):
    """FC3 with 256 ReLU units; on it H1 (b logits of the bits) and H2 (e values, tanh)."""

    def __init__(self, width: int, n_bits: int, n_targets: int, dropout: float) -> None:
        super().__init__()
        self.shared = nn.Sequential(FeatureDropout(dropout), dense(width, HIDDEN), nn.ReLU())
        self.bits = dense(HIDDEN, n_bits)
        self.words = dense(HIDDEN, n_targets)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.shared(x)
        return self.bits(x), torch.tanh(self.words(x))


def pair_loss(h: Tensor, w: Tensor, *, half: bool = True) -> Tensor:
    """L1: mean over the k^2 ordered pairs of ``(||h_i - h_j||^2 / b - (1 - cos(w_i, w_j)) / 2)^2``.

    Parameters
    ----------
    h : (k, b) tensor
        Outputs in (0, 1).
    w : (k, e) tensor
        Targets; a zero row has a cosine of 0 to everything.
    half : bool
        Without it the target is ``1 - cos``.
    """
    unit = normalize(w, dim=1, eps=1e-8)
    target = 1 - unit @ unit.T
    return (code_distances(h) - (target / 2 if half else target)).square().mean()


def ranking_loss(f: Tensor, w: Tensor, margin: float) -> Tensor:
    """L2: ``max(0, margin + w_j.f_n - w_n.f_n)`` summed over n and j != n, divided by k^2.

    Parameters
    ----------
    f, w : (k, e) tensors
        Predictions and targets.
    margin : float
    """
    scores = f @ w.T
    hinge = torch.relu(margin + scores - scores.diagonal()[:, None])
    return (hinge.sum() - hinge.diagonal().sum()) / len(f) ** 2


def quantisation_loss(h: Tensor) -> Tensor:
    """L3: mean over items of ``-||h_i - 1/2||^2 / b``, between -1/4 and 0."""
    return -(h - 0.5).square().mean()


def code_distances(h: Tensor) -> Tensor:
    """``||h_i - h_j||^2 / b`` of all pairs, (k, k): for binary h the share of bits that differ."""
    return squared_distances(h) / h.shape[1]
