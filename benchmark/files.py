"""Files and folders that are written completely or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benchmark.errors import InputError


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file completely or not at all, under a temporary name that is then renamed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(folder: Path, option: str) -> None:
    """Create a folder if it is missing; raise InputError if it cannot be written."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{option} {folder}: cannot write there ({error.strerror}); "
            "choose a folder with write permission"
        ) from error


def move_folder(temporary: Path, target: Path) -> None:
    """Rename a finished folder to its final name, unless another run has written it already."""
    try:
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(temporary)
