"""The command under attack: started, watched, and compared with a run that nobody disturbed.

A command is a fork of this process, in which everything is imported already, in a session of its
own.  It does what ``python run_benchmark.py`` does, and a hundred kills take minutes.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

import benchmark.execution.cell
import benchmark.reporting.plots
import benchmark.study.study  # noqa: F401 (what a command imports, imported once)
from benchmark.cli.main import main
from benchmark.digests import code_digest, package_digest
from benchmark.registry import methods
from benchmark.store.store import Store

DATASET = "demo[n=120]"
#: What a run measures of the machine; everything else has to be equal to the last digit.
COSTS = {"fit_seconds", "encode_us", "peak_mb", "load"}
#: Seconds that processes have to end after their command.
PATIENCE = 30.0


@dataclass(frozen=True)
class Work:
    """A small grid of cheap methods."""

    methods: Sequence[str] = ("lsh", "pcah", "itq", "sh")
    bits: Sequence[int] = (8, 10, 12, 16)
    seeds: Sequence[int] = (0, 1)

    @property
    def arguments(self) -> list[str]:
        return [
            *("--dataset", DATASET, "--features", "gist", "--protocol", "deephash-pytorch"),
            *("--methods", *self.methods),
            *("--bits", *map(str, self.bits), "--seeds", *map(str, self.seeds)),
        ]

    @property
    def n_cells(self) -> int:
        return len(self.methods) * len(self.bits) * len(self.seeds)


@dataclass
class Count:
    """Trials of one kind, and everything that went wrong."""

    name: str
    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def blame(self, *found: str) -> None:
        self.wrong += found


class Command:
    """A command that runs now.

    Parameters
    ----------
    *arguments : object
        Of ``run_benchmark.py``.
    prepare : callable, optional
        Called in its process before it starts.
    """

    def __init__(self, *arguments: object, prepare: Callable[[], None] | None = None) -> None:
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        self.status: int | None = None
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._run(list(map(str, arguments)), prepare)

    def _run(self, arguments: list[str], prepare: Callable[[], None] | None) -> None:
        status = 70
        try:
            os.setsid()
            os.dup2(self._err.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if prepare is not None:
                prepare()
            status = main(arguments)
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def is_running(self) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is None

    def end(self) -> tuple[int, str]:
        """Wait; exit status (negative for a signal) and standard error."""
        while self.is_running():
            time.sleep(0.01)
        self._err.seek(0)
        err = self._err.read().decode(errors="replace")
        self._err.close()
        return self.status or 0, err

    def kill(self) -> None:
        """SIGKILL to the command alone, as the kernel does when memory runs out."""
        if self.is_running():
            os.kill(self.pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """All processes of its session that run."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (place / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == self.pid and state != "Z":
                found.append(int(place.name))
        return found

    def orphans(self) -> list[int]:
        """Processes that are still there some time after their command ended."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left


class Results:
    """A results folder under attack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def arguments(self) -> list[str]:
        return ["--results", str(self.folder)]

    def cells(self) -> dict[str, bytes]:
        """Folder of every stored cell to its ``run.json``."""
        home = self.folder / "cells"
        files = home.glob("*/*/[!.]*/run.json")
        return {path.parent.relative_to(home).as_posix(): path.read_bytes() for path in files}

    def torn(self) -> list[str]:
        """Stored cells that cannot be read."""
        return [name for name in self.cells() if Store(self.folder).read(name) is None]

    def leftovers(self) -> list[str]:
        """Files and folders that were not completed."""
        return [str(p) for p in self.folder.rglob(".*") if ".part" in p.name]

    def metrics(self) -> dict[str, dict[str, tuple]]:
        """Every cell that is done with what was measured of its codes."""
        store, found = Store(self.folder), {}
        for name in self.cells():
            result = store.read(name)
            if result is not None and result.status == "done":
                found[name] = {k: tuple(v) for k, v in result.metrics.items() if k not in COSTS}
        return found


class Arena:
    """A folder for attacks, and what the work gives where nobody attacks it."""

    def __init__(self, folder: Path, work: Work) -> None:
        self.folder, self.work = folder, work
        self._number = 0
        #: How long the undisturbed run took.
        self.seconds = 0.0
        # Drawing takes longer than all cells; the files of the figures are written all the same.
        Figure.savefig = lambda figure, stream, **options: stream.write(b"a figure")
        for name in work.methods:
            code_digest(methods.find(name).module)
        package_digest("benchmark.protocol")
        self.expected = self._undisturbed()

    def _undisturbed(self) -> dict[str, dict[str, tuple]]:
        results, start = Results(self.folder / "undisturbed"), time.monotonic()
        status, err = self.command(results).end()
        self.seconds = time.monotonic() - start
        found = results.metrics()
        if status or len(found) != self.work.n_cells:
            raise RuntimeError(f"the undisturbed run ended with status {status}: {err}")
        return found

    def command(
        self,
        results: Results,
        *arguments: object,
        jobs: int = 1,
        prepare: Callable[[], None] | None = None,
    ) -> Command:
        """Start the work on a results folder."""
        place = [*results.arguments, "--jobs", jobs]
        return Command(*self.work.arguments, *place, *arguments, prepare=prepare)

    def new_results(self) -> Results:
        self._number += 1
        return Results(self.folder / f"results-{self._number}")

    def differences(self, results: Results) -> list[str]:
        """Cells that are missing, or that have other metrics than in the undisturbed run."""
        found = results.metrics()
        return [
            f"{name}: {'other metrics' if name in found else 'missing'}"
            for name, metrics in self.expected.items()
            if found.get(name) != metrics
        ]


def complaints(err: str, *words: str) -> list[str]:
    """Lines of standard error with a traceback or with one of these words."""
    return [line for line in err.splitlines() if any(w in line for w in ("Traceback", *words))]
