"""Messages on the progress of the work, apart from the output of a command."""

from __future__ import annotations

import sys

#: Characters of a message that a reader can be asked to read.
LONGEST = 600


def to_stderr(message: str) -> None:
    """Print a message on standard error, so that standard output holds only results."""
    print(printable(message), file=sys.stderr)


def printable(text: str) -> str:
    """One line that no terminal takes for a command, and of which the middle may be missing.

    Names and errors come from anywhere: what cannot be printed is written as Python escapes it.
    """
    text = escaped(text.strip())
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} ... {text[-LONGEST // 3 :]}"


def escaped(text: str) -> str:
    """A text of which every character can be printed, with blanks in place of other white space."""
    return "".join(
        c if c.isprintable() else " " if c.isspace() else c.encode("unicode_escape").decode()
        for c in text
    )
