"""Parameter values as the command line writes them, read and spelt."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any


def read_value(text: str) -> Any:
    """The value that a text on the command line stands for; a word where it is none other."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        # The last two come of thousands of signs or brackets.
        return text


def spell_parameters(parameters: Iterable[tuple[str, Any]]) -> list[str]:
    """Each as ``param=value``, as the command line takes them."""
    return [f"{key}={_spell(value)}" for key, value in parameters]


def _spell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
