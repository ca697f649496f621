"""What one command does, for the command and for Python users.

:class:`Study` names the data, the methods and the options; its ``run`` gives :class:`Results`.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Results", "Session", "Study"]

_HOMES = {
    "Results": "benchmark.study.results",
    "Session": "benchmark.study.session",
    "Study": "benchmark.study.study",
}


def __getattr__(name: str) -> Any:
    """Load numpy and the rest only when somebody asks for what needs them."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'benchmark.study' has no attribute {name!r}")
