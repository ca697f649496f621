"""What deep methods share that learn from pairs of similar and dissimilar items."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from torch import nn

from features.pixels import ImageArray
from methods.base import Task
from methods.deep.network import DeepHasher, HashNetwork, finished, make_network
from methods.deep.pairs import Similar, similarity
from methods.deep.recipe import History, Recipe
from methods.deep.training import Loss, train


class SupervisedHasher(DeepHasher):
    """A deep method whose loss knows which items of a mini-batch are similar.

    Two items are similar if they share at least one label, or with ``labels="tags"`` at least one
    tag.  Items without any are left out of training.

    A method writes :meth:`make_head` and :meth:`make_loss`.  ``fit`` is :meth:`make_network`
    followed by :meth:`train_supervised`; between the two, pre-training may change the weights.
    """

    choices: ClassVar[dict] = {
        "labels": ("labels", "tags"),
        "optimizer": ("adam", "sgd"),
    }

    @property
    def uses(self) -> tuple[str, ...]:
        return (self.labels,)

    @abstractmethod
    def make_head(self, width: int) -> nn.Module:
        """Untrained layers for inputs of so many dimensions.

        Their first output (or their only one) is the code before it is made binary, (k, b).
        """

    @abstractmethod
    def make_loss(self, head: nn.Module, similar: Similar) -> Loss:
        """The method's own loss of a mini-batch.

        Parameters
        ----------
        head : nn.Module
            What :meth:`make_head` gave; the outputs that the loss is called with are those of it.
        similar : callable
            ``similar(rows)`` is a (k, k) tensor of bool.
        """

    def recipe(self) -> Recipe:
        return Recipe.of(self.in_force(), halve_every=0)

    def make_network(self, X: np.ndarray | ImageArray) -> HashNetwork:
        """An untrained network for these training items."""
        return make_network(X, self.make_head, seed=self.random_state)

    def train_supervised(
        self, network: HashNetwork, X: np.ndarray | ImageArray, targets: Any
    ) -> History:
        """Train a network of :meth:`make_network` in place, whatever weights it starts from.

        Parameters
        ----------
        network : HashNetwork
        X : (n, d) array of float, or ImageArray
        targets : (n, c) array of bool or sparse matrix
            Labels, or tags in their place.

        Returns
        -------
        History

        Raises
        ------
        ValueError
            If fewer than two items have a label.
        """
        marked = np.asarray(targets.sum(axis=1)).ravel() > 0
        if marked.sum() < 2:
            raise ValueError(f"{type(self).__name__}: fewer than two training items have a label")
        if not marked.all():
            X, targets = X[marked], targets[marked]
        return train(
            network,
            X,
            self.make_loss(network.head, similarity(targets)),
            self.recipe(),
            seed=self.random_state,
            stage=self.id,
            depends_on=(self.in_force().get_params(), targets),
        )

    def fit(self, X: np.ndarray | ImageArray, *, tags: Any = None, labels: Any = None) -> Self:
        X = self.check_training_data(X)
        targets = tags if self.labels == "tags" else labels
        network = self.make_network(X)
        self.history_ = self.train_supervised(network, X, targets)
        self.network_ = finished(network)
        return self

    def operations(self, task: Task) -> float:
        p = self.in_force()
        step = p.batch_size * self.n_bits + task.n_features * (self.n_bits + HIDDEN)
        return 6.0 * self.recipe().n_seen(task.n_train) * step


#: Units of a hidden layer, for those methods that have one on features.
HIDDEN = 512
