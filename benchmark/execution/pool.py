"""Processes of this machine that run one cell after another.

Each worker holds one cell at a time, so that it is known which cell a dead worker had, and the
others go on.  A worker whose memory has grown is replaced between two cells.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from joblib.externals.loky.backend import get_context

from benchmark.errors import InputError
from benchmark.execution.cell import Run, run_cell, store_failure
from benchmark.execution.costs import own_megabytes
from benchmark.execution.grid import Cell
from benchmark.store.record import CellResult

#: Growth of a worker's own memory since its first cell, in MB, after which it is replaced.
LARGEST_GROWTH = 500.0

#: Seconds between two looks at whether the command is still there.
LOOK_EVERY = 0.5

#: What libraries read the number of their threads from.
THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
)


def in_processes(run: Run, cells: Sequence[Cell], jobs: int) -> Iterator[tuple[Cell, CellResult]]:
    """Run cells in so many processes, each with its share of the cores; results as they come.

    A worker that dies makes its cell a failed cell.

    Raises
    ------
    InputError
        If no process can be started.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    waiting = list(reversed(cells))
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.cell is not None for worker in workers):
            workers = [worker for worker in workers if not worker.retired]
            while waiting and len(workers) < jobs:
                workers.append(_Worker(run, threads, jobs))
                workers[-1].give(waiting.pop())
            for worker in _answering(workers):
                cell = worker.cell
                yield cell, worker.result(run)
                if waiting and not worker.retired:
                    worker.give(waiting.pop())
    finally:
        for worker in workers:
            worker.let_go()
        for worker in workers:
            worker.end()


def _answering(workers: Sequence[_Worker]) -> list[_Worker]:
    """The workers that have a result, or are dead, as soon as there is one."""
    busy = [worker for worker in workers if worker.cell is not None]
    ready = wait([worker.connection for worker in busy])
    return [worker for worker in busy if worker.connection in ready]


class _Worker:
    """One process, and the cell that it has."""

    def __init__(self, run: Run, threads: int, jobs: int) -> None:
        context = get_context("loky")
        self.cell: Any = None
        self.retired = False
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve,
            args=(theirs, run, os.getpid()),
            env=dict.fromkeys(THREADS, str(threads)),
        )
        try:
            self.process.start()
        except OSError as error:
            raise InputError(
                f"--jobs {jobs}: no further process can be started ({error.strerror}); lower it"
            ) from error
        # Only the worker holds its end, so that the end of the worker is the end of the pipe.
        theirs.close()

    def give(self, cell: Cell) -> None:
        self.cell = cell
        try:
            self.connection.send(cell)
        except OSError:
            # It is dead, which its silent end of the pipe will tell.
            return

    def result(self, run: Run) -> CellResult:
        """The result of the cell that it had, which failed if there is none."""
        cell, self.cell = self.cell, None
        try:
            result, grown = self.connection.recv()
        except (EOFError, OSError):
            self.end()
            reason = f"the worker process died ({_ending(self.process.exitcode)})"
            return store_failure(run, cell, reason, reason)
        if grown > LARGEST_GROWTH:
            self.end()
        return result

    def let_go(self) -> None:
        """Let the process end by itself; one that has a cell is ended at once."""
        self.retired = True
        self.connection.close()
        if self.cell is not None:
            self.process.terminate()

    def end(self) -> None:
        """Return when the process is no more."""
        self.let_go()
        self.process.join(10)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()


def _ending(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return "out of memory?"
    if status is not None and status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"


def _serve(connection: Connection, run: Run, command: int) -> None:
    """The life of a worker: cells come in, results go out."""
    threading.Thread(target=_end_with, args=(command,), daemon=True).start()
    # The command hears of Ctrl-C too, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    first = None
    while True:
        try:
            cell = connection.recv()
        except (EOFError, OSError):
            return
        result = run_cell(run, cell)
        memory = own_megabytes()
        first = memory if first is None else first
        connection.send((result, memory - first))


def _end_with(command: int) -> None:
    """End this process when the command is gone, also if it was gone before this was started."""
    while os.getppid() == command:
        time.sleep(LOOK_EVERY)
    os._exit(1)
