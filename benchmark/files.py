"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
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
    """Make a folder if need be; InputError if nothing can be written there."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{option} {folder}: cannot write there ({error.strerror}); "
            "name a folder that you may write"
        ) from error
