"""What the feature extractors say when they cannot work."""

from __future__ import annotations

import textwrap

#: Characters of another library's message that are passed on.
LONGEST = 120


class FeatureError(ValueError):
    """Bad images, weights or feature files.

    The message is one line: what is wrong, where, and what to do.
    """


def one_line(error: BaseException) -> str:
    """The beginning of an exception's message, or its type where there is no message."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    return textwrap.shorten(lines[0].rstrip(":. "), LONGEST, placeholder=" ...")
