"""What is the same for every method: data sets, protocol, runner, store and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.protocol import evaluate, evaluate_scores

__version__ = "0.1.0"
__all__ = ["evaluate", "evaluate_scores"]


def __getattr__(name: str) -> Any:
    """Load the evaluation (and numba with it) only when somebody asks for it."""
    if name in __all__:
        from benchmark import protocol

        return getattr(protocol, name)
    raise AttributeError(f"module 'benchmark' has no attribute {name!r}")
