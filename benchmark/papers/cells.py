"""The cells behind tables and figures, run when the first of them needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.errors import InputError
from benchmark.execution.grid import Grid
from benchmark.papers.opening import open_places
from benchmark.papers.wanted import Wanted, known_variants
from benchmark.preparation.features import read_features
from benchmark.preparation.request import OpenedData
from benchmark.protocol.protocol import find_protocol
from benchmark.registry import Variant
from benchmark.store.record import CellResult
from benchmark.study.results import Results
from benchmark.study.session import Session


@dataclass(frozen=True)
class Done:
    """A data set with the cells that were wanted of it.

    Attributes
    ----------
    opened : OpenedData
    results : Results or None
        None if this version has none of the methods.
    variants : mapping of str to Variant
        Method as the paper's row has it, to ours, which ``--set`` may have changed.
    missing : mapping of str to str
        Method as the paper's row has it, to the reason why it was not run.
    """

    opened: OpenedData
    results: Results | None
    variants: Mapping[str, Variant]
    missing: Mapping[str, str]

    @property
    def cells(self) -> Sequence[CellResult]:
        """In the order of the grid."""
        return self.results.cells if self.results else ()

    @property
    def features(self) -> str:
        """What the cells stand on."""
        if self.cells:
            return self.cells[0].features
        return self.opened.features.name


class PaperCells:
    """The cells of one command; its data sets are opened and checked at once.

    Parameters
    ----------
    wanted : sequence of Wanted
        From :func:`benchmark.papers.wanted.merged`.
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
        wanted: Sequence[Wanted],
        seeds: Sequence[int],
        session: Session,
        change: Callable[[Variant], Variant],
    ) -> None:
        self.wanted = {one.key: one for one in wanted}
        self.seeds = seeds
        self.session = session
        self.change = change
        self.opened = open_places(wanted, session)
        self._done: dict[tuple, Done] = {}

    def price(self) -> str:
        """What the cells that are not done yet will cost."""
        parts = []
        for wanted in self.wanted.values():
            known, missing = known_variants(wanted.variants, self.change)
            opened = self.opened[wanted.place]
            lines = [f"{opened.dataset.name}, protocol {wanted.protocol}:"]
            if known:
                lines.append(self.session.price_grid(opened, self._grid(wanted, known)))
            lines += dict.fromkeys(missing.values())
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    def read_features(self) -> None:
        """Read the features that came with the data before any cell is run.

        Raises
        ------
        InputError
            With everything that is wrong in them.
        """
        wrong: dict[str, None] = {}
        for opened in self.opened.values():
            try:
                read_features(opened, self.session.options.cache)
            except InputError as error:
                wrong[str(error)] = None
        if wrong:
            raise InputError("\n".join(wrong))

    def of(self, wanted: Wanted) -> Done:
        """The cells of everything that shares data, protocol and code lengths with `wanted`.

        They are run by the first call; those that are stored already are read.
        """
        if wanted.key not in self._done:
            whole = self.wanted[wanted.key]
            known, missing = known_variants(whole.variants, self.change)
            opened = self.opened[whole.place]
            session = replace(self.session, save_codes=self.session.save_codes or whole.codes)
            results = session.run_grid(opened, self._grid(whole, known)) if known else None
            self._done[wanted.key] = Done(opened, results, known, missing)
        return self._done[wanted.key]

    def all(self) -> list[CellResult]:
        """All cells that were run or read."""
        return [cell for done in self._done.values() for cell in done.cells]

    def results_folder(self, source: str) -> Path:
        """Where the results of a data set lie, which ``--dataset`` would call `source`."""
        name = next(o.dataset.name for place, o in self.opened.items() if place.source == source)
        return self.session.store.root / name

    def _grid(self, wanted: Wanted, known: Mapping[str, Variant]) -> Grid:
        variants = list(dict.fromkeys(known.values()))
        # A figure about validation shows each setting as it is.
        tune = None if wanted.place.validation else self.session.tune
        return Grid(variants, wanted.bits, self.seeds, find_protocol(wanted.protocol), tune)
