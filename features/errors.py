"""What the feature extractors say when they cannot work."""

from __future__ import annotations


class FeatureError(ValueError):
    """Bad images, weights or feature files.

    The message is one line: what is wrong, where, and what to do.
    """


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, or its type where there is no message."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(":. ") if lines else type(error).__name__
