"""The cells of one study after a run, and everything that can be asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.base import Dataset
from benchmark.errors import InputError
from benchmark.protocol.protocol import Protocol
from benchmark.protocol.search import search_of_stored
from benchmark.reporting.answer import write_answer, write_index
from benchmark.reporting.comparison import comparison_table
from benchmark.reporting.outputs import write_outputs
from benchmark.reporting.page.page import write_page
from benchmark.reporting.report import Report, make_report
from benchmark.reporting.table import Table
from benchmark.significance.evidence import significance_of
from benchmark.store.record import CellResult
from benchmark.store.seeds import summary_frame
from benchmark.store.store import Store
from benchmark.study.gathering import report_folder, with_stored


@dataclass(frozen=True, eq=False)
class Results:
    """What a study measured.

    Attributes
    ----------
    cells : tuple of CellResult
        In the order of the grid: by method, then code length, then seed.
    store : Store
        Where they are stored.
    protocol : Protocol
    dataset : Dataset or None
        Its split holds the items that were used; None where only the cells are there.
    with_audit : bool
        Whether the report holds an audit.

    Examples
    --------
    >>> from benchmark import Study
    >>> results = Study("demo[n=200]", methods=["itq"], bits=[16]).run()     # doctest: +SKIP
    >>> print(results.table("mAP@all"))                                      # doctest: +SKIP
    >>> results.per_query("mAP@all")["itq", 16, 0].idxmin()                  # doctest: +SKIP
    >>> queries, database = results.codes(results.cell("itq", 16))           # doctest: +SKIP
    """

    cells: tuple[CellResult, ...]
    store: Store
    protocol: Protocol
    dataset: Dataset | None
    with_audit: bool = False

    @cached_property
    def report(self) -> Report:
        """Tables, tests and diagnostics of these cells, computed once."""
        return self._report(self.cells)

    @cached_property
    def whole(self) -> Report:
        """The report of these cells and of all stored ones that stand on the same data.

        Same data set, features and protocol; this is what :meth:`write` writes.
        """
        cells = with_stored(self.cells, self.store)
        return self._report(cells)

    def _report(self, cells: Sequence[CellResult]) -> Report:
        return make_report(cells, self.store, self.protocol, self.dataset, audit=self.with_audit)

    @property
    def folder(self) -> Path:
        """Where tables, figures and the page of the data set and its features go."""
        first = self.cells[0]
        return self.store.root / report_folder(first.dataset, first.features, self.protocol)

    def cell(self, method: str, bits: int, seed: int | None = None) -> CellResult:
        """One cell; without a seed the first one of the method and code length.

        Raises
        ------
        InputError
            If there is no such cell.
        """
        for cell in self.cells:
            if (cell.method, cell.bits) == (method, bits) and seed in (None, cell.seed):
                return cell
        methods = ", ".join(dict.fromkeys(cell.method for cell in self.cells))
        which = "" if seed is None else f" and seed {seed}"
        raise InputError(f"no cell of {method!r} at {bits} bits{which}: methods are {methods}")

    def frame(self) -> pd.DataFrame:
        """Everything measured, tidy and long, as in ``summary.csv``."""
        return summary_frame(self.cells)

    def table(self, metric: str) -> Table:
        """Means over seeds of one metric; prints as on the terminal, ``.frame()`` has the numbers.

        Raises
        ------
        InputError
            If no cell has the metric.
        """
        if metric in self.report.tables:
            return self.report.tables[metric]
        significance = significance_of(self.cells, self.store, [metric])[metric]
        return comparison_table(
            self.cells, metric, ties=self.protocol.ties, significance=significance
        )

    def per_query(self, metric: str) -> pd.DataFrame:
        """The metric of every query: a row for each query, a column for each finished cell.

        Columns are named by method, code length in bits and seed; a query that the protocol
        leaves out is NaN.

        Raises
        ------
        InputError
            If no finished cell has the metric.
        """
        columns = {}
        known: dict[str, None] = {}
        for cell in self.cells:
            stored = self.store.per_query(cell.folder) if cell.status == "done" else {}
            known |= dict.fromkeys(stored)
            if metric in stored:
                columns[cell.method, cell.bits, cell.seed] = stored[metric]
        if not columns:
            names = ", ".join(known) or "none"
            raise InputError(
                f"no cell has values of single queries of {metric!r}: there are {names}"
            )
        frame = pd.DataFrame(columns)
        frame.columns = pd.MultiIndex.from_tuples(columns, names=["method", "bits", "seed"])
        return frame.rename_axis(index="query")

    def codes(self, cell: CellResult) -> tuple[np.ndarray, np.ndarray]:
        """Query and database codes of a cell.

        Returns
        -------
        (q, bits) and (n, bits) arrays of bool
            Of a quantiser (q, M, K) look-up tables of float32 and (n, M) code words of uint8.

        Raises
        ------
        InputError
            If the cell was stored without its codes.
        """
        stored = self.store.codes(cell.folder) if cell.folder else None
        if stored is None:
            raise InputError(
                f"codes of {cell.method} at {cell.bits} bits are not stored: run the study with "
                "save_codes=True"
            )
        search = search_of_stored(stored[0])
        query, database = (search.restored(array, cell.bits) for array in stored)
        return query, database

    def write(self, folder: Path | str | None = None) -> Path:
        """Write ``summary.csv``, tables, figures and the page; return the folder.

        They show :attr:`whole`: a run of one method changes its row and keeps all others.

        Parameters
        ----------
        folder : path, optional
            :attr:`folder` by default.
        """
        listed = folder is None
        folder = self.folder if folder is None else Path(folder)
        write_outputs(self.whole, folder)
        write_page(self.whole, folder)
        write_answer(self.whole, folder)
        if listed:
            write_index(self.store.root)
        return folder

    def failures(self) -> str:
        """How many cells failed, and the first of them with its ``error.txt``; '' if none did."""
        failed = [cell for cell in self.cells if cell.status == "failed"]
        return describe_failures(failed, len(self.cells), self.store) if failed else ""

    def __repr__(self) -> str:
        where = f"{self.cells[0].dataset}, protocol {self.protocol.name}"
        return f"<Results of {len(self.cells)} cells on {where}>"


def describe_failures(failed: list[CellResult], n_cells: int, store: Store) -> str:
    """A sentence on cells that failed."""
    first = failed[0]
    return (
        f"{len(failed)} of {n_cells} cells failed, the first: {first.method} at {first.bits} bits: "
        f"{first.reason} ({store.root / 'cells' / first.folder / 'error.txt'})"
    )
