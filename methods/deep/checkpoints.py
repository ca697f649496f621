"""The state of a training on disk, from which a killed one goes on."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import torch

from features.pixels import ImageArray
from features.writing import sealed, unsealed
from methods.deep.context import training_context

if TYPE_CHECKING:
    from methods.deep.recipe import History

#: A state is written when the last one is older than that, so that short trainings write none.
SECONDS_BETWEEN = 30.0


class Checkpoint:
    """One stage of a method's training; without a folder of checkpoints it does nothing.

    Parameters
    ----------
    stage : str
        Name of the stage, unique in a method.
    depends_on : object
        What the stage depends on besides its items: plain values, arrays and collections of them.
        A state that belongs to something else is not used.
    X : (n, d) array of float, or ImageArray
        The items.
    """

    def __init__(self, stage: str, depends_on: Any, X: np.ndarray | ImageArray) -> None:
        folder = training_context().checkpoints
        self.depends_on, self.X = depends_on, X
        self.path: Path | None = None if folder is None else Path(folder) / f"{stage}.pt"
        self.begun = self.saved = time.monotonic()

    @cached_property
    def digest(self) -> str:
        """What the stage and its items are known by; found out when it is first asked for."""
        # Pixels and weights are never changed, and reading all of them would take too long.
        items = (
            (self.X.rows, self.X.shape, self.X.backbone, str(self.X.weights))
            if isinstance(self.X, ImageArray)
            else self.X
        )
        return joblib.hash((self.depends_on, items))

    def restore(self, parts: dict[str, Any], history: History) -> dict[str, Any] | None:
        """Load what an earlier run left; returns the best weights, or None if there is nothing."""
        content = None if self.path is None else unsealed(self.path)
        if content is None:
            return None
        try:
            state = torch.load(content, map_location=training_context().device, weights_only=True)
        except Exception:
            # Of another version of torch, whatever its reader raises: the training starts again.
            return None
        if state["digest"] != self.digest:
            return None
        for name, part in parts.items():
            part.load_state_dict(state[name])
        for name, value in state["history"].items():
            setattr(history, name, value)
        torch.set_rng_state(state["torch_rng"].cpu())
        if torch.cuda.is_available() and len(state["cuda_rng"]):
            torch.cuda.set_rng_state(state["cuda_rng"].cpu())
        return state["best"]

    def save(
        self,
        parts: dict[str, Any],
        history: History,
        best: dict[str, Any],
        *,
        last: bool,
    ) -> None:
        """Write the state if it is time to, or if a stage that took longer than that ends."""
        now = time.monotonic()
        since = self.begun if last else self.saved
        if self.path is None or now - since < SECONDS_BETWEEN:
            return
        on_cuda = training_context().device.startswith("cuda")
        state = {name: part.state_dict() for name, part in parts.items()}
        state |= {
            "digest": self.digest,
            "history": asdict(history),
            "best": best,
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state() if on_cuda else torch.empty(0),
        }
        with sealed(self.path) as temporary:
            torch.save(state, temporary)
        self.saved = now
