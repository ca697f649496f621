"""Files and folders that appear whole or not at all, and what a killed run left of them."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmark.errors import InputError
from features.writing import is_leftover, temporary_name, written


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    with written(Path(path)) as temporary:
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


@contextmanager
def written_folder(target: Path) -> Iterator[Path]:
    """Fill a folder under a temporary name beside it, which it loses when it is complete.

    A folder that is there already is replaced; at every moment a reader finds the old one or the
    new one (where the system cannot exchange two names, there is a moment without either).

    Yields
    ------
    Path
        An empty folder on the same file system; the dot in front hides it from readers.
    """
    temporary = temporary_name(target)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        _replace(temporary, target)
    finally:
        # What is called so now is the folder that was replaced, or one that is not complete.
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(temporary: Path, target: Path) -> None:
    """Give a complete folder its name, whatever other runs do with that name meanwhile."""
    while True:
        try:
            temporary.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if _exchange(temporary, target):
            return


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names; False if one of them is gone, after which a rename succeeds."""
    if sys.platform == "linux":
        here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of <fcntl.h> and <linux/fs.h>
        call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if call and call(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
            return True
        if call and ctypes.get_errno() == errno.ENOENT:
            return False
    # Old systems and some network file systems: the old folder leaves, and the new one follows.
    shutil.rmtree(other, ignore_errors=True)
    return False


def remove_leftovers(root: Path) -> int:
    """Remove what killed runs left half written below a folder; return how many there were.

    Only names that :func:`features.writing.temporary_name` makes are touched, of processes of
    this machine that are no more.  Links are not followed.
    """
    removed = 0
    for folder, folders, files in os.walk(root):
        removed += sum(_remove(Path(folder) / name) for name in [*folders, *files])
        folders[:] = [name for name in folders if not name.startswith(".")]
    return removed


def _remove(path: Path) -> bool:
    """Whether it was a leftover and is gone."""
    if not is_leftover(path.name):
        return False
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
    return not path.exists()


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
        for path in place.glob(".writable.*"):
            _remove(path)
        probe = temporary_name(place / "writable")
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
