"""The exception for mistakes in the user's input, which is raised before any work starts."""

from __future__ import annotations

from collections.abc import Sequence


class InputError(ValueError):
    """Bad arguments or data.

    The message is one line: what is wrong, where, and what to do.  The command prints it and
    ends with exit status 2.

    Parameters
    ----------
    message : str
    details : sequence of str
        What stands below the message where one mistake is not the only one.
    """

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__("\n".join([message, *details]))
        self.message = message
        self.details = tuple(details)
