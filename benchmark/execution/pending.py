"""Which cells need no computing: the one rule for the runner and for the price."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.execution.grid import Cell
from benchmark.execution.options import RunOptions
from benchmark.store.record import CellResult
from benchmark.store.store import Store


def finished_cells(cells: Sequence[Cell], options: RunOptions) -> dict[Cell, CellResult]:
    """The stored results of the cells that a run would only read.

    Parameters
    ----------
    cells : sequence of Cell
    options : RunOptions
        Of these ``results``, ``again``, ``save_codes`` and ``save_models`` decide.
    """
    if options.again == "all":
        return {}
    store = Store(options.results)
    stored = {cell: store.read(cell.folder) for cell in cells if not cell.skip}
    return {
        cell: result
        for cell, result in stored.items()
        if result is not None
        and result.status == "done"
        and (not options.save_codes or store.has_codes(cell.folder))
        and (not options.save_models or store.has_model(cell.folder))
    }
