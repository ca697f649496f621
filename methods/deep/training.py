"""One training loop for all networks: batches, validation, checkpoints, progress."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from features.pixels import ImageArray
from methods.deep.checkpoints import Checkpoint
from methods.deep.context import training_context
from methods.deep.recipe import ROUND, History, Recipe
from methods.unsuitable import Unsuitable

#: Momentum of SGD, as in all papers on deep hashing that train with it.
MOMENTUM = 0.9

#: Compute capability from which CUDA devices have bfloat16 (Ampere).
BFLOAT16_FROM = (8, 0)

#: Validation items at most, and training items at least, for a validation part.
MOST_VALIDATION, LEAST_TRAINING = 2000, 100

#: Loss of a batch: the network's outputs and the numbers of the items they belong to.
Loss = Callable[[Any, Tensor], Tensor]


def train(
    network: nn.Module,
    X: np.ndarray | ImageArray,
    loss: Loss,
    recipe: Recipe,
    *,
    seed: int | None,
    stage: str = "training",
    depends_on: Any = None,
    choose: Loss | None = None,
    each_round: Callable[[int], None] | None = None,
) -> History:
    """Train a network in place and leave it at its best round.

    A round has :data:`methods.deep.recipe.ROUND` steps, wherever epochs begin and end.

    Parameters
    ----------
    network : nn.Module
        Maps a batch of items to outputs; what it holds in ``network.backbone`` counts as
        pretrained.
    X : (n, d) array of float, or ImageArray
        Training items.
    loss : callable
        ``loss(outputs, rows)`` is the mean loss of a batch; `rows` (k,) are its item numbers.
    recipe : Recipe
    seed : int or None
        Of batches, validation part and dropout.
    stage : str
        Names the checkpoint and the progress bar.
    depends_on : optional
        What `loss` depends on besides outputs and rows, such as the method's parameters and its
        targets; a checkpoint of a training with something else is not used.
    choose : callable, optional
        Like `loss`; what is compared on the validation part, by default the loss itself.
    each_round : callable, optional
        Called before each round with the number of steps that are done.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If there are fewer than two items.
    FloatingPointError
        If the loss of a round, on the training or on the validation part, is no finite number.
    """
    device = torch.device(training_context().device)
    network.to(device)
    batches = Batches(X, recipe, np.random.default_rng(seed), device)
    optimizer = make_optimizer(network, recipe)
    n_steps = recipe.n_steps(len(batches.rows))
    parts = {"network": network, "optimizer": optimizer, "batches": batches}
    checkpoint = Checkpoint(stage, (recipe, seed, depends_on), X)
    history = History()
    with seeded(seed), _threads(X):
        best = checkpoint.restore(parts, history) or deepcopy(network.state_dict())
        bar = tqdm(
            desc=stage,
            total=n_steps,
            initial=history.steps,
            unit="step",
            leave=False,
            disable=None if training_context().progress else True,
        )
        with bar:
            while not history.ended(n_steps, recipe.patience):
                if each_round:
                    each_round(history.steps)
                network.train()
                losses = []
                for items, rows in batches.training(min(ROUND, n_steps - history.steps)):
                    _set_rates(optimizer, recipe.rate(history.steps + len(losses), n_steps))
                    losses.append(_step(network, optimizer, loss, items, rows))
                history.steps += len(losses)
                history.training.append(_finite(torch.stack(losses).mean(), stage, history))
                if len(batches.validation_rows):
                    value = _validate(network, batches, choose or loss)
                    history.validation.append(
                        _finite(value, f"{stage} on validation items", history)
                    )
                if history.improves():
                    history.best, best = len(history.training) - 1, deepcopy(network.state_dict())
                ended = history.ended(n_steps, recipe.patience)
                checkpoint.save(parts, history, best, last=ended)
                bar.set_postfix(loss=f"{history.training[-1]:.4f}", refresh=False)
                bar.update(len(losses))
    network.load_state_dict(best)
    network.eval()
    return history


class Batches:
    """Training items cut into batches, and a validation part kept apart from them.

    No batch has a single item: a loss that compares items with each other is 0 / 0 there.

    Parameters
    ----------
    X : (n, d) array of float, or ImageArray
    recipe : Recipe
    rng : np.random.Generator
    device : torch.device
    """

    def __init__(
        self,
        X: np.ndarray | ImageArray,
        recipe: Recipe,
        rng: np.random.Generator,
        device: torch.device,
    ) -> None:
        if len(X) < 2:
            raise Unsuitable(f"a network is trained on at least two items, not on {len(X)}")
        self.rng, self.device, self.size = rng, device, recipe.batch_size
        self.items = X if isinstance(X, ImageArray) else as_tensor(X).to(device)
        n_validation = min(MOST_VALIDATION, int(recipe.validation * len(X)))
        if len(X) - n_validation < LEAST_TRAINING or n_validation < 2:
            n_validation = 0
        order = rng.permutation(len(X))
        self.validation_rows, self.rows = np.sort(order[:n_validation]), order[n_validation:]
        #: Rows of this epoch that are still to come.
        self.left = self.rows[:0]

    def training(self, n_batches: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Items and row numbers of the next batches; all items come before one comes again.

        An incomplete last batch of an epoch is left out: losses over pairs would weigh its items
        more.
        """
        for _ in range(n_batches):
            if len(self.left) < min(self.size, len(self.rows)):
                self.left = self.rng.permutation(self.rows)
            rows, self.left = self.left[: self.size], self.left[self.size :]
            yield self.batch(rows)

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The same for the validation part, always in the same order."""
        starts = list(range(0, len(self.validation_rows), self.size))
        if len(self.validation_rows) % self.size == 1 and len(starts) > 1:
            # The one item that is left over joins the batch before it.
            starts.pop()
        for start, end in pairwise([*starts, len(self.validation_rows)]):
            yield self.batch(self.validation_rows[start:end])

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Some items, and their numbers as a tensor."""
        index = torch.from_numpy(rows).to(self.device)
        if isinstance(self.items, ImageArray):
            return torch.from_numpy(self.items.read(rows)).to(self.device), index
        return self.items[index], index

    def state_dict(self) -> dict[str, Any]:
        """Where the batches are, for checkpoints."""
        state = json.dumps(self.rng.bit_generator.state)
        return {"rng": state, "left": torch.from_numpy(self.left)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the batches of a checkpoint were."""
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.left = state["left"].cpu().numpy()


def as_tensor(X: np.ndarray, dtype: type = np.float32) -> Tensor:
    """Features as a tensor, without a copy where they are of that type already."""
    with warnings.catch_warnings():
        # Features are read-only on purpose, and nothing here writes to them.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
        return torch.from_numpy(np.ascontiguousarray(X, dtype=dtype))


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD or Adam; a backbone is a group of parameters with a learning rate of its own."""
    backbone = getattr(network, "backbone", None)
    pretrained = [] if backbone is None else list(backbone.parameters())
    known = {id(p) for p in pretrained}
    new = [p for p in network.parameters() if id(p) not in known]
    groups = [{"params": new, "lr": recipe.lr}]
    if pretrained:
        groups.append({"params": pretrained, "lr": recipe.backbone_lr})
    settings = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=MOMENTUM, **settings)
    return torch.optim.Adam(groups, fused=True, **settings)


def _set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """The learning rates times a factor; what they began with is kept beside them."""
    for group in optimizer.param_groups:
        group["lr"] = factor * group.setdefault("first_lr", group["lr"])


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    items: Tensor,
    rows: Tensor,
) -> Tensor:
    optimizer.zero_grad(set_to_none=True)
    value = loss(outputs_of(network, items), rows)
    value.backward()
    optimizer.step()
    return value.detach()


def outputs_of(network: nn.Module, items: Tensor) -> Any:
    """Outputs in float32, whatever the network itself computes in (:func:`precision`)."""
    with precision(items.device):
        outputs = network(items)
    if isinstance(outputs, Tensor):
        return outputs.float()
    return tuple(output.float() for output in outputs)


def precision(device: torch.device) -> torch.autocast:
    """Mixed precision on CUDA devices that compute in bfloat16; elsewhere single precision.

    bfloat16 has the range of single precision: nothing overflows, and no gradient has to be
    scaled, so that a training can go on on another device.
    """
    mixed = device.type == "cuda" and torch.cuda.get_device_capability(device) >= BFLOAT16_FROM
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed)


@torch.inference_mode()
def _validate(network: nn.Module, batches: Batches, loss: Loss) -> float:
    network.eval()
    sizes, values = [], []
    for items, rows in batches.validation():
        sizes.append(len(rows))
        values.append(float(loss(outputs_of(network, items), rows)))
    return float(np.average(values, weights=sizes))


def _finite(loss: Tensor | float, stage: str, history: History) -> float:
    value = float(loss)
    if not np.isfinite(value):
        raise FloatingPointError(
            f"the loss of {stage} is {value} after {history.steps} steps: "
            "lower the learning rate (lr)"
        )
    return value


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Torch's random numbers from the seed; the caller's random state stays as it was."""
    with torch.random.fork_rng():
        if seed is not None:
            torch.manual_seed(seed)
        yield


@contextmanager
def _threads(X: np.ndarray | ImageArray) -> Iterator[None]:
    """One thread for heads on features: their steps are too small to share.

    Numba's pool of threads and torch's own also wait for each other: a training of 1 s was seen
    to take 28 s in two threads.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(before if isinstance(X, ImageArray) else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
