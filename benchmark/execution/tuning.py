"""Parameters chosen on a validation part of the training items, for ``--tune``.

A fifth of the training items that can be judged, at most 1,000, become queries.  The method is
fitted on all other training items, which are also the database.  The point of the method's grid
with the largest mAP over the whole ranking is chosen.  No query of the benchmark is used.
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

from benchmark.errors import describe
from benchmark.protocol.protocol import Protocol
from benchmark.protocol.search import SEARCHES
from benchmark.store.record import TunedPoint, Tuning
from methods.deep.context import training_context, use_training_context
from methods.search import Representation, representation
from methods.supervision import handed_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.pixels import ImageArray
    from features.rotations import RotatedCopies
    from features.tags import TagMatrix
    from methods import Hasher

#: Validation queries: this share of the training items that can be judged, up to a maximum.
VALIDATION_SHARE, MAX_VALIDATION_QUERIES = 1 / 5, 1000

#: Share of the searched items that are relevant to a query by their tags.
RELEVANT_SHARE = 0.03

#: Queries of a block, which bounds the memory for similarities (100,000 items: 80 MB).
BLOCK_ROWS = 100

VALIDATION = Protocol("validation", map_at=(), precision_at=())


@dataclass(frozen=True)
class Training:
    """All training data; a method is handed the part that it may learn from.

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
        Items that can be judged; only these become queries.
    as_labels : callable
        Maps row numbers of queries and of items to labels of both.  A query and an item share a
        label if they are relevant to each other, so that the protocol can evaluate them.
    """

    known: np.ndarray
    as_labels: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def points_of(hasher: Hasher, fixed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The points of a method's grid; the first holds the method's own values.

    Parameters
    ----------
    hasher : Hasher
    fixed : mapping
        Parameters that the user has set; they are not varied.

    Returns
    -------
    list of dict
        Parameters of each point; empty if there is nothing to choose, because the method has no
        grid, the user has fixed all of it, or a preset sets the values.
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
    """Number of validation queries for so many training items that can be judged."""
    return min(MAX_VALIDATION_QUERIES, max(1, int(VALIDATION_SHARE * n_known)))


def tune(
    hasher: Hasher,
    points: Sequence[Mapping[str, Any]],
    data: Training,
    relevance: str,
    supervision: str = "none",
    searched: Representation | None = None,
) -> Tuning:
    """Try points of a method's grid on a validation part of the training items.

    A point is not chosen if the method refuses it or its numbers overflow.

    Parameters
    ----------
    hasher : Hasher
        Stays unfitted; its seed also draws the validation part.
    points : sequence of mappings
        From :func:`points_of`.
    data : Training
    relevance : {"labels", "tags"}
        The relevance of two items: :func:`shared_labels`, as in the papers, or
        :func:`similar_tags`, which uses no labels.
    supervision : {"none", "tags", "labels"}
        What the method is registered with: what it may be handed.
    searched : Representation, optional
        How the method is searched; as it says itself by default.

    Returns
    -------
    Tuning

    Raises
    ------
    ValueError
        If the method fails at every point.
    """
    searched = searched or representation(hasher, None)
    judge = shared_labels(data.labels) if relevance == "labels" else similar_tags(data.tags)
    queries, fitted = _parts(judge.known, hasher.random_state)
    labels = judge.as_labels(queries, fitted)
    trials = []
    for number, point in enumerate(points):
        candidate = clone(hasher).set_params(**point)
        start, value, error = time.perf_counter(), None, ""
        try:
            with _own_checkpoints(number):
                _fit(candidate, supervision, data, fitted)
            items = data.items[queries], data.items[fitted]
            value = _mean_average_precision(candidate, searched, *items, labels)
        except (ArithmeticError, ValueError) as exception:
            error = describe(exception)
        trials.append(TunedPoint(point, value, time.perf_counter() - start, error))
    if all(trial.mAP is None for trial in trials):
        raise ValueError(f"--tune: the method fails at every point of its grid: {trials[0].error}")
    return Tuning(relevance, len(fitted), len(queries), trials)


def shared_labels(labels: np.ndarray) -> Relevance:
    """Two items are relevant to each other if they share a label."""
    return Relevance(labels.any(axis=1), lambda queries, items: (labels[queries], labels[items]))


def similar_tags(tags: sparse.sparray) -> Relevance:
    """The 3 % of the searched items with the most similar tags are relevant to a query.

    Similarity is the cosine of tag vectors, in which a tag of n(t) of n items has the weight
    ``log(n / n(t))``.  Items without a common tag are never relevant; items as similar as the last
    relevant one are relevant too.

    Among the rules tried on the training items of Corel-5k, this one orders methods and settings
    most nearly as shared labels do; ``docs/protocols.md`` has the figures.  Similarity of mean word
    vectors favours methods that learn these, and a single common tag makes a fifth of all items
    relevant.
    """
    carried = sparse.csr_array(tags != 0).astype(np.float64)
    counts = np.maximum(carried.sum(axis=0), 1)
    vectors = sparse.csr_array(carried * np.log(carried.shape[0] / counts))
    norms = np.sqrt(vectors.power(2).sum(axis=1))
    unit = sparse.csr_array(vectors / np.where(norms > 0, norms, 1)[:, None])

    def as_labels(queries: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Each query is a label of its own, and the items relevant to it have that label.
        labels = np.empty((len(items), len(queries)), dtype=bool)
        searched, nearest = unit[items].T.tocsr(), max(1, round(RELEVANT_SHARE * len(items)))
        for rows in gen_batches(len(queries), BLOCK_ROWS):
            similarity = (unit[queries[rows]] @ searched).toarray()
            least = -np.partition(-similarity, nearest - 1, axis=1)[:, nearest - 1 : nearest]
            labels[:, rows] = ((similarity >= least) & (similarity > 0)).T
        return np.eye(len(queries), dtype=bool), labels

    return Relevance(norms > 0, as_labels)


def _parts(known: np.ndarray, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the validation queries and of all other training items."""
    judged = np.flatnonzero(known)
    if not len(judged):
        raise ValueError("--tune: no training item has the labels or tags that define relevance")
    rng = np.random.default_rng(seed)
    queries = np.sort(rng.choice(judged, n_validation(len(judged)), replace=False))
    return queries, np.setdiff1d(np.arange(len(known)), queries)


@contextmanager
def _own_checkpoints(number: int) -> Iterator[None]:
    """Give each point a folder of its own, since a checkpoint does not name its point."""
    here = training_context()
    folder = here.checkpoints and here.checkpoints / f"point-{number}"
    with use_training_context(replace(here, checkpoints=folder)):
        yield


def _fit(hasher: Hasher, supervision: str, data: Training, rows: np.ndarray) -> None:
    """Fit on some of the training items, with what of this supervision the method uses."""
    available = {"tags": data.tags, "labels": data.labels, "copies": data.copies}
    handed = handed_over(hasher, supervision, available)
    some = {name: known if known is None else known[rows] for name, known in handed.items()}
    hasher.fit(data.items[rows], **some)


def _mean_average_precision(
    hasher: Hasher,
    searched: Representation,
    queries: np.ndarray | ImageArray,
    database: np.ndarray | ImageArray,
    labels: tuple[np.ndarray, np.ndarray],
) -> float:
    codes = searched.queries(hasher, queries), searched.items(hasher, database)
    return SEARCHES[searched.ranked_by].evaluate(*codes, *labels, VALIDATION)["mAP@all"]
