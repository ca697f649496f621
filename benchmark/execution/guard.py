"""What a method may do wrong without ending the run that it is part of."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark.errors import InputError, describe, writable
from benchmark.registry import Variant

if TYPE_CHECKING:
    from methods.base import Hasher

Answer = TypeVar("Answer")


def fitted(hasher: Hasher, X: Any, supervision: dict[str, Any]) -> None:
    """Fit a method.

    Raises
    ------
    TypeError
        If ``fit`` returns something else than the method, as where its last line is missing.
    """
    returned = hasher.fit(X, **supervision)
    if returned is not hasher:
        raise TypeError(
            f"{type(hasher).__name__}.fit returned {type(returned).__name__} instead of self"
        )


def asked(variant: Variant, question: Callable[[], Answer]) -> Answer:
    """What a method answers before any work starts.

    Raises
    ------
    InputError
        With the method's name, whatever it raises.
    """
    try:
        return question()
    except (KeyboardInterrupt, InputError):
        raise
    except BaseException as error:
        raise InputError(f"method {variant}: {describe(error)}") from error


def reason_to_skip(variant: Variant, skip: Callable[[], Any]) -> str | None:
    """What the method's ``skip`` gives, which must be a text or None.

    Raises
    ------
    InputError
        If it gives something else, or fails.
    """
    reason = asked(variant, skip)
    if reason is None or isinstance(reason, str):
        return writable(reason) if reason else None
    raise InputError(
        f"method {variant}: skip gives {type(reason).__name__} instead of a reason (a text) or None"
    )


@contextmanager
def staying_alive() -> Iterator[None]:
    """A block in which ``os._exit`` of this thread raises SystemExit.

    Otherwise the one process of ``--jobs 1`` would end as if all were done.  Other threads and
    the processes that a method starts end as they wish.
    """
    here, end = (os.getpid(), threading.get_ident()), os._exit

    def leave(status: int) -> None:
        if (os.getpid(), threading.get_ident()) != here:
            end(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = leave  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = end


def failure(error: BaseException, own_files: Sequence[Path]) -> tuple[str, str]:
    """One line on what went wrong, with the line of the user's own file, and the traceback."""
    reason = describe(error)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) in own_files
    ]
    if frames:
        reason += f" (line {frames[-1].lineno} of {frames[-1].filename})"
    return reason, writable("".join(traceback.format_exception(error)))
