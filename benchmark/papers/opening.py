"""The data sets of tables and figures: all are opened and checked before any work starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmark.datasets.base import Dataset
from benchmark.datasets.splits import draw_split, shrink
from benchmark.errors import InputError
from benchmark.papers.entries import Validation
from benchmark.papers.wanted import Place, Wanted
from benchmark.preparation.request import OpenedData
from benchmark.study.session import Session


def open_places(all_wanted: Sequence[Wanted], session: Session) -> dict[Place, OpenedData]:
    """Open every data set once.

    Raises
    ------
    InputError
        With everything that is missing of all data sets, a line for each below the first.
    """
    _check_weights(all_wanted, session)
    opened: dict[Place, OpenedData] = {}
    wrong: dict[str, None] = {}
    for wanted in all_wanted:
        try:
            _open(wanted.place, opened, session)
            if wanted.codes and opened[wanted.place].dataset.images is None:
                raise InputError(
                    f"data set {wanted.place.source}: the figure shows images, and there are none"
                )
        except InputError as error:
            wrong[str(error)] = None
    if len(wrong) > 1:
        raise InputError("data sets cannot be used, for the reasons below:", list(wrong))
    if wrong:
        raise InputError(next(iter(wrong)))
    return opened


def _open(place: Place, opened: dict[Place, OpenedData], session: Session) -> None:
    """Add a place to those that are open; a split of training items stands on the whole data."""
    whole = replace(place, validation=None)
    if whole not in opened:
        opened[whole] = session.open(whole.source, whole.features)
    if place.validation is not None and place not in opened:
        held_out = validation_dataset(opened[whole].dataset, place.validation)
        opened[place] = session.with_dataset(opened[whole], held_out)


def validation_dataset(dataset: Dataset, sizes: Validation) -> Dataset:
    """Training items alone, some of them held out as queries: nothing of the test queries."""
    pool = dataset.split.train
    n_query, n_train = shrink(len(pool), sizes.query, sizes.train)
    split = draw_split(pool, n_query, n_train, seed=0)
    return replace(dataset, name=f"{dataset.name}-validation", split=split, notes=())


def _check_weights(all_wanted: Sequence[Wanted], session: Session) -> None:
    """One file of weights cannot serve two networks."""
    networks = sorted({wanted.place.features for wanted in all_wanted} - {None})
    if session.weights and not session.features and len(networks) > 1:
        raise InputError(
            f"--weights: what is asked for needs {' and '.join(networks)}; ask for the tables and "
            "figures of one paper at a time"
        )
