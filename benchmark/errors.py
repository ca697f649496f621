"""The exception for mistakes in the user's input, which is raised before any work starts."""

from __future__ import annotations


class InputError(ValueError):
    """Bad arguments or data.

    The message is one line: what is wrong, where, and what to do.  The command prints it and
    ends with exit status 2.
    """
