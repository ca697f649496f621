"""Parameters chosen on a validation part of the training items, for ``--tune``: no query is seen.

A fifth of the training items that can be judged, at most 1,000, become queries; the method is
fitted on all the others, which they search.  The point of the method's grid with the largest mAP
over the whole ranking is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import gen_batches

from benchmark.protocol.protocol import Protocol
from benchmark.protocol.search import SEARCHES
from benchmark.store.record import Trial, Tuning
from methods.deep.computing import computing, computing_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.pixels import ImageArray
    from features.rotations import RotatedCopies
    from features.tags import TagMatrix
    from methods import Hasher

#: Validation queries: one of so many items, and no more than that.
ONE_OF, MOST = 5, 1000

#: Share of the items searched that count as relevant by their tags.
NEAREST = 0.03

#: Bounds the memory for similarities (100,000 items: 80 MB).
QUERIES_AT_ONCE = 100

VALIDATION = Protocol("validation", map_at=(), precision_at=())


@dataclass(frozen=True)
class Training:
    """All that there is to learn from, also more than the method is handed.

    Attributes
    ----------
    items : (n, d) array of float, or ImageArray
    tags : (n, V) TagMatrix of bool
    labels : (n, c) array of bool
    copies : RotatedCopies or None
    """

    items: np.ndarray | ImageArray
    tags: TagMatrix
    labels: np.ndarray
    copies: RotatedCopies | None = None


class Relevance(NamedTuple):
    """Which training items are relevant to each other.

    Attributes
    ----------
    known : (n,) array of bool
        Items that can be judged; only they become queries.
    between : callable
        From the row numbers of queries and of items to labels of both, so that a query and an
        item share one if they are relevant to each other.
    """

    known: np.ndarray
    between: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def points_of(hasher: Hasher, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The points of a method's grid, of which the first is the method as it is.

    Parameters
    ----------
    hasher : Hasher
    fixed : mapping
        Parameters that the user has set, which stay.

    Returns
    -------
    list of dict
        Parameters of each point; empty where there is nothing to choose: no grid, all of it
        fixed, or a preset that stands for given values.
    """
    if hasher.presets and hasher.preset != "default":
        return []
    free = {name: values for name, values in hasher.grid.items() if name not in fixed}
    points = [{name: getattr(hasher, name) for name in free}]
    for values in product(*free.values()):
        point = dict(zip(free, values, strict=True))
        if point not in points:
            points.append(point)
    return points if len(points) > 1 else []


def n_validation(n_known: int) -> int:
    """How many of the training items that can be judged become queries."""
    return min(MOST, max(1, n_known // ONE_OF))


def tune(
    hasher: Hasher, points: Sequence[Mapping[str, Any]], data: Training, relevance: str
) -> Tuning:
    """Try points of a method's grid on a validation part of the training items.

    A point that the method refuses, or with which its numbers overflow, is none to choose.

    Parameters
    ----------
    hasher : Hasher
        Stays unfitted; its seed also draws the validation part.
    points : sequence of mappings
        From :func:`points_of`.
    data : Training
    relevance : {"labels", "tags"}
        What makes two items relevant to each other: :func:`shared_labels`, which the papers
        take, or :func:`similar_tags`, for which labels are not looked at.

    Returns
    -------
    Tuning

    Raises
    ------
    ValueError
        If the method can be fitted at no point.
    """
    judge = shared_labels(data.labels) if relevance == "labels" else similar_tags(data.tags)
    queries, fitted = _parts(judge.known, hasher.random_state)
    labels = judge.between(queries, fitted)
    trials = []
    for number, point in enumerate(points):
        candidate = clone(hasher).set_params(**point)
        start, value, error = time.perf_counter(), None, ""
        try:
            with _own_checkpoints(number):
                _fit(candidate, data, fitted)
            value = _mean_average_precision(
                candidate, data.items[queries], data.items[fitted], labels
            )
        except (ArithmeticError, ValueError) as exception:
            error = f"{type(exception).__name__}: {exception}".splitlines()[0]
        trials.append(Trial(point, value, time.perf_counter() - start, error))
    if all(trial.mAP is None for trial in trials):
        raise ValueError(f"--tune: the method can be fitted at no point: {trials[0].error}")
    return Tuning(relevance, len(fitted), len(queries), trials)


def shared_labels(labels: np.ndarray) -> Relevance:
    """Two items are relevant to each other if they share a label."""
    return Relevance(labels.any(axis=1), lambda queries, items: (labels[queries], labels[items]))


def similar_tags(tags: sparse.sparray) -> Relevance:
    """The items with the most similar tags are relevant to a query: 3 % of those searched.

    Similarity is the cosine of tag vectors in which a tag that n(t) of n items carry weighs
    ``log(n / n(t))``; items with nothing in common are never relevant, equally similar ones all.

    Of the rules that were tried on the training items of Corel-5k, the one whose mAP orders methods
    and their settings most as that of shared labels does; figures in ``docs/protocols.md``.
    Nearness of mean word vectors favours methods that learn these, and one shared tag makes a fifth
    of all items relevant.
    """
    carried = sparse.csr_array(tags != 0).astype(np.float64)
    counts = np.maximum(carried.sum(axis=0), 1)
    vectors = sparse.csr_array(carried * np.log(carried.shape[0] / counts))
    norms = np.sqrt(vectors.power(2).sum(axis=1))
    unit = sparse.csr_array(vectors / np.where(norms > 0, norms, 1)[:, None])

    def between(queries: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Each query is a label of its own, which the items relevant to it carry.
        labels = np.empty((len(items), len(queries)), dtype=bool)
        searched, nearest = unit[items].T.tocsr(), max(1, round(NEAREST * len(items)))
        for rows in gen_batches(len(queries), QUERIES_AT_ONCE):
            similarity = (unit[queries[rows]] @ searched).toarray()
            least = -np.partition(-similarity, nearest - 1, axis=1)[:, nearest - 1 : nearest]
            labels[:, rows] = ((similarity >= least) & (similarity > 0)).T
        return np.eye(len(queries), dtype=bool), labels

    return Relevance(norms > 0, between)


def _parts(known: np.ndarray, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the validation queries and of all other training items."""
    judged = np.flatnonzero(known)
    if not len(judged):
        raise ValueError("no training item can be judged by what --tune names")
    rng = np.random.default_rng(seed)
    queries = np.sort(rng.choice(judged, n_validation(len(judged)), replace=False))
    return queries, np.setdiff1d(np.arange(len(known)), queries)


@contextmanager
def _own_checkpoints(number: int) -> Iterator[None]:
    """A folder for each point: the state of a training does not say to which one it belongs."""
    here = computing()
    folder = here.checkpoints and here.checkpoints / f"point-{number}"
    with computing_with(replace(here, checkpoints=folder)):
        yield


def _fit(hasher: Hasher, data: Training, rows: np.ndarray) -> None:
    """Fit on some of the training items, with the supervision that the method is handed."""
    handed = hasher.supervised_by(tags=data.tags, labels=data.labels, copies=data.copies)
    some = {name: known if known is None else known[rows] for name, known in handed.items()}
    hasher.fit(data.items[rows], **some)


def _mean_average_precision(
    hasher: Hasher,
    queries: np.ndarray | ImageArray,
    database: np.ndarray | ImageArray,
    labels: tuple[np.ndarray, np.ndarray],
) -> float:
    codes = hasher.encode_queries(queries), hasher.encode(database)
    return SEARCHES[hasher.ranked_by].evaluate(*codes, *labels, VALIDATION)["mAP@all"]
