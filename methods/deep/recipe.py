"""How a network is trained, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    End to end, ``lr`` and ``optimizer`` give way to SGD at 1e-3 for new layers and 1e-4 for the
    pretrained backbone.

    Attributes
    ----------
    epochs : int
        Passes over the training items at most.
    batch_size : int
        Items k of a mini-batch.
    lr : float
        Learning rate of heads on features.
    optimizer : {"adam", "sgd"}
        SGD has momentum 0.9.
    weight_decay : float
    halve_every : int
        Steps after which the learning rate is halved, again and again; 0: never.
    validation : float
        Share of the training items kept apart to choose the best epoch; 0 keeps the last one.
    patience : int
        Epochs without a better validation loss after which training ends.
    """

    epochs: int = 60
    batch_size: int = 128
    lr: float = 1e-3
    optimizer: str = "adam"
    weight_decay: float = 0.0
    halve_every: int = 0
    validation: float = 0.1
    patience: int = 10

    @classmethod
    def of(cls, method: Any) -> Recipe:
        """The recipe in a method's parameters; what it has none for stays at its default."""
        names = [f.name for f in fields(cls) if hasattr(method, f.name)]
        return cls(**{name: getattr(method, name) for name in names})


@dataclass
class History:
    """Losses of a training, one for each epoch; ``best`` is the epoch that was kept (from 0)."""

    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best: int = -1

    def improves(self) -> bool:
        """Whether the last epoch is the best so far; without validation every epoch is."""
        return not self.validation or self.validation[-1] <= min(self.validation)

    def ended(self, recipe: Recipe) -> bool:
        """Whether all epochs are done, or the last ``patience`` ones brought nothing better."""
        done = len(self.training)
        return done >= recipe.epochs or (done > 0 and done - 1 - self.best >= recipe.patience)
