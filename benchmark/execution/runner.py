"""Run a grid of cells: what is done already is read, the rest is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmark.execution.cell import Run, unfinished
from benchmark.execution.grid import Cell
from benchmark.execution.pending import finished_cells
from benchmark.execution.workers import Workers, spread
from benchmark.log import to_stderr
from benchmark.store.record import CellResult
from benchmark.store.store import Store


def run_cells(
    run: Run, cells: Sequence[Cell], workers: Workers, *, again: str = "failed"
) -> list[CellResult]:
    """Run the cells that are not done yet; return all results in the order of `cells`.

    Where the run keeps codes, cells that were stored without them count as not done.

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
    results = finished_cells(cells, store, again=again, codes=run.save_codes)
    for cell in cells:
        if cell.skip:
            results[cell] = replace(unfinished(cell), status="skipped", reason=cell.skip)
    waiting = [cell for cell in cells if cell not in results]
    bare = len(finished_cells(waiting, store, again=again)) if run.save_codes else 0
    if bare:
        to_stderr(f"cells that were stored without their codes and are run again: {bare}")
    # The longest first, so that no long cell is left alone at the end.
    waiting.sort(key=lambda cell: -cell.operations)
    with _progress(waiting) as advance:
        for cell, result in spread(run, waiting, workers):
            results[cell] = result
            advance(cell)
    return [results[cell] for cell in cells]


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
