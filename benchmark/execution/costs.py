"""Time, memory and load of a run, and the versions of its software."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "gensim", "torch", "torchvision")


class Stopwatch:
    """Seconds that named blocks took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


class MemoryGrowth:
    """How far the resident memory of this process grows over what it is now, at its peak.

    Where the system does not say (it is no Linux), growth below an earlier peak is not seen.
    """

    def __init__(self) -> None:
        # The kernel forgets the earlier peak.
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self.start = _peak_megabytes()

    def megabytes(self) -> float:
        """In MB (10^6 bytes)."""
        return max(0.0, _peak_megabytes() - self.start)


def own_megabytes() -> float:
    """Memory that this process alone holds, without maps of files, in MB; 0 if unknown."""
    return _status("RssAnon") or 0.0


def _peak_megabytes() -> float:
    known = _status("VmHWM")
    if known is not None:
        return known
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _status(name: str) -> float | None:
    """A size that Linux tells of this process, in MB."""
    try:
        status = Path("/proc/self/status").read_text()
        kilobytes = next(x.split()[1] for x in status.splitlines() if x.startswith(name))
        return int(kilobytes) * 1024 / 1e6
    except (OSError, StopIteration):
        return None


def load() -> float:
    """Processes of this machine that run or wait, per core, over the last minute.

    NaN where the system does not say.
    """
    try:
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    except OSError:
        return float("nan")


def threads() -> int:
    """The largest number of threads that a library of this process computes with."""
    found = [pool["num_threads"] for pool in threadpool_info()]
    if "torch" in sys.modules:
        found.append(sys.modules["torch"].get_num_threads())
    if "numba" in sys.modules:
        found.append(sys.modules["numba"].get_num_threads())
    return max(found, default=1)


@lru_cache
def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on, and the git commit."""
    from benchmark import __version__

    found = {"hashbench": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    found["commit"] = _commit()
    return found


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    folder = Path(__file__).resolve().parent
    try:
        answer = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
