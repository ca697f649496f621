"""Numbers as option values."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def whole(least: int, most: int, what: str) -> Callable[[str], int]:
    """An argparse type: a whole number in a range, called `what` in complaints."""

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
