"""Files that appear whole or not at all, and that show whether they were altered."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path

#: Bytes of the digest at the end of a sealed file.
SEAL = hashlib.sha256().digest_size


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name beside it, which it loses when it is complete.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.

    Yields
    ------
    Path
        Where to write.  It has the suffix of `path`; the dot in front hides it from readers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def sealed(path: Path) -> Iterator[Path]:
    """As :func:`written`, for a cached file: its SHA-256 is appended, for :func:`unsealed`.

    Readers of ``.npy`` and ``.npz`` files pass over the digest.
    """
    with written(path) as temporary:
        yield temporary
        with open(temporary, "rb+") as file:
            seal = hashlib.file_digest(file, "sha256").digest()
            file.seek(0, os.SEEK_END)
            file.write(seal)


def unsealed(path: Path, log: Callable[[str], None] | None = None) -> BytesIO | None:
    """What was written under :func:`sealed`; None if it is not there, or altered.

    Parameters
    ----------
    path : Path
    log : callable, optional
        Is told of an altered file; standard error by default.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        content, reason = b"", f"cannot be read ({error.strerror})"
    else:
        reason = "was altered or truncated"
    body, seal = content[:-SEAL], content[-SEAL:]
    if content and hashlib.sha256(body).digest() == seal:
        return BytesIO(body)
    message = f"the cached file {path} {reason}; it is made again"
    if log is None:
        print(message, file=sys.stderr)
    else:
        log(message)
    return None


def temporary_name(path: Path) -> Path:
    """The name beside `path` under which this process writes it; :func:`is_leftover` knows it."""
    return path.with_name(f".{path.stem}.{_machine()}-{os.getpid()}.part{path.suffix}")


def is_leftover(name: str) -> bool:
    """Whether a file or folder is one that a process of this machine was writing when it ended."""
    found = re.fullmatch(rf"\..*\.{_machine()}-(\d+)\.part(\.[^.]*)?", name)
    return found is not None and not _is_running(int(found[1]))


@cache
def _machine() -> str:
    """What tells apart machines and containers that write into one folder."""
    try:
        # Two containers of one machine count their processes apart.
        processes = os.readlink("/proc/self/ns/pid")
    except OSError:
        processes = ""
    return hashlib.sha256(f"{platform.node()} {processes}".encode()).hexdigest()[:8]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # It belongs to somebody else.
        return True
    return True
