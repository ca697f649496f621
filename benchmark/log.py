"""Messages about the work, for people; they never mix with what a command prints."""

from __future__ import annotations

import sys


def to_stderr(message: str) -> None:
    """Where messages about the work go, so that standard output holds results alone."""
    print(message, file=sys.stderr)
