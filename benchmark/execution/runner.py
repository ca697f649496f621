"""Run a grid of cells: what is done already is read, the rest is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from benchmark.execution.cell import Run, unfinished
from benchmark.execution.grid import Cell
from benchmark.execution.pending import finished_cells
from benchmark.execution.workers import spread
from benchmark.files import check_writable
from benchmark.log import to_stderr
from benchmark.store.record import CellResult
from benchmark.store.store import Store


def run_cells(run: Run, cells: Sequence[Cell]) -> list[CellResult]:
    """Run the cells that are not done yet; return all results in the order of `cells`.

    Where the run keeps codes or models, cells that were stored without them count as not done.

    Raises
    ------
    InputError
        If the workers cannot be started.
    """
    options = run.options
    results = finished_cells(cells, options)
    for cell in cells:
        if cell.skip:
            results[cell] = unfinished(cell, "skipped", cell.skip)
    waiting = [cell for cell in cells if cell not in results]
    wanted = [what for what in ("codes", "models") if getattr(options, f"save_{what}")]
    plain = replace(options, save_codes=False, save_models=False)
    bare = finished_cells(waiting, plain) if wanted else {}
    if bare:
        lacking = " or ".join(wanted)
        to_stderr(f"cells that were stored without their {lacking} and are run again: {len(bare)}")
    if waiting:
        check_writable(options.results, "--results")
        check_writable(options.cache, "--cache")
    damaged = sum(Store(options.results).is_damaged(cell.folder) for cell in waiting)
    if damaged:
        to_stderr(f"stored cells that were altered or are incomplete and are run again: {damaged}")
    # The longest first, so that no long cell is left alone at the end.
    waiting.sort(key=lambda cell: -cell.operations)
    with _progress(waiting) as advance:
        for cell, result in spread(run, waiting):
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
