"""Run cells: fit, encode, rank, measure, store; in parallel, each failure on its own."""

from __future__ import annotations

import hashlib
import os
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.bundle import Bundle, open_bundle
from benchmark.errors import InputError
from benchmark.measure import Stopwatch, peak_megabytes, reset_peak_memory, versions
from benchmark.plan import Cell, make_hasher
from benchmark.protocol import Evaluation, Protocol, evaluate
from benchmark.registry import methods
from benchmark.store import CellResult, Measure, Store
from methods.shared import sharing

if TYPE_CHECKING:
    from methods.base import Hasher


@dataclass(frozen=True)
class Run:
    """What all cells of a run have in common; small and picklable, for worker processes.

    Attributes
    ----------
    results : Path
        The folder of the store.
    bundle : Path
        The data, from :func:`benchmark.bundle.write_bundle`.
    shared : Path
        Where methods share intermediate results.
    protocol : Protocol
    plugins : tuple of Path
        Plug-in files that a worker has to load too.
    save_codes : bool
        Whether codes are stored beside the metrics.
    """

    results: Path
    bundle: Path
    shared: Path
    protocol: Protocol
    plugins: tuple[Path, ...] = ()
    save_codes: bool = False


@dataclass(frozen=True)
class Workers:
    """How cells are spread over processes.

    Attributes
    ----------
    jobs : int
        Cells at a time.
    backend : {"loky", "dask"}
        joblib's processes on this machine, or a dask cluster.
    scheduler : str, optional
        Address of the dask scheduler; without it a local cluster is started.
    """

    jobs: int = 1
    backend: str = "loky"
    scheduler: str | None = None


def run_cells(
    run: Run, cells: Sequence[Cell], workers: Workers, *, again: str = "failed"
) -> list[CellResult]:
    """Run the cells that are not done yet; return all results in the order of `cells`.

    Parameters
    ----------
    run : Run
    cells : sequence of Cell
    workers : Workers
    again : {"failed", "all"}
        Whether only failed cells are run again, or finished ones too.

    Raises
    ------
    InputError
        If the dask cluster cannot be reached.
    """
    store = Store(run.results)
    results: dict[Cell, CellResult] = {}
    waiting = []
    for cell in cells:
        stored = None if again == "all" else store.read(cell.folder)
        if cell.skip:
            results[cell] = replace(_blank(cell), status="skipped", reason=cell.skip)
        elif stored is not None and stored.status == "done":
            results[cell] = stored
        else:
            waiting.append(cell)
    # The longest first, so that no long cell is left alone at the end.
    waiting.sort(key=lambda cell: -cell.operations)
    with _progress(waiting) as advance:
        for cell, result in _spread(run, waiting, workers):
            results[cell] = result
            advance(cell)
    return [results[cell] for cell in cells]


def run_cell(run: Run, cell: Cell) -> CellResult:
    """Fit, encode, rank, measure and store one cell; an exception makes it a failed cell."""
    for plugin in run.plugins:
        methods.load_plugin(plugin)
    store = Store(run.results)
    record = _record(cell)
    try:
        with sharing(run.shared), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            result, record["seconds"], arrays = _compute(run, cell)
        record["warnings"] = sorted({str(w.message) for w in caught})
        store.write(cell.folder, result, record, arrays)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        result = replace(_blank(cell), status="failed", reason=reason)
        store.write(cell.folder, result, record, {}, error=traceback.format_exc())
    return result


def _compute(run: Run, cell: Cell) -> tuple[CellResult, dict[str, float], dict[str, dict]]:
    data = open_bundle(run.bundle)
    hasher = make_hasher(cell.variant, cell.bits, cell.seed)
    watch = Stopwatch()
    reset_peak_memory()
    with watch.time("fit"):
        hasher.fit(data.X_train, **_supervision(hasher, data))
    with watch.time("encode"):
        database_codes = hasher.encode(data.X_database)
    query_codes = hasher.encode(data.X_query)
    with watch.time("evaluate"):
        evaluation = evaluate(
            query_codes, database_codes, data.query_labels, data.database_labels, run.protocol
        )
    metrics = {name: Measure(value, *evaluation.bounds[name]) for name, value in evaluation.items()}
    costs = {
        "fit_seconds": watch.seconds["fit"],
        "encode_us": watch.seconds["encode"] / len(data.X_database) * 1e6,
        "peak_mb": peak_megabytes(),
    }
    metrics.update({name: Measure(value, value, value) for name, value in costs.items()})
    result = replace(_blank(cell), status="done", metrics=metrics, curves=evaluation.curves)
    arrays = {"profile": _profile_arrays(evaluation)}
    if run.save_codes:
        arrays["codes"] = {
            "query": np.packbits(query_codes, axis=1, bitorder="little"),
            "database": np.packbits(database_codes, axis=1, bitorder="little"),
        }
    return result, watch.seconds, arrays


def _record(cell: Cell) -> dict[str, Any]:
    """What ``run.json`` says of a cell besides its result."""
    return {
        "specification": dict(cell.specification),
        "operations": cell.operations,
        "versions": versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _supervision(hasher: Hasher, data: Bundle) -> dict[str, Any]:
    """The leakage guard: a method sees the training tags or labels only if it declares them."""
    if hasher.supervision == "tags":
        return {"tags": data.train_tags}
    if hasher.supervision == "labels":
        return {"labels": data.train_labels}
    return {}


def _profile_arrays(evaluation: Evaluation) -> dict[str, np.ndarray]:
    arrays = {"items": evaluation.profile.items, "relevant": evaluation.profile.relevant}
    for name, values in evaluation.per_query.items():
        arrays[f"query:{name}"] = values
    for name, curve in evaluation.curves.items():
        arrays[f"x:{name}"], arrays[f"y:{name}"] = curve
    return arrays


def _blank(cell: Cell) -> CellResult:
    return CellResult(
        dataset=cell.specification["dataset"],
        features=cell.specification["features"],
        method=str(cell.variant),
        bits=cell.bits,
        seed=cell.seed,
        status="failed",
        fidelity=methods.find(cell.variant.name).facts["fidelity"],
    )


def _spread(run: Run, cells: Sequence[Cell], workers: Workers) -> Iterator[tuple[Cell, CellResult]]:
    """Results as they come; a worker that dies takes down no cell but its own."""
    left = dict.fromkeys(cells)
    if workers.backend == "loky" and (workers.jobs == 1 or len(cells) == 1):
        yield from ((cell, run_cell(run, cell)) for cell in cells)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        with _backend(workers):
            parallel = Parallel(n_jobs=workers.jobs, return_as="generator_unordered")
            for cell, result in parallel(delayed(_labelled)(run, cell) for cell in cells):
                del left[cell]
                yield cell, result
    except BrokenProcessPool:
        # Which cell killed its worker cannot be told from here: run the rest one at a time.
        for cell in left:
            yield cell, _run_alone(run, cell)


def _labelled(run: Run, cell: Cell) -> tuple[Cell, CellResult]:
    return cell, run_cell(run, cell)


def _run_alone(run: Run, cell: Cell) -> CellResult:
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    store = Store(run.results)
    finished = store.read(cell.folder)
    if finished is not None and finished.status == "done":
        return finished
    try:
        with ProcessPoolExecutor(max_workers=1) as pool:
            return pool.submit(run_cell, run, cell).result()
    except BrokenProcessPool as error:
        reason = "the worker process died (out of memory?)"
        result = replace(_blank(cell), status="failed", reason=reason)
        store.write(cell.folder, result, _record(cell), {}, error=str(error))
        return result


@contextmanager
def _backend(workers: Workers) -> Iterator[None]:
    """joblib set up for the backend, each worker with its share of the cores."""
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


def _progress(waiting: Sequence[Cell]) -> AbstractContextManager[Callable[[Cell], None]]:
    return _Bar(len(waiting)) if waiting else nullcontext(lambda cell: None)


class _Bar:
    """Progress over cells with the time left, on stderr, silent when that is no terminal."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, unit="cell", disable=None, dynamic_ncols=True)

    def __enter__(self) -> Callable[[Cell], None]:
        return self.advance

    def __exit__(self, *exception: object) -> None:
        self.bar.close()

    def advance(self, cell: Cell) -> None:
        self.bar.set_postfix_str(f"{cell.variant} {cell.bits} bits", refresh=False)
        self.bar.update()


def shared_folder(cache: Path, data: dict[str, Any]) -> Path:
    """Folder for intermediate results of one data set with one kind of features."""
    return cache / "shared" / hashlib.sha256(repr(sorted(data.items())).encode()).hexdigest()[:16]
