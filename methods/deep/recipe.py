"""How a network is trained, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    epochs : int
        Passes over the training items at most.
    batch_size : int
        Items k of a mini-batch, at least 2: losses compare items with each other.
    lr : float
        Learning rate of new layers, on features and end to end.
    backbone_lr : float
        Learning rate of a pretrained backbone; without one it has no effect.
    optimizer : {"adam", "sgd"}
        Of all layers; SGD has momentum 0.9.
    weight_decay : float
    halve_every : int
        Steps after which the learning rates are halved, again and again; 0: never.
    validation : float
        Share of the training items kept apart to choose the best epoch; 0 keeps the last one.
    patience : int
        Epochs without a better validation loss after which training ends.

    Raises
    ------
    ValueError
        If a number is outside its range.
    """

    epochs: int = 60
    batch_size: int = 128
    lr: float = 1e-3
    backbone_lr: float = 1e-4
    optimizer: str = "adam"
    weight_decay: float = 0.0
    halve_every: int = 0
    validation: float = 0.1
    patience: int = 10

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch_size": 2, "patience": 1, "halve_every": 0}
        least |= {"lr": 0.0, "backbone_lr": 0.0, "weight_decay": 0.0, "validation": 0.0}
        for name, smallest in least.items():
            value = getattr(self, name)
            # Written so that NaN fails too.
            if not value >= smallest:
                raise ValueError(f"{name} must be at least {smallest}, not {value}")
        if self.lr == 0:
            raise ValueError("lr must be above 0")
        if self.validation >= 1:
            raise ValueError(f"validation must be below 1, not {self.validation}")

    @classmethod
    def of(cls, method: Any, **others: Any) -> Recipe:
        """The recipe in a method's parameters.

        Parameters
        ----------
        method : Hasher
            Each of its parameters that is named as a field of the recipe becomes that field.
        **others
            The fields for which the method has no parameter.

        Raises
        ------
        TypeError
            If a field is missing or given twice, so that a misspelt parameter cannot leave the
            field at a value that nobody chose.
        """
        names = {f.name for f in fields(cls)}
        own = {name: value for name, value in method.get_params().items() if name in names}
        missing = sorted(names - own.keys() - others.keys())
        if missing:
            raise TypeError(
                f"{type(method).__name__} has no parameter {missing[0]}, and Recipe.of is not "
                "given one"
            )
        return cls(**own, **others)


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
