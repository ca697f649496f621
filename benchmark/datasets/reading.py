"""Files of data sets as text, with a message in place of whatever the system says of them."""

from __future__ import annotations

from pathlib import Path

from benchmark.errors import InputError
from benchmark.files import is_file


def check_there(path: Path) -> None:
    """InputError unless there is a folder or file whose name can be shown."""
    try:
        path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such folder") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: no folder can be read there ({reason})") from None
    if not path.resolve().name.isprintable():
        raise InputError(f"{path}: the name has characters that cannot be printed; rename it")


def read_text(path: Path, *, errors: str = "strict") -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Parameters
    ----------
    path : Path
    errors : {"strict", "replace"}
        What becomes of bytes that are no UTF-8.

    Raises
    ------
    InputError
        If it is no plain file, cannot be read, or is not UTF-8.
    """
    if not is_file(path):
        raise InputError(f"{path} is no file that can be read: put the collection's file there")
    try:
        return path.read_text(encoding="utf-8-sig", errors=errors)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error.reason}): save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def files_in(folder: Path) -> list[Path]:
    """What lies in a folder, by name.

    Raises
    ------
    InputError
        If it is no folder, or cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder} is no folder that can be read ({error.strerror}): put the collection's "
            "folder there"
        ) from None
