"""Weakly supervised pre-training (WP) of supervised deep hashing methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from features.pixels import ImageArray
from methods import Task, register
from methods.deep.context import training_context
from methods.deep.network import DeepHasher, HashNetwork, finished
from methods.deep.recipe import ROUND, History, Recipe
from methods.deep.supervised import HIDDEN, SupervisedHasher
from methods.deep.training import train
from methods.labels.deep_dsh import DeepDSH
from methods.labels.drsch import DRSCH
from methods.labels.ksh.gradient import GradientKSH
from methods.tags.wp.joint import (
    JointNetwork,
    JointObjective,
    first_of,
    outputs_in_search,
    start_as_long_as,
)
from methods.tags.wp.semantic_words import sem_space
from methods.unsuitable import Unsuitable

#: Steps of patience with which no training ends early.
NEVER = 10**9


class WeaklyPretrained(DeepHasher):
    """A supervised deep method X whose network first learns from tags, then from labels.

    Sparse coding of the tags' word vectors gives M semantic words (sem-words), and every image an
    observed sem-vector z_i, the mean of its tags' codes; see :mod:`methods.tags.wp.semantic_words`.
    Pre-training minimises equation 7 over sem-vectors s_i and network in turn::

        1/2 sum_i ||s_i - z_i||^2 + beta/2 sum_i s_i'L s_i
        + delta/2 sum_ij (s_i.s_j - h_i.h_j)^2

    h_i is the code of X's network before it is made binary, L the Laplacian of how sem-words occur
    together; see :class:`methods.tags.wp.joint.JointObjective`.  Before each round of steps
    on the network come steps on the sem-vectors, ten times as many before the first and a tenth
    before the last.  At the default beta and delta the sem-vectors hardly move and what they learn
    changes nothing: mAP of wp-dsh without fine-tuning on Corel5k at 32 bits, one seed, is 0.254,
    and 0.255 with s = z throughout.  It is 0.266 with delta = 0.1, 0.270 with beta = 0.01 as well,
    but 0.192 with beta = 0.1 and the default delta.

    Fine-tuning is X's own training, with X's own default parameters, from the weights that
    pre-training gave; but it is not ended early, since the loss of X on a validation part, if it
    has one, often rises at first.  Images without a tag that has a word vector are left out of
    pre-training.

    Parameters
    ----------
    n_bits : int
        Code length b.
    finetune : bool
        Train with labels after pre-training.  Without it, labels are not asked for.
    n_words : int, optional
        Sem-words M; by default 512, but at most half the number of tags with a vector.  With as
        many atoms as tags, the best dictionary is the tags themselves, whatever the penalty.
    penalty : float
        lambda.  The paper takes 0.4 and says that about a tenth of the coefficients is not zero
        then; it does not say how long its word vectors are.  On the GloVe vectors of Corel5k's
        tags as they are (mean length 6.7) 0.4 leaves 10 % of them, as in the paper; on the same
        vectors scaled to unit length 0.7 %, and 0.1 leaves 5 %.
    unit_vectors : bool
        Whether word vectors are scaled to unit length before sparse coding.
    beta, delta : float
        Weights of the second and the third term.  A large beta makes all entries of a sem-vector
        equal; a large delta lets sem-vectors follow the codes of an untrained network.
    scale : {"cosine", "none"}
        ``cosine``: z has unit length, the third term compares the cosines of s, less the mean of
        z, with ``h_i.h_j / b`` for h in (-1, 1); otherwise h grows to whatever s needs, and as
        most cosines are positive the bits are out of balance.  ``none``: as printed, from a last
        layer that is scaled so that h begins about as long as z.  On cached features that is far
        worse: 0.07 instead of 0.16 mean AP at 12 bits on the validation part of Corel-5k.
    steps, epochs, schedule, batch_size, lr, backbone_lr, optimizer, validation, patience
        Of pre-training; see :class:`methods.deep.recipe.Recipe`.  The best round of steps is that
        with the smallest third term on the validation part, with z for s.
    preset : {"default", "paper"}
        ``paper``: the printed settings, also those of X.  512 sem-words are halved to half the
        tags where there are fewer than 1,024: the paper has 5,018.  It gives no beta, delta and
        learning rate.  Its plain gradient descent is replaced by Adam (Corel5k at 32 bits: mAP
        0.156; gradient descent 0.107 at a rate of 3e-4, and at 1e-3 the loss is no number).
    random_state : int, optional
        Seed of weights, batches, dropout and validation part.

    Attributes
    ----------
    network_ : HashNetwork
    history_ : History
        Losses of pre-training.
    finetuning_ : History
        Losses of fine-tuning; only where there was one.
    drift_ : float
        ``||s - z|| / ||z||`` over all images.

    References
    ----------
    Z. Guan, F. Xie, W. Zhao, X. Wang, L. Chen, W. Zhao, J. Peng, "Tag-based weakly-supervised
    hashing for image retrieval", IJCAI 2018.
    """

    #: X, and whether its codes lie in (-1, 1) before they are made binary.
    method: ClassVar[type[SupervisedHasher]]
    bounded: ClassVar[bool] = True

    choices: ClassVar[dict] = {
        "scale": ("cosine", "none"),
        "optimizer": ("adam", "sgd"),
    }
    presets: ClassVar[dict] = {
        "paper": {
            "n_words": None,
            "penalty": 0.4,
            "unit_vectors": False,
            "scale": "none",
            "batch_size": 64,
            "lr": 1e-3,
            "backbone_lr": 1e-4,
            "optimizer": "adam",
            "schedule": "constant",
            "validation": 0.0,
        }
    }
    grid: ClassVar[dict] = {"beta": (1e-4, 1e-3, 1e-2), "delta": (1e-4, 1e-3, 1e-2)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        finetune: bool = True,
        n_words: int | None = None,
        penalty: float = 0.1,
        unit_vectors: bool = True,
        beta: float = 1e-3,
        delta: float = 1e-3,
        scale: str = "cosine",
        steps: int | None = 650,
        epochs: int | None = 100,
        batch_size: int = 128,
        lr: float = 1e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        validation: float = 0.1,
        patience: int = 650,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.finetune = finetune
        self.n_words = n_words
        self.penalty = penalty
        self.unit_vectors = unit_vectors
        self.beta = beta
        self.delta = delta
        self.scale = scale
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

    @property
    def uses(self) -> tuple[str, ...]:
        return ("tags", "labels") if self.finetune else ("tags",)

    def supervised(self) -> SupervisedHasher:
        """X, unfitted."""
        preset = {"preset": self.preset} if self.method.presets else {}
        X = self.method(self.n_bits, random_state=self.random_state, **preset).in_force()
        return X.set_params(patience=X.steps or NEVER)

    def skip(self, task: Task) -> str | None:
        return self.supervised().skip(task)

    def recipe(self) -> Recipe:
        return Recipe.of(self.in_force(), weight_decay=0.0, halve_every=0)

    def operations(self, task: Task) -> float:
        p = self.in_force()
        network = 6.0 * (HIDDEN * (task.n_features + p.n_bits) + p.batch_size * p.n_bits)
        # Passes over the sem-vectors for one over the network, 10 to 1/10: 2.15 on the average.
        n_words = p.n_words or 512
        sem_vectors = 2.15 * 6.0 * n_words * (n_words + p.batch_size)
        fine = self.supervised().operations(task) if p.finetune else 0.0
        return self.recipe().n_seen(task.n_train) * (network + sem_vectors) + fine

    def fit(self, X: np.ndarray | ImageArray, *, tags: Any = None, labels: Any = None) -> Self:
        X = self.check_training_data(X)
        method, p = self.supervised(), self.in_force()
        network = method.make_network(X)
        z, L = sem_space(tags, n_words=p.n_words, penalty=p.penalty, unit=p.unit_vectors)
        tagged = z.any(axis=1)
        if tagged.sum() < 2:
            raise Unsuitable(f"{type(self).__name__}: fewer than two images have a known tag")
        everything = X if tagged.all() else X[tagged]
        self.history_ = self._pretrain(network, everything, z[tagged], L)
        if p.finetune:
            self.finetuning_ = method.train_supervised(network, X, labels)
        self.network_ = finished(network)
        return self

    def _pretrain(
        self, network: HashNetwork, X: np.ndarray | ImageArray, z: np.ndarray, L: np.ndarray
    ) -> History:
        """Minimise equation 7; the network and with it the sem-vectors change in place."""
        p = self.in_force()
        objective = JointObjective(z, L, p.beta, p.delta, p.scale, training_context().device)
        recipe = self.recipe()
        if p.scale == "none":
            start_as_long_as(objective.z, network, X, recipe)
        joint = JointNetwork(network, objective.z)

        def code(outputs: Any) -> Tensor:
            h = first_of(outputs)
            if p.scale == "none":
                return h
            return (h if self.bounded else torch.tanh(h)) / h.shape[1] ** 0.5

        def loss(outputs: Any, rows: Tensor) -> Tensor:
            return objective.similarity(joint.sem_vectors[rows], code(outputs))

        def choose(outputs: Any, rows: Tensor) -> Tensor:
            return objective.similarity(objective.z[rows], code(outputs)) / len(rows) ** 2

        def update_sem_vectors(step: int) -> None:
            # A seed of their own for every round: a training that goes on takes the same steps.
            seed = None if self.random_state is None else [self.random_state, step]
            rng = np.random.default_rng(seed)
            total = recipe.n_steps(len(X))
            n_steps = round(min(ROUND, total - step) * steps_on_sem_vectors(step, total))
            chosen = random_batches(len(X), p.batch_size, max(1, n_steps), rng)
            for outputs, rows in outputs_in_search(joint, X, recipe, chosen):
                objective.step(joint.sem_vectors, rows, code(outputs))

        history = train(
            joint,
            X,
            loss,
            recipe,
            seed=self.random_state,
            stage=f"{self.id}-pretraining",
            depends_on=(p.get_params(), z, L),
            choose=choose,
            each_round=update_sem_vectors,
        )
        drift = joint.sem_vectors - objective.z
        self.drift_ = float(drift.norm() / objective.z.norm())
        return history


def steps_on_sem_vectors(step: int, n_steps: int) -> float:
    """p / m: steps on the sem-vectors for one on the network, from 10 to 1/10 in the last round."""
    return 10 ** (1 - 2 * min(1, step / max(1, n_steps - ROUND)))


def random_batches(
    n: int, size: int, n_batches: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """So many batches of row numbers; every row comes once before any comes again."""
    rows = np.zeros(0, dtype=np.int64)
    for _ in range(n_batches):
        if not len(rows):
            rows = rng.permutation(n)
        yield rows[:size]
        rows = rows[size:]


@register("wp-dsh", paper="Guan et al., IJCAI 2018", supervision="labels")
class WPDSH(WeaklyPretrained):
    """Pre-training on tags, then deep supervised hashing."""

    method = DeepDSH
    bounded = False


@register("wp-drsch", paper="Guan et al., IJCAI 2018", supervision="labels")
class WPDRSCH(WeaklyPretrained):
    """Pre-training on tags, then DRSCH."""

    method = DRSCH


@register("wp-ksh", paper="Guan et al., IJCAI 2018", supervision="labels")
class WPKSH(WeaklyPretrained):
    """Pre-training on tags, then KSH trained by gradients."""

    method = GradientKSH
