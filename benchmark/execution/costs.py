"""Time, memory and software versions of a run."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import metadata
from pathlib import Path

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


def reset_peak_memory() -> None:
    """Start a new measurement of this process's peak memory, if the system allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_megabytes() -> float:
    """Largest resident memory of this process since the last reset, in MB (10^6 bytes).

    Linux measures it from the reset, other systems from the start of the process.
    """
    try:
        status = Path("/proc/self/status").read_text()
        kilobytes = next(x.split()[1] for x in status.splitlines() if x.startswith("VmHWM"))
        return int(kilobytes) * 1024 / 1e6
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


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
