"""Tables and figures of one command: everything is checked, then run, written and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmark.papers.cells import PaperCells
from benchmark.papers.choice import Choice
from benchmark.papers.entries import PaperFigure
from benchmark.papers.figure_run import missing_methods, write_figure
from benchmark.papers.published import PublishedTable
from benchmark.papers.table import PaperTable
from benchmark.papers.table_run import compared_table, write_table
from benchmark.papers.wanted import Wanted, merged, wanted_of_figure, wanted_of_table
from benchmark.registry import Variant
from benchmark.store.record import CellResult
from benchmark.study.session import Session


class PaperRun:
    """Tables and figures of one command: everything is checked before any work starts.

    Parameters
    ----------
    tables : mapping of str to sequence of PublishedTable
        Id to the parts, from :func:`benchmark.papers.choice.narrowed_table`.
    figures : sequence of PaperFigure
        From :func:`benchmark.papers.choice.narrowed_figure`.
    choice : Choice
        What they were narrowed to.
    seeds : sequence of int
    session : Session
    change : callable
        From a variant to that with the parameters of ``--set``.

    Raises
    ------
    InputError
        With everything that is missing of all data sets.
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[PublishedTable]],
        figures: Sequence[PaperFigure],
        choice: Choice,
        seeds: Sequence[int],
        session: Session,
        change: Callable[[Variant], Variant],
    ) -> None:
        self.tables = tables
        self.figures = figures
        self.choice = choice
        self.wanted = merged(self._all_wanted())
        self._cells = PaperCells(self.wanted, seeds, session, change)

    def price(self) -> str:
        """What the cells that are not done yet will cost."""
        return self._cells.price()

    def run(self) -> Iterator[tuple[PaperTable | str, list[Path]]]:
        """Each table, or the title of each figure, with the files that were written.

        Cells are run as they are needed; those that are done are read.
        """
        self._cells.read_features()
        for parts in self.tables.values():
            table = compared_table(parts, self.choice, self._cells)
            yield table, write_table(table, parts, self.choice, self._cells)
        for figure in self.figures:
            paths = write_figure(figure, self.choice, self._cells)
            missing = missing_methods(figure, self.choice, self._cells)
            yield "\n".join([figure.about, *missing]), paths

    def cells(self) -> list[CellResult]:
        """All cells that were wanted, run or read."""
        return self._cells.all()

    def _all_wanted(self) -> Iterator[Wanted]:
        for parts in self.tables.values():
            yield from wanted_of_table(parts, self.choice)
        for figure in self.figures:
            yield from wanted_of_figure(figure, self.choice).values()
