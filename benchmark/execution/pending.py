"""Which cells need no computing: the one rule for the runner and for the price."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.execution.grid import Cell
from benchmark.store.record import CellResult
from benchmark.store.store import Store


def finished_cells(
    cells: Sequence[Cell], store: Store, *, again: str = "failed", codes: bool = False
) -> dict[Cell, CellResult]:
    """The stored results of the cells that a run would only read.

    Parameters
    ----------
    cells : sequence of Cell
    store : Store
    again : {"failed", "all"}
        Whether only failed cells are run again, or finished ones too.
    codes : bool
        Whether a cell that was stored without its codes counts as not finished.
    """
    if again == "all":
        return {}
    stored = {cell: store.read(cell.folder) for cell in cells if not cell.skip}
    return {
        cell: result
        for cell, result in stored.items()
        if result is not None
        and result.status == "done"
        and (not codes or store.has_codes(cell.folder))
    }
