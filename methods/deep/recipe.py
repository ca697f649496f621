"""How a network is trained, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import cos, pi
from typing import Any

#: Steps between two looks at the validation part.
ROUND = 50

SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: until its budget of steps or of epochs is spent.

    Attributes
    ----------
    steps : int or None
        Steps at most, one for each mini-batch; None for no such limit.
    epochs : int or None
        Passes over the training items at most; None for no such limit.
    batch_size : int
        Items k of a mini-batch, at least 2: losses compare items with each other.
    lr : float
        Learning rate of new layers, on features and end to end.
    backbone_lr : float
        Learning rate of a pretrained backbone; without one it has no effect.
    optimizer : {"adam", "sgd"}
        Of all layers; SGD has momentum 0.9.
    weight_decay : float
    schedule : {"constant", "cosine"}
        ``cosine`` lowers the learning rates to 0 along half a cosine over the whole budget.
    halve_every : int
        Steps after which the learning rates are halved, again and again; 0: never.
    validation : float
        Share of the training items kept apart to choose the best round; 0 keeps the last one.
    patience : int
        Steps without a better validation loss after which training ends.

    Raises
    ------
    ValueError
        If a number is outside its range, or if there is no budget.
    """

    steps: int | None = 2000
    epochs: int | None = None
    batch_size: int = 128
    lr: float = 1e-3
    backbone_lr: float = 1e-4
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    halve_every: int = 0
    validation: float = 0.1
    patience: int = 500

    def __post_init__(self) -> None:
        least = {"steps": 1, "epochs": 1, "batch_size": 2, "patience": 1, "halve_every": 0}
        least |= {"lr": 0.0, "backbone_lr": 0.0, "weight_decay": 0.0, "validation": 0.0}
        for name, smallest in least.items():
            value = getattr(self, name)
            if value is None and name in ("steps", "epochs"):
                continue
            # Written so that NaN fails too.
            if not value >= smallest:
                raise ValueError(f"{name} must be at least {smallest}, not {value}")
        if self.steps is None and self.epochs is None:
            raise ValueError("a training without steps and epochs never ends: give one of them")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be {' or '.join(SCHEDULES)}, not {self.schedule!r}")
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

    def n_steps(self, n_items: int) -> int:
        """Steps of a training on so many items that is not ended early."""
        of_epochs = (self.epochs or 0) * max(1, n_items // self.batch_size)
        budgets = [of_epochs] if self.epochs else []
        return min([*budgets, *([self.steps] if self.steps else [])])

    def n_seen(self, n_items: int) -> int:
        """Items that go through the network in these steps, each as often as it does."""
        return self.n_steps(n_items) * min(self.batch_size, n_items)

    def rate(self, step: int, n_steps: int) -> float:
        """Factor of the learning rates in a step (from 0) of so many."""
        factor = 0.5 ** (step // self.halve_every) if self.halve_every else 1.0
        if self.schedule == "cosine":
            factor *= (1 + cos(pi * step / n_steps)) / 2
        return factor


@dataclass
class History:
    """Losses of a training, one for each round of :data:`ROUND` steps.

    ``best`` is the round that was kept (from 0), ``steps`` the steps of all rounds together.
    """

    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best: int = -1
    steps: int = 0

    def improves(self) -> bool:
        """Whether the last round is the best so far; without validation every round is."""
        return not self.validation or self.validation[-1] <= min(self.validation)

    def ended(self, n_steps: int, patience: int) -> bool:
        """Whether all steps are done, or the last `patience` ones brought nothing better."""
        worse = len(self.training) - 1 - self.best
        return self.steps >= n_steps or worse * ROUND >= patience
