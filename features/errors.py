"""Errors of feature extractors."""

from __future__ import annotations

import textwrap

from benchmark.errors import InputError

#: Longest part of another library's message that is repeated, in characters.
MAX_LENGTH = 120


class FeatureError(InputError):
    """Bad images, weights or feature files.

    The message is one line: what is wrong, where, and what to do.
    """


def one_line(error: BaseException) -> str:
    """The first line of an exception's message, shortened; its type if it has no message."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    return textwrap.shorten(lines[0].rstrip(":. "), MAX_LENGTH, placeholder=" ...")
