"""What is the same for every method: data sets, protocol, runner, store and output."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.protocol.evaluate import evaluate, evaluate_scores
    from benchmark.protocol.protocol import Protocol
    from benchmark.study.models import load_hasher
    from benchmark.study.study import Study

__version__ = "0.1.0"
__all__ = ["Protocol", "Study", "evaluate", "evaluate_scores", "load_hasher"]

_HOMES = {
    "Protocol": "benchmark.protocol.protocol",
    "Study": "benchmark.study.study",
    "evaluate": "benchmark.protocol.evaluate",
    "evaluate_scores": "benchmark.protocol.evaluate",
    "load_hasher": "benchmark.study.models",
}


def __getattr__(name: str) -> Any:
    """Load numba and the rest only when somebody asks for what needs them."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
