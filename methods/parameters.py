"""What the parameters of a method may be, whatever the data."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any


def check_words(method: Any, words: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ValueError unless each of these parameters is one of its words."""
    for name, allowed in words.items():
        value = getattr(method, name)
        if value not in allowed:
            raise ValueError(f"{name} must be {' or '.join(allowed)}, not {value!r}")


def check_numbers(method: Any) -> None:
    """Raise ValueError if a number that is not negative by default is negative, or not a number."""
    for name, parameter in signature(type(method)).parameters.items():
        value, default = getattr(method, name), parameter.default
        both = isinstance(default, int | float) and isinstance(value, int | float)
        # Written so that NaN fails too.
        if both and default >= 0 and not value >= 0:
            raise ValueError(f"{name} must be at least 0, not {value}")
