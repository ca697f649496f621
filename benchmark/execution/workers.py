"""Cells spread over processes, by joblib on this machine or on a dask cluster."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from benchmark.errors import InputError
from benchmark.execution.cell import Run, run_cell, store_failure
from benchmark.execution.grid import Cell
from benchmark.execution.options import Workers
from benchmark.store.record import CellResult
from benchmark.store.store import Store


def spread(run: Run, cells: Sequence[Cell]) -> Iterator[tuple[Cell, CellResult]]:
    """Results as they come; a worker that dies takes down no cell but its own."""
    workers = run.options.workers
    left = dict.fromkeys(cells)
    if workers.backend == "loky" and workers.jobs == 1:
        yield from ((cell, run_cell(run, cell)) for cell in cells)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # A dask worker belongs to its cluster and outlives this command.
    task = delayed(_run_watched if workers.backend == "loky" else _run_labelled)
    try:
        with _backend(workers):
            parallel = Parallel(n_jobs=workers.jobs, return_as="generator_unordered")
            for cell, result in parallel(task(run, cell) for cell in cells):
                del left[cell]
                yield cell, result
    except BrokenProcessPool:
        # The cell that killed its worker is unknown, so the remaining cells run one at a time.
        for cell in left:
            yield cell, _run_alone(run, cell)


def _run_labelled(run: Run, cell: Cell) -> tuple[Cell, CellResult]:
    return cell, run_cell(run, cell)


def _run_watched(run: Run, cell: Cell) -> tuple[Cell, CellResult]:
    _end_with_parent()
    return _run_labelled(run, cell)


@cache
def _end_with_parent() -> None:
    """Let this worker process end when the command that started it is killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run_alone(run: Run, cell: Cell) -> CellResult:
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    store = Store(run.options.results)
    finished = store.read(cell.folder)
    if finished is not None and finished.status == "done":
        return finished
    try:
        with ProcessPoolExecutor(max_workers=1) as pool:
            return pool.submit(_run_watched, run, cell).result()[1]
    except BrokenProcessPool as error:
        reason = "the worker process died (out of memory?)"
        return store_failure(run, cell, reason, str(error))


@contextmanager
def _backend(workers: Workers) -> Iterator[None]:
    """Set up joblib for the backend, with an equal share of the cores for each worker."""
    from joblib import parallel_config

    if workers.backend == "loky":
        threads = max(1, (os.cpu_count() or 1) // workers.jobs)
        with parallel_config("loky", inner_max_num_threads=threads):
            yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--backend dask needs the extra: pip install 'hashbench[dask]'") from error
    try:
        if workers.scheduler:
            client = Client(workers.scheduler, timeout="10s")
        else:
            client = Client(n_workers=workers.jobs, threads_per_worker=1, dashboard_address=None)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"--scheduler: no dask scheduler answers at {workers.scheduler}"
        ) from error
    with client, parallel_config("dask", wait_for_workers_timeout=60):
        yield
