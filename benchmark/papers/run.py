"""Run what tables and figures of the papers need, then write and show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.splits import draw_split, shrink
from benchmark.errors import InputError
from benchmark.execution.grid import Grid
from benchmark.papers.index import (
    FEATURES,
    SIZES,
    VALIDATION,
    Choice,
    Figure,
    Sizes,
    Wanted,
    known_variants,
)
from benchmark.papers.published import PublishedTable, published_tables
from benchmark.papers.table import Expected, Measured, PaperTable, paper_table
from benchmark.protocol.protocol import find_protocol
from benchmark.registry import Variant, methods
from benchmark.reporting.outputs import PAPER
from benchmark.store.record import CellResult
from benchmark.study import Opened, Outcome, Session
from features.errors import FeatureError


@dataclass(frozen=True)
class _Done:
    """A data set with the cells that were wanted of it."""

    opened: Opened
    outcome: Outcome | None
    variants: Mapping[str, Variant]
    missing: Mapping[str, str]

    @property
    def cells(self) -> Sequence[CellResult]:
        return self.outcome.results if self.outcome else ()

    @property
    def features(self) -> str:
        if self.cells:
            return self.cells[0].features
        return self.opened.request.name or self.opened.dataset.default_features


class PaperRun:
    """Tables and figures of one command: everything is checked before any work starts.

    Parameters
    ----------
    tables : mapping of str to sequence of PublishedTable
        Id to the parts, from :func:`benchmark.papers.index.narrowed_table`.
    figures : sequence of Figure
        From :func:`benchmark.papers.index.narrowed_figure`.
    choice : Choice
        What they were narrowed to.
    seeds : sequence of int
    session : Session
    change : callable
        From a variant to that with the parameters of ``--set``.

    Raises
    ------
    InputError, FeatureError
        With everything that is missing of all data sets.
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[PublishedTable]],
        figures: Sequence[Figure],
        choice: Choice,
        seeds: Sequence[int],
        session: Session,
        change: Callable[[Variant], Variant],
    ) -> None:
        self.choice = choice
        self.seeds = seeds
        self.session = session
        self.change = change
        self.tables = tables
        self.figures = figures
        self.wanted = _merged(self._all_wanted())
        _check_weights(self.wanted, session, choice)
        self.opened = self._open()
        self._done: dict[tuple, _Done] = {}

    def price(self) -> str:
        """What the cells that are not done yet will cost."""
        parts = []
        for wanted in self.wanted:
            known, missing = known_variants(wanted.variants, self.change)
            opened = self.opened[_place(wanted)]
            lines = [f"{opened.dataset.name}, protocol {wanted.protocol}:"]
            if known:
                lines.append(self.session.price(opened, self._grid(wanted, known)))
            lines += dict.fromkeys(missing.values())
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    def run(self) -> Iterator[tuple[PaperTable | str, list[Path]]]:
        """Each table, or the title of each figure, with the files that were written.

        Cells are run as they are needed; those that are done are read.
        """
        for parts in self.tables.values():
            table = self._table(parts)
            yield table, self._write_table(table, parts)
        for figure in self.figures:
            paths = self._write_figure(figure)
            yield "\n".join([figure.about, *self._missing(figure)]), paths

    def cells(self) -> list[CellResult]:
        """All cells that were wanted, run or read."""
        return [cell for done in self._done.values() for cell in done.cells]

    # What is wanted.

    def _all_wanted(self) -> Iterator[Wanted]:
        for table_id, parts in self.tables.items():
            others = self._others(table_id)
            mains = {part.dataset: part.source for part in reversed(parts)}
            for part in parts:
                own = others if mains[part.dataset] == part.source else ()
                rows = tuple(row.variant for row in part.rows if row.variant)
                yield self._wanted(
                    part.source, _features(part), part.protocol, part.bits, rows + own
                )
        for figure in self.figures:
            for source in figure.blocks.values():
                yield self._of_figure(figure, source)

    def _of_figure(self, figure: Figure, source: str) -> Wanted:
        wanted = self._wanted(
            source, figure.features, figure.protocol, figure.bits, tuple(figure.rows.values())
        )
        return replace(wanted, validation=figure.id == "3", codes=figure.needs_codes)

    def _wanted(
        self, source: str, features: str, protocol: str, bits: tuple[int, ...], rows: Sequence[str]
    ) -> Wanted:
        return Wanted(self.choice.source(source), features, protocol, bits, tuple(rows))

    def _others(self, table_id: str) -> tuple[str, ...]:
        rows = [row.variant for part in published_tables(table_id) for row in part.rows]
        return self.choice.others(rows)

    # Data.

    def _open(self) -> dict[tuple, Opened]:
        opened: dict[tuple, Opened] = {}
        wrong: dict[str, None] = {}
        for wanted in self.wanted:
            place = _place(wanted)
            plain = (*place[:2], False)
            if place in opened:
                continue
            try:
                if plain not in opened:
                    # Of another data set its own features are the default.
                    features = wanted.features if wanted.source in SIZES else None
                    opened[plain] = self.session.open(wanted.source, features)
                if wanted.validation:
                    held_out = validation_dataset(opened[plain].dataset, *VALIDATION)
                    request = opened[plain].request
                    session = replace(self.session, request=request)
                    opened[place] = session.prepare_to_use(held_out)
                if wanted.codes and opened[place].dataset.images is None:
                    raise InputError(
                        f"data set {wanted.source}: the figure shows images, and there are none"
                    )
            except (InputError, FeatureError) as error:
                wrong[str(error)] = None
        if wrong:
            raise InputError("\n".join(wrong))
        return opened

    def _grid(self, wanted: Wanted, known: Mapping[str, Variant]) -> Grid:
        variants = list(dict.fromkeys(known.values()))
        # A figure of validation itself shows each setting as it is.
        tune = None if wanted.validation else self.session.tune
        return Grid(variants, wanted.bits, self.seeds, find_protocol(wanted.protocol), tune)

    def _cells_of(self, wanted: Wanted) -> _Done:
        """Run the cells of everything that shares data, protocol and code lengths with this."""
        key = _key(wanted)
        if key not in self._done:
            whole = next(other for other in self.wanted if _key(other) == key)
            known, missing = known_variants(whole.variants, self.change)
            opened = self.opened[_place(whole)]
            session = replace(self.session, save_codes=self.session.save_codes or whole.codes)
            grid = self._grid(whole, known)
            outcome = session.run(opened, grid) if known else None
            self._done[key] = _Done(opened, outcome, known, missing)
        return self._done[key]

    # Tables.

    def _table(self, parts: Sequence[PublishedTable]) -> PaperTable:
        measured = {part.source: self._measured(part) for part in parts}
        # What was not logged of WSDHQ's split is no reason of its own.
        expected = {
            part.source: Expected(_features(part), SIZES.get(part.source)) for part in parts
        }
        others = self._others(parts[0].id)
        return paper_table(parts, measured, expected, others, self.session.store)

    def _measured(self, part: PublishedTable) -> Measured:
        wanted = self._wanted(part.source, _features(part), part.protocol, part.bits, ())
        done = self._cells_of(wanted)
        split = done.opened.dataset.split
        return Measured(
            cells=done.cells,
            folders=done.outcome.folders if done.outcome else (),
            variants={text: str(variant) for text, variant in done.variants.items()},
            missing=done.missing,
            end_to_end=frozenset(
                str(v) for v in done.variants.values() if methods.find(v.name).load().end_to_end
            ),
            sizes=Sizes(len(split.query), len(split.train), len(split.database)),
            dataset=done.opened.dataset.name,
            features=done.features,
            is_paper_data=self.choice.dataset in (None, part.source),
            from_images=done.opened.request.end_to_end,
        )

    def _write_table(self, table: PaperTable, parts: Sequence[PublishedTable]) -> list[Path]:
        from benchmark.papers.layout import write_paper_table

        mains = {part.dataset: part.source for part in reversed(parts)}
        names = [self._name(self.choice.source(source)) for source in reversed(mains.values())]
        return [
            write_paper_table(table, self.session.results / name / "tables")
            for name in dict.fromkeys(names)
        ]

    def _name(self, source: str) -> str:
        return next(o.dataset.name for (text, _, _), o in self.opened.items() if text == source)

    # Figures.

    def _missing(self, figure: Figure) -> dict[str, None]:
        """Why some methods of the paper are not in a figure."""
        done = (self._cells_of(self._of_figure(figure, s)) for s in figure.blocks.values())
        return {why: None for block in done for why in block.missing.values()}

    def _write_figure(self, figure: Figure) -> list[Path]:
        from benchmark.papers import figure_data as paper_drawing
        from benchmark.reporting.plots import save, style

        blocks = {
            title: self._cells_of(self._of_figure(figure, source))
            for title, source in figure.blocks.items()
        }
        drawn = paper_drawing.Drawn(
            figure,
            {
                title: paper_drawing.Block(done.opened, done.outcome, done.variants)
                for title, done in blocks.items()
                if done.outcome
            },
            self.session.store,
            self._missing(figure),
        )
        if not drawn.blocks:
            return []
        with style():
            picture = paper_drawing.draw(drawn)
            if picture is None:
                return []
            names = dict.fromkeys(
                self._name(self.choice.source(source)) for source in figure.blocks.values()
            )
            return [
                path
                for name in names
                for path in save(
                    picture, self.session.results / name / "figures", f"{PAPER}{figure.id}"
                )
            ]


def validation_dataset(dataset: Dataset, n_train: int, n_query: int) -> Dataset:
    """Training items alone, some of them held out as queries: nothing of the test queries."""
    pool = dataset.split.train
    n_query, n_train = shrink(len(pool), n_query, n_train)
    split = draw_split(pool, n_query, n_train, seed=0)
    return replace(dataset, name=f"{dataset.name}-validation", split=split, notes=())


def _features(part: PublishedTable) -> str:
    return next(f for name, f in FEATURES.items() if name in part.protocol)


def _merged(all_wanted: Iterator[Wanted]) -> list[Wanted]:
    """What shares data, protocol and code lengths in one, with all its methods."""
    merged: dict[tuple, Wanted] = {}
    for wanted in all_wanted:
        known = merged.get(_key(wanted), replace(wanted, variants=()))
        variants = tuple(dict.fromkeys((*known.variants, *wanted.variants)))
        codes = known.codes or wanted.codes
        merged[_key(wanted)] = replace(known, variants=variants, codes=codes)
    # A cell that is needed with its codes later is stored with them at once.
    keep = {(_place(wanted), wanted.protocol) for wanted in merged.values() if wanted.codes}
    return [replace(w, codes=(_place(w), w.protocol) in keep) for w in merged.values()]


def _place(wanted: Wanted) -> tuple[str, str, bool]:
    return wanted.source, wanted.features, wanted.validation


def _key(wanted: Wanted) -> tuple:
    return (*_place(wanted), wanted.protocol, wanted.bits)


def _check_weights(wanted: Sequence[Wanted], session: Session, choice: Choice) -> None:
    """One file of weights cannot serve two networks."""
    networks = sorted({w.features for w in wanted})
    by_default = session.request.weights and not session.request.name and not choice.dataset
    if by_default and len(networks) > 1:
        raise InputError(
            f"--weights: what is asked for needs {' and '.join(networks)}; ask for the tables and "
            "figures of one paper at a time"
        )
