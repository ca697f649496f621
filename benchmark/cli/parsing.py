"""The parser of the command line, and the types of its values."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from benchmark.errors import InputError


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(message)

    def parse_args(self, *arguments: Any) -> argparse.Namespace:  # type: ignore[override]
        """As in the library; an option that is misspelt is told what it may have been."""
        args, unknown = self.parse_known_args(*arguments)
        if unknown:
            name = unknown[0].partition("=")[0]
            options = [option for option in self._option_string_actions if len(option) > 2]
            near = difflib.get_close_matches(name, options, n=2) if name[:1] == "-" else []
            hint = f"did you mean {' or '.join(near)}?" if near else "--help shows all options"
            self.error(f"unknown argument {unknown[0]!r}: {hint}")
        return args


def as_text(text: str) -> str:
    """The text, unless it is blank or no file system takes it."""
    if not text.strip() or "\0" in text:
        what = "has a NUL character" if text.strip() else "is empty"
        raise argparse.ArgumentTypeError(f"{text!r} {what}; give a name, or leave the option out")
    return text


def as_path(text: str) -> Path:
    """The path; a blank text would be the folder one stands in."""
    return Path(as_text(text))


def as_whole(least: int, most: int, what: str) -> Callable[[str], int]:
    """Reads whole numbers of that range; `what` is for messages."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not {what}; use whole numbers from {least} to {most}"
            )
        return number

    return read
