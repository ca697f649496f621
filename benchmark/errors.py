"""The one exception that means: the user's input is wrong, and nothing has been done yet."""

from __future__ import annotations


class InputError(ValueError):
    """Bad arguments or data.

    The message is one line: what is wrong, where, and what to do.  The command prints it and
    ends with exit status 2.
    """
