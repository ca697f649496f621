"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.errors import InputError
from features.writing import written


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    with written(Path(path)) as temporary:
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


@contextmanager
def written_folder(target: Path) -> Iterator[Path]:
    """Fill a folder under a temporary name beside it, which it loses when it is complete.

    A folder that is there already is replaced, unless another run has written it in between.

    Yields
    ------
    Path
        An empty folder on the same file system; the dot in front hides it from readers.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        shutil.rmtree(target, ignore_errors=True)
        _move(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move(temporary: Path, target: Path) -> None:
    try:
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def check_writable(folder: Path, option: str) -> None:
    """InputError if nothing can be written in a folder, or if it is missing and cannot be made.

    Nothing is left behind: the folder itself is made by whatever writes into it.
    """
    reason = why_not_writable(folder)
    if reason:
        raise InputError(
            f"{option} {folder}: cannot write there ({reason}); name a folder that you may write"
        )


def why_not_writable(folder: Path) -> str:
    """What the system says of writing in a folder that may be still to be made; '' if it works."""
    try:
        place = _nearest(folder.absolute())
        probe = place / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    try:
        folder.stat()
    except FileNotFoundError:
        if not folder.is_symlink():
            return _nearest(folder.parent)
    return folder


def check_free(folders: Iterable[Path], files: Iterable[Path] = ()) -> None:
    """InputError if a file is where a folder will be, or a folder where a file will be."""
    for path in folders:
        if os.path.lexists(path) and not is_folder(path):
            raise InputError(f"{path} must be a folder: remove or rename what is there")
    for path in files:
        if is_folder(path):
            raise InputError(f"{path} is a folder, but a file goes there: remove or rename it")


def is_file(path: Path) -> bool:
    """Whether there is a plain file; False also for a name that the system does not take."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder; False also for a name that the system does not take."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
