"""One cell: fit, encode, rank, measure, store; an exception makes it a failed cell."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.digests import array_digest, value_digest
from benchmark.errors import describe, writable
from benchmark.execution.costs import MemoryGrowth, Stopwatch, load, threads, versions
from benchmark.execution.grid import Cell, make_hasher
from benchmark.execution.guard import failure, fitted, staying_alive
from benchmark.execution.neighbours import nearest
from benchmark.execution.options import RunOptions
from benchmark.execution.tuning import Training, points_of, tune
from benchmark.log import printable
from benchmark.preparation.bundle import open_bundle
from benchmark.preparation.tags import describe_tags
from benchmark.protocol.diagnostics import diagnose
from benchmark.protocol.evaluation import Evaluation
from benchmark.protocol.protocol import Protocol
from benchmark.protocol.search import SEARCHES
from benchmark.registry import load_plugins, methods
from benchmark.store.record import CellResult, Value
from benchmark.store.store import Store
from features.tags import TagAccount
from methods.deep.context import TrainingContext, use_training_context
from methods.search import representation
from methods.sharing import seconds_spared, sharing
from methods.state import to_arrays
from methods.supervision import handed_over
from methods.unsuitable import Unsuitable


@dataclass(frozen=True)
class Run:
    """What all cells on one data set have in common; small and picklable, for worker processes.

    Attributes
    ----------
    options : RunOptions
        With absolute paths.
    bundle : Path
        The data, for :func:`benchmark.preparation.bundle.open_bundle`.
    identity : mapping
        What identifies the data.
    tag_account : TagAccount
        What there is to learn from its tags.
    protocol : Protocol
    request : mapping
        Options that give the data again, for ``--reproduce``.
    """

    options: RunOptions
    bundle: Path
    identity: Mapping[str, Any]
    tag_account: TagAccount
    protocol: Protocol
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shared(self) -> Path:
        """Where methods share intermediate results of these data."""
        return self.options.cache / "shared" / value_digest(self.identity)


def run_cell(run: Run, cell: Cell) -> CellResult:
    """Fit, encode, rank, measure and store one cell; an exception makes it a failed cell."""
    load_plugins(run.options.plugins)
    store = Store(run.options.results)
    record = _record(run, cell)
    context = _training_context(run, cell)
    record["device"] = context.device
    try:
        with (
            staying_alive(),
            sharing(run.shared),
            use_training_context(context),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("default")
            result, record["seconds"], arrays, record["codes"] = _compute(run, cell)
        if "tags" in cell.specification:
            record["tag_account"] = asdict(run.tag_account)
        record["warnings"] = sorted({writable(str(w.message)) for w in caught})
        record["machine"] = {"cores": os.cpu_count(), "threads": threads()}
        store.write(result, record, arrays)
    except KeyboardInterrupt:
        raise
    except Unsuitable as error:
        result = unfinished(cell, "skipped", describe(error).removeprefix("Unsuitable: "))
    except BaseException as error:
        result = store_failure(run, cell, *failure(error, run.options.plugins))
    if context.checkpoints:
        # Only a killed cell goes on where it was.
        shutil.rmtree(context.checkpoints, ignore_errors=True)
    return result


def _training_context(run: Run, cell: Cell) -> TrainingContext:
    """A training keeps its state until its cell is done; it shows a bar where it runs alone."""
    options = run.options
    checkpoints = options.cache / "checkpoints" / cell.key
    return TrainingContext(options.device, checkpoints, options.workers.jobs == 1)


def store_failure(run: Run, cell: Cell, reason: str, error: str) -> CellResult:
    """Store a failed cell with its one-line reason and its traceback."""
    result = unfinished(cell, "failed", reason)
    # Where even that cannot be written (a full disk), the other cells still go on.
    with suppress(OSError):
        Store(run.options.results).write(result, _record(run, cell), {}, error=error)
    return result


def _compute(run: Run, cell: Cell) -> tuple[CellResult, dict[str, float], dict[str, dict], str]:
    """The result, the seconds of its steps, the arrays to store, and a digest of all codes."""
    data = open_bundle(run.bundle)
    hasher = make_hasher(cell.variant, cell.bits, cell.seed)
    searched = representation(hasher, cell.variant.option("search"))
    items = data.images if "images" in cell.specification else data.features
    available = {"tags": data.train_tags, "labels": data.labels.train, "copies": data.copies}
    # The leakage guard: whatever a method has made of its class since, the registry knows.
    supervision = methods.find(cell.variant.name).facts["supervision"]
    watch = Stopwatch()
    tuned = None
    if "tune" in cell.specification:
        training = Training(items.train, data.train_tags, data.labels.train, data.copies)
        points = points_of(hasher, dict(cell.variant.parameters))
        with watch.time("tune"):
            judge = cell.specification["tune"]
            tuned = tune(hasher, points, training, judge, supervision, searched)
        hasher.set_params(**tuned.chosen)
    memory = MemoryGrowth()
    spared = seconds_spared()
    with watch.time("fit"):
        fitted(hasher, items.train, handed_over(hasher, supervision, available))
    # As if nothing were shared with other cells, so that methods can be compared.
    fit_seconds = watch.seconds["fit"] + seconds_spared() - spared
    with watch.time("encode"):
        database_codes = searched.items(hasher, items.database)
    queries = searched.queries(hasher, items.query)
    search = SEARCHES[searched.ranked_by]
    wanted = bool(run.protocol.recall_at)
    with watch.time("evaluate"):
        evaluation = search.evaluate(
            queries,
            database_codes,
            data.labels.query,
            data.labels.database,
            run.protocol,
            neighbours=nearest(run.bundle, run.protocol.neighbours) if wanted else None,
        )
    metrics = {name: Value(value, *evaluation.bounds[name]) for name, value in evaluation.items()}
    costs = {
        "fit_seconds": fit_seconds,
        "encode_us": watch.seconds["encode"] / len(items.database) * 1e6,
        "peak_mb": memory.megabytes(),
        "load": load(),
    }
    stored = search.stored(database_codes)
    plain = diagnose(database_codes, stored) | costs
    metrics.update({name: Value(value, value, value) for name, value in plain.items()})
    result = replace(
        unfinished(cell, "done"), metrics=metrics, curves=evaluation.curves, tuned=tuned
    )
    history = {f"history:{name}": losses for name, losses in training_curves(hasher).items()}
    arrays = {"profile": _profile_arrays(evaluation) | history}
    codes = {"query": search.stored(queries), "database": stored}
    if run.options.save_codes:
        arrays["codes"] = codes
    if run.options.save_models:
        arrays["model"] = to_arrays(hasher)
    return result, watch.seconds, arrays, array_digest(*codes.values())


def _record(run: Run, cell: Cell) -> dict[str, Any]:
    """What ``run.json`` says of a cell besides its result."""
    return {
        "specification": dict(cell.specification),
        "request": dict(run.request),
        "operations": cell.operations,
        "versions": versions(),
        "finished": datetime.now(UTC).isoformat(timespec="microseconds"),
    }


def _profile_arrays(evaluation: Evaluation) -> dict[str, np.ndarray]:
    # A ranking by score has a group for almost every item of every query: too many to keep.
    arrays, profile = {}, evaluation.profile
    if profile is not None:
        arrays = {"items": profile.items, "relevant": profile.relevant}
    for name, values in evaluation.per_query.items():
        arrays[f"query:{name}"] = values
    for name, curve in evaluation.curves.items():
        arrays[f"x:{name}"], arrays[f"y:{name}"] = curve
    return arrays


def unfinished(cell: Cell, status: str, reason: str = "") -> CellResult:
    """The result of a cell of which only the place in the grid and the status are known."""
    images = cell.specification.get("images")
    return CellResult(
        dataset=cell.specification["dataset"],
        features=cell.specification["features"],
        method=str(cell.variant),
        bits=cell.bits,
        seed=cell.seed,
        status=status,
        folder=cell.folder,
        reason=printable(reason),
        split=cell.specification["split"],
        ranked_by=cell.specification["ranked_by"],
        fidelity=methods.find(cell.variant.name).facts["fidelity"],
        tags=describe_tags(cell.specification["tags"]) if "tags" in cell.specification else "",
        backbone=images["backbone"]["extractor"] if images else "",
    )


def training_curves(method: Any) -> dict[str, np.ndarray]:
    """Losses of a training, ``training`` and ``validation``, one for each round of 50 steps.

    Empty for a method without a ``history_`` that has such lists.
    """
    history = getattr(method, "history_", None)
    curves = {}
    for name in ("training", "validation"):
        losses = np.asarray(getattr(history, name, None) or [], dtype=np.float64)
        if losses.ndim == 1 and len(losses):
            curves[name] = losses
    return curves
