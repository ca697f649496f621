"""Where networks are trained, which is no property of a method: device, checkpoints, progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingContext:
    """Where and how trainings run.

    Attributes
    ----------
    device : str
        ``cpu`` or ``cuda``; on ``cuda`` networks run in mixed precision.
    checkpoints : Path or None
        Folder where a training leaves its state, from which a killed one goes on.
    progress : bool
        Whether a bar with loss and time left is shown on stderr, if that is a terminal.
    """

    device: str = "cpu"
    checkpoints: Path | None = None
    progress: bool = False


_current = TrainingContext()


def training_context() -> TrainingContext:
    """What holds for trainings that start now."""
    return _current


@contextmanager
def use_training_context(settings: TrainingContext) -> Iterator[None]:
    """Let trainings run with these settings while the block runs."""
    global _current
    before, _current = _current, settings
    try:
        yield
    finally:
        _current = before
