"""One training loop for all networks: batches, validation, checkpoints, progress."""

from __future__ import annotations

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
from methods.deep.computing import computing
from methods.deep.recipe import History, Recipe

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
    each_epoch: Callable[[int], None] | None = None,
) -> History:
    """Train a network in place and leave it at its best epoch.

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
    each_epoch : callable, optional
        Called with the number of each epoch (from 0) before it starts.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If there are fewer than two items.
    FloatingPointError
        If the loss of an epoch, on the training or on the validation part, is no finite number.
    """
    device = torch.device(computing().device)
    network.to(device)
    batches = Batches(X, recipe, np.random.default_rng(seed), device)
    optimizer = make_optimizer(network, recipe)
    parts = {"network": network, "optimizer": optimizer}
    checkpoint = Checkpoint(stage, (recipe, seed, depends_on), X)
    history = History()
    with seeded(seed), _threads(X):
        best = checkpoint.restore(parts, history, batches.rng) or deepcopy(network.state_dict())
        bar = tqdm(
            desc=stage,
            total=recipe.epochs,
            initial=len(history.training),
            unit="epoch",
            leave=False,
            disable=None if computing().progress else True,
        )
        with bar:
            while not history.ended(recipe):
                epoch = len(history.training)
                if each_epoch:
                    each_epoch(epoch)
                network.train()
                losses = []
                for items, rows in batches.training():
                    _set_rates(optimizer, recipe, step=epoch * len(batches) + len(losses))
                    losses.append(_step(network, optimizer, loss, items, rows))
                history.training.append(_finite(torch.stack(losses).mean(), stage, epoch))
                if len(batches.validation_rows):
                    value = _validate(network, batches, choose or loss)
                    history.validation.append(_finite(value, f"{stage} on validation items", epoch))
                if history.improves():
                    history.best, best = epoch, deepcopy(network.state_dict())
                checkpoint.save(parts, history, batches.rng, best, last=history.ended(recipe))
                bar.set_postfix(loss=f"{history.training[-1]:.4f}", refresh=False)
                bar.update()
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
            raise ValueError(f"a network is trained on at least two items, not on {len(X)}")
        self.rng, self.device, self.size = rng, device, recipe.batch_size
        self.items = X if isinstance(X, ImageArray) else as_tensor(X).to(device)
        n_validation = min(MOST_VALIDATION, int(recipe.validation * len(X)))
        if len(X) - n_validation < LEAST_TRAINING or n_validation < 2:
            n_validation = 0
        order = rng.permutation(len(X))
        self.validation_rows, self.rows = np.sort(order[:n_validation]), order[n_validation:]

    def __len__(self) -> int:
        """Batches of one epoch of training."""
        return max(1, len(self.rows) // self.size)

    def training(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Items and row numbers of the batches of one epoch, in a new order.

        An incomplete last batch is left out: losses over pairs would weigh its items more.
        """
        rows = self.rng.permutation(self.rows)
        return self._take(rows[: len(self) * self.size])

    def validation(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The same for the validation part, always in the same order."""
        return self._take(self.validation_rows)

    def everything(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All items in order, those of the validation part too."""
        return self._take(np.arange(len(self.items)))

    def _take(self, rows: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
        starts = list(range(0, len(rows), self.size))
        if len(rows) % self.size == 1 and len(starts) > 1:
            # The one item that is left over joins the batch before it.
            starts.pop()
        for start, end in pairwise([*starts, len(rows)]):
            index = torch.from_numpy(rows[start:end]).to(self.device)
            if isinstance(self.items, ImageArray):
                pixels = torch.from_numpy(self.items.read(rows[start:end]))
                yield pixels.to(self.device), index
            else:
                yield self.items[index], index


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


def _set_rates(optimizer: torch.optim.Optimizer, recipe: Recipe, step: int) -> None:
    """Halve the learning rates where it is time to; what they began with is kept beside them."""
    if recipe.halve_every:
        for group in optimizer.param_groups:
            first = group.setdefault("first_lr", group["lr"])
            group["lr"] = first * 0.5 ** (step // recipe.halve_every)


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


def _finite(loss: Tensor | float, stage: str, epoch: int) -> float:
    value = float(loss)
    if not np.isfinite(value):
        raise FloatingPointError(
            f"the loss of {stage} is {value} in epoch {epoch + 1}: lower the learning rate (lr)"
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
