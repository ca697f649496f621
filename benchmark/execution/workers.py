"""Cells one after another, spread over processes of this machine, or over a dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmark.errors import InputError
from benchmark.execution.cell import Run, run_cell
from benchmark.execution.grid import Cell
from benchmark.execution.options import Workers
from benchmark.execution.pool import in_processes
from benchmark.store.record import CellResult


def spread(run: Run, cells: Sequence[Cell]) -> Iterator[tuple[Cell, CellResult]]:
    """Results as they come; a worker that dies takes down no cell but its own."""
    workers = run.options.workers
    if workers.backend == "dask":
        yield from _on_a_cluster(run, cells)
    elif workers.jobs == 1:
        yield from ((cell, run_cell(run, cell)) for cell in cells)
    else:
        yield from in_processes(run, cells, workers.jobs)


def _on_a_cluster(run: Run, cells: Sequence[Cell]) -> Iterator[tuple[Cell, CellResult]]:
    from joblib import Parallel, delayed

    with _cluster(run.options.workers):
        parallel = Parallel(n_jobs=run.options.workers.jobs, return_as="generator_unordered")
        yield from parallel(delayed(_run_labelled)(run, cell) for cell in cells)


def _run_labelled(run: Run, cell: Cell) -> tuple[Cell, CellResult]:
    return cell, run_cell(run, cell)


@contextmanager
def _cluster(workers: Workers) -> Iterator[None]:
    """Let joblib use a dask cluster, whose workers outlive this command."""
    from joblib import parallel_config

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
