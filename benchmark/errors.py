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


def describe(error: BaseException) -> str:
    """Type and first line of the message of any exception, as text that can be written anywhere.

    It also serves for what a plug-in may raise: an exception whose message cannot be made, or
    holds half of a surrogate pair.
    """
    try:
        lines = str(error).splitlines() or [""]
    except Exception as broken:
        lines = [f"(its message cannot be made: {type(broken).__name__})"]
    return writable(f"{type(error).__name__}: {lines[0]}".removesuffix(": "))


def writable(text: str) -> str:
    """The text with halves of surrogate pairs, which no file can hold, spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
