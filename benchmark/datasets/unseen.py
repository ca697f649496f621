"""A database that no method was trained on: ``[unseen]`` after the name of any data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmark.datasets.base import Dataset, Split
from benchmark.errors import InputError

WORD = "unseen"


def unseen(dataset: Dataset) -> Dataset:
    """The data set with training items that are not in the database.

    Most papers train on the database or on a part of it, which flatters methods that learn from
    tags: they have seen the items that are to be found.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    Dataset
        Training items leave the database.  Where the database holds no other items, half of the
        items of both are drawn for training, and the other half remains.

    Raises
    ------
    InputError
        If too few items are left.
    """
    split = unseen_split(dataset.split)
    if not len(split.train) or not len(split.database):
        raise InputError(
            f"data set {dataset.name}[{WORD}]: of {len(dataset.split.database)} database items "
            "none is left to train on or to search"
        )
    base, bracket, given = dataset.name.partition("[")
    name = f"{base}[{given.removesuffix(']')},{WORD}]" if bracket else f"{base}[{WORD}]"
    note = (
        f"the {len(split.database):,} database items were not trained on; the usual split has "
        f"{len(np.intersect1d(dataset.split.train, dataset.split.database)):,} items in both"
    )
    return replace(dataset, name=name, split=split, notes=[*dataset.notes, note])


def unseen_split(split: Split) -> Split:
    """A split whose training items are not in its database, see :func:`unseen`."""
    database = np.setdiff1d(split.database, split.train)
    if len(database):
        return replace(split, database=database)
    drawn = np.random.default_rng(split.seed or 0).permutation(np.sort(split.database))
    database = np.sort(drawn[len(drawn) // 2 :])
    return replace(split, train=np.setdiff1d(split.train, database), database=database)


def without_unseen(text: str) -> tuple[str, bool]:
    """A data set as ``--dataset`` names it without the word, and whether the word was there."""
    name, bracket, rest = text.strip().partition("[")
    if not bracket or not rest.endswith("]"):
        return text, False
    parts = [part.strip() for part in rest[:-1].split(",")]
    kept = [part for part in parts if part not in (WORD, f"{WORD}=true")]
    if len(kept) == len(parts):
        return text, False
    return f"{name}[{','.join(kept)}]" if kept else name, True
