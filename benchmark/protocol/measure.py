"""From checked arrays to metrics, however items are ranked.

A ranking is a profile of tie groups, and all metrics come from profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmark.protocol import metrics
from benchmark.protocol.catalogue import METRICS, needs_of
from benchmark.protocol.evaluation import Bounds, Curve, Evaluation
from benchmark.protocol.hamming import Profile, hamming_profile, index_profile, pack
from benchmark.protocol.metric import Metric, Need
from benchmark.protocol.metrics import PerQuery
from benchmark.protocol.protocol import Protocol
from benchmark.protocol.scores import score_index_profile, score_profile

#: Arrays of queries and of the database.
Pair = tuple[np.ndarray, np.ndarray]
#: From queries, database, labels of both and, by keyword, the most shared labels to a profile.
Rank = Callable[..., Profile]
#: Groups of rankings held at once where a ranking may have as many groups as items (33 MB).
GROUPS_AT_ONCE = 2**22
#: Recall levels of a precision-recall curve.
MOST_LEVELS = 1000
#: Bits of a word of labels.
WORD = 64


class Judged(NamedTuple):
    """What rankings are held against.

    Attributes
    ----------
    query_labels, database_labels : (q, l), (n, l) arrays of uint64
        Packed words.
    neighbours : (q, t) array of int64, or None
        Database positions of the nearest items of each query.
    """

    query_labels: np.ndarray
    database_labels: np.ndarray
    neighbours: np.ndarray | None = None

    @property
    def labels(self) -> Pair:
        """Of queries and database."""
        return self.query_labels, self.database_labels


def measure_codes(codes: Pair, judged: Judged, protocol: Protocol) -> Evaluation:
    """Rank by Hamming distance and measure; codes are (query, database) of bool."""
    packed, n_bits = (pack(codes[0]), pack(codes[1])), codes[0].shape[1]
    by_distance = partial(hamming_profile, n_bits=n_bits)
    most_shared = _most_shared(judged, protocol)
    profile = by_distance(*packed, *judged.labels, most_shared=most_shared)
    if protocol.ties == "expected":
        rank, rankings = by_distance, iter([profile])
    else:
        rank = partial(index_profile, n_bits=n_bits)
        rankings = _ranked_in_blocks(rank, packed, judged, most_shared)
    nearest = _nearest_in_blocks(rank, packed, judged)
    return _evaluation(rankings, nearest, protocol, _n_levels(profile), profile)


def measure_scores(codes: Pair, judged: Judged, protocol: Protocol) -> Evaluation:
    """Rank by score and measure; codes are (query tables, database codes)."""
    rank = score_profile if protocol.ties == "expected" else score_index_profile
    return _by_score(rank, (codes[0], np.ascontiguousarray(codes[1].T)), judged, protocol)


def measure_vectors(vectors: Pair, judged: Judged, protocol: Protocol) -> Evaluation:
    """Rank by cosine and measure; vectors are (query, database)."""
    kernel = score_profile if protocol.ties == "expected" else score_index_profile
    every_item = np.arange(len(vectors[1]), dtype=np.uint32)[None]

    def rank(queries: np.ndarray, database: np.ndarray, *labels: Any, **graded: Any) -> Profile:
        # One codebook in which each item is a code word of its own.
        cosines = (queries @ database.T).astype(np.float32)[:, None]
        return kernel(cosines, every_item, *labels, **graded)

    return _by_score(rank, (_unit(vectors[0]), _unit(vectors[1])), judged, protocol)


def _by_score(rank: Rank, searched: Pair, judged: Judged, protocol: Protocol) -> Evaluation:
    rankings = _ranked_in_blocks(rank, searched, judged, _most_shared(judged, protocol))
    nearest = _nearest_in_blocks(rank, searched, judged)
    # Codes without bits put all items at distance 0, which counts the relevant ones.
    queries, database = (np.zeros((len(part), 1), dtype=np.uint64) for part in judged.labels)
    relevant = hamming_profile(queries, database, *judged.labels, n_bits=0)
    return _evaluation(rankings, nearest, protocol, _n_levels(relevant))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of unit length as float64; zeros stay zeros."""
    vectors = vectors.astype(np.float64)
    # Divided by the largest entry first, so that no square overflows or vanishes.
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    vectors /= np.where(largest > 0, largest, 1)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def _n_levels(profile: Profile) -> int:
    """Recall levels: no more than there are relevant items, so that no level repeats for all."""
    return max(1, min(MOST_LEVELS, int(profile.relevant.sum(axis=1).max())))


def _most_shared(judged: Judged, protocol: Protocol) -> int | None:
    """The most labels that a query has, where some metric asks how many are shared."""
    if "grades" not in needs_of(protocol):
        return None
    return int(np.unpackbits(judged.query_labels.view(np.uint8), axis=1).sum(axis=1).max())


def _ranked_in_blocks(
    rank: Rank, searched: Pair, judged: Judged, most_shared: int | None
) -> Iterator[Profile]:
    """Rankings with up to n groups each, some queries at a time to bound the memory."""
    queries, database = searched
    labels, items_labels = judged.labels
    n_grades = 1 if most_shared is None else most_shared + 1
    size = max(1, GROUPS_AT_ONCE // (len(items_labels) * n_grades))
    for start in range(0, len(queries), size):
        rows = slice(start, start + size)
        yield rank(queries[rows], database, labels[rows], items_labels, most_shared=most_shared)


def _nearest_in_blocks(rank: Rank, searched: Pair, judged: Judged) -> Iterator[Profile]:
    """The same rankings with each query's nearest items as the relevant ones; some at a time."""
    if judged.neighbours is None:
        return
    queries, database = searched
    n = len(judged.database_labels)
    size = max(1, min(WORD, GROUPS_AT_ONCE // n))
    for start in range(0, len(queries), size):
        rows = slice(start, start + size)
        nearest = judged.neighbours[rows]
        # Each query is a label of its own, which its nearest items have.
        own = np.left_shift(np.uint64(1), np.arange(len(nearest), dtype=np.uint64))
        labels = np.zeros((n, 1), dtype=np.uint64)
        for label, items in zip(own, nearest, strict=True):
            labels[items] |= label
        yield rank(queries[rows], database, own[:, None], labels)


def _evaluation(
    rankings: Iterator[Profile],
    nearest: Iterator[Profile],
    protocol: Protocol,
    n_levels: int,
    distances: Profile | None = None,
) -> Evaluation:
    """The metrics of blocks of rankings, and of Hamming balls where there are distances."""
    parts, curves = [], []
    for profile in rankings:
        parts.append(_measured(profile, protocol, "relevance", "order", "grades"))
        curve = metrics.precision_recall(profile, n_levels, interpolated=protocol.interpolated)
        curves.append(curve)
    measured = _joined(parts)
    measured |= _joined([_measured(profile, protocol, "neighbours") for profile in nearest])
    recall_curves = np.concatenate(curves)
    if distances is not None:
        measured.update(_measured(distances, protocol, "ball"))

    answerable = measured["unanswerable"].value == 0
    result = _averaged(measured, answerable, protocol)
    levels = np.arange(1, n_levels + 1) / n_levels
    # Averaged over queries with relevant items; without any, the curve is 0.
    precision = recall_curves[answerable].mean(axis=0) if answerable.any() else 0 * levels
    result.curves["PR"] = Curve(levels, precision)
    at_n = [result.means[f"P@{n}"] for n in protocol.precision_at]
    result.curves["P@N"] = Curve(np.array(protocol.precision_at), np.array(at_n))
    if distances is not None:
        result.curves.update(_curves_by_radius(distances, answerable, protocol))
    return replace(result, profile=distances and distances._replace(grades=None))


def _curves_by_radius(
    distances: Profile, answerable: np.ndarray, protocol: Protocol
) -> dict[str, Curve]:
    """Precision, recall and success of a look-up within each radius, over the queries that count.

    Recall is over queries with relevant items, since it has no value for the others.
    """
    counted = answerable if protocol.no_relevant == "skip" else np.ones_like(answerable)
    found = metrics.within_radii(distances, empty=protocol.empty)
    rows = zip(("P@r", "recall@r", "success@r"), found, (counted, answerable, counted), strict=True)
    radii = np.arange(distances.items.shape[1])
    return {
        name: Curve(radii, np.array([_mean(column) for column in values[which].T]))
        for name, values, which in rows
    }


def _joined(parts: Sequence[dict[str, PerQuery]]) -> dict[str, PerQuery]:
    """Metrics of blocks of queries as metrics of all of them."""
    return {
        name: PerQuery(*map(np.concatenate, zip(*(part[name] for part in parts), strict=True)))
        for name in (parts[0] if parts else ())
    }


def _averaged(
    measured: dict[str, PerQuery], answerable: np.ndarray, protocol: Protocol
) -> Evaluation:
    """Means over the queries that count, and why a mean is over none."""
    result = Evaluation()
    rows = {name: row for row in METRICS for name, _ in row.named(protocol)}
    for name, per_query in measured.items():
        if protocol.no_relevant == "skip" and not rows[name].every_query:
            per_query = PerQuery(*(np.where(answerable, v, np.nan) for v in per_query))
        result.per_query[name] = per_query.value
        result.means[name] = _mean(per_query.value)
        result.bounds[name] = Bounds(_mean(per_query.low), _mean(per_query.high))
        if np.isnan(result.means[name]):
            result.reasons[name] = _why_none_counts(rows[name], protocol)
    return result


def _measured(profile: Profile, protocol: Protocol, *needs: Need) -> dict[str, PerQuery]:
    """The metrics of the catalogue that need one of these, in its order."""
    found = {}
    for row in METRICS:
        if row.needs in needs:
            function = getattr(metrics, row.function)
            conventions = {name: getattr(protocol, name) for name in row.conventions}
            for name, cut_off in row.named(protocol):
                found[name] = function(profile, *cut_off, **conventions)
    return found


def _mean(values: np.ndarray) -> float:
    counted = values[~np.isnan(values)]
    return float(counted.mean()) if len(counted) else np.nan


def _why_none_counts(row: Metric, protocol: Protocol) -> str:
    rules = [c for c in (*row.conventions, "no_relevant") if getattr(protocol, c) == "skip"]
    return f"the protocol leaves every query out: {', '.join(f'{rule}=skip' for rule in rules)}"
