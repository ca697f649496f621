"""Messages on the progress of the work, apart from the output of a command."""

from __future__ import annotations

import sys


def to_stderr(message: str) -> None:
    """Print a message on standard error, so that standard output holds only results."""
    print(message, file=sys.stderr)
