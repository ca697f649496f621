"""Everything that is shown of a finished run, computed once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from benchmark.datasets.base import Dataset
from benchmark.protocol.catalogue import is_ranked, table_metrics
from benchmark.protocol.protocol import Protocol
from benchmark.reporting.audit import audit_cells
from benchmark.reporting.comparison import comparison_table
from benchmark.reporting.diagnostics import DiagnosticRow, diagnostic_rows
from benchmark.reporting.order import best_first
from benchmark.reporting.table import Table
from benchmark.significance.evidence import UNTESTED, Significance, significance_of
from benchmark.store.record import CellResult
from benchmark.store.store import Store


@dataclass(frozen=True)
class Report:
    """A run as tables; the terminal, the files and the page show these.

    Attributes
    ----------
    cells : sequence of CellResult
        One data set and one feature kind, the best first as :func:`best_first` has it.
    store : Store
        Where they are stored.
    protocol : Protocol
    dataset : Dataset or None
        Its split holds the items that were used; None where only the cells are there.
    significance : mapping of str to Significance
        Intervals and tests of the metrics that decide between methods.
    tables : mapping of str to Table
        By metric, in the order in which they are shown; the first is the main one.
    diagnostics : sequence of DiagnosticRow
    audit : DataFrame or None
        From :func:`benchmark.reporting.audit.audit_cells`, where it was asked for.
    """

    cells: Sequence[CellResult]
    store: Store
    protocol: Protocol
    dataset: Dataset | None
    significance: Mapping[str, Significance]
    tables: Mapping[str, Table]
    diagnostics: Sequence[DiagnosticRow]
    audit: pd.DataFrame | None = None

    @property
    def main(self) -> Table:
        """The table of the metric that methods are ranked by."""
        return next(iter(self.tables.values()))


def make_report(
    cells: Sequence[CellResult],
    store: Store,
    protocol: Protocol,
    dataset: Dataset | None,
    *,
    audit: bool = False,
) -> Report:
    """Compute everything that is shown of finished cells.

    Parameters
    ----------
    cells, store, protocol, dataset
        As in :class:`Report`.
    audit : bool
        Whether the stored codes are measured under every convention too; not without the data.
    """
    split = dataset.split if dataset else None
    size = len(split.database) if split else _database_size(cells, store)
    metrics = measured_metrics(cells, table_metrics(protocol, size))
    cells = best_first(cells, metrics[0])
    significance = significance_of(
        cells, store, [metric for metric in metrics if is_ranked(metric)]
    )
    tables = {
        metric: comparison_table(
            cells, metric, ties=protocol.ties, significance=significance.get(metric, UNTESTED)
        )
        for metric in metrics
    }
    audited = None
    if audit and dataset is not None:
        labels = dataset.labels[dataset.split.query], dataset.labels[dataset.split.database]
        audited = audit_cells(cells, store, *labels)
    rows = diagnostic_rows(cells, protocol.radius)
    return Report(cells, store, protocol, dataset, significance, tables, rows, audited)


def _database_size(cells: Sequence[CellResult], store: Store) -> int:
    """Items of the database; larger than any cut-off where no cell says it."""
    sizes = (store.database_size(cell.folder) for cell in cells if cell.status == "done")
    return next((size for size in sizes if size), sys.maxsize)


def measured_metrics(cells: Sequence[CellResult], metrics: Sequence[str]) -> list[str]:
    """Those of some metrics that some cell has, or all of them where no cell is done.

    Without binary codes there are no Hamming balls.
    """
    measured = {metric for cell in cells if cell.status == "done" for metric in cell.metrics}
    return [metric for metric in metrics if metric in measured] if measured else list(metrics)
