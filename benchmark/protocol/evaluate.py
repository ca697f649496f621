"""Codes and labels to metrics: the work behind ``benchmark.evaluate`` and ``evaluate_scores``.

However items are ranked, a ranking is a profile of tie groups, and all metrics come from profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from benchmark.protocol import metrics
from benchmark.protocol.catalogue import METRICS, Metric, Need, needs_of
from benchmark.protocol.evaluation import Bounds, Curve, Evaluation
from benchmark.protocol.hamming import Profile, hamming_profile, index_profile, pack
from benchmark.protocol.inputs import checked_codes, checked_labels, checked_tables
from benchmark.protocol.metrics import PerQuery
from benchmark.protocol.protocol import Protocol, find_protocol
from benchmark.protocol.scores import score_index_profile, score_profile

#: Arrays of queries and of the database.
Pair = tuple[np.ndarray, np.ndarray]
#: Groups of rankings held at once where a ranking may have as many groups as items (33 MB).
GROUPS_AT_ONCE = 2**22
#: Recall levels of a precision-recall curve.
MOST_LEVELS = 1000


def evaluate(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
) -> Evaluation:
    """Rank a database by Hamming distance for each query and measure the ranking.

    Parameters
    ----------
    query_codes, database_codes : (q, b), (n, b) arrays of bool
        Binary codes; 0/1 and -1/+1 numbers and tensors of torch are taken as well.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        Multi-hot labels of 0 and 1, or one class id per item.  Items that share a label are
        relevant to each other.
    protocol : str or Protocol
        Name of a preset, or conventions of one's own.

    Returns
    -------
    Evaluation
        Maps ``mAP@K``, ``mAP@all``, ``P@r2``, ``empty@r2``, ``P@N``, ``base_rate`` and what else
        the protocol asks for to floats.

    Raises
    ------
    InputError
        If shapes do not match, codes are not binary, or labels are neither 0/1 nor class ids.

    Examples
    --------
    The only relevant item is tied with another at distance 1, behind nothing: it is first or
    second, so that average precision is 1 or 1/2.

    >>> measured = evaluate([[0, 1, 1]], [[0, 1, 0], [1, 1, 1], [1, 0, 0]], [7], [7, 8, 9])
    >>> measured["mAP@all"], measured.bounds["mAP@all"]
    (0.75, Bounds(low=0.5, high=1.0))
    """
    codes = checked_codes(query_codes, database_codes)
    labels = checked_labels(*codes, query_labels, database_labels)
    return measure_codes(codes, labels, _as_protocol(protocol))


def evaluate_scores(
    query_tables: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    protocol: str | Protocol = "wdht",
) -> Evaluation:
    """Rank a database by asymmetric score for each query and measure the ranking.

    ``score(query, item) = sum_m query_tables[query, m, database_codes[item, m]]``, added in single
    precision; larger is better, and items with the same score are tied.

    Parameters
    ----------
    query_tables : (q, M, K) array of float
        Score of each code word of each codebook.  A codebook with fewer than K words leaves its
        last entries unused; they must be finite.
    database_codes : (n, M) array of integers
        The code word of each item in each codebook, from 0 to K - 1.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        As in :func:`evaluate`.
    protocol : str or Protocol
        Name of a preset, or conventions of one's own.

    Returns
    -------
    Evaluation
        As :func:`evaluate` gives it, without ``P@r2``, ``empty@r2`` and ``profile``: a ranking by
        score has no Hamming distances.

    Raises
    ------
    InputError
        If shapes do not match, a code is out of range, or a score would not be finite.

    Examples
    --------
    Two codebooks of two words; the scores of the three items are 0.5, 0.9 and 0.1.

    >>> tables = [[[0.1, 0.5], [0.0, 0.4]]]
    >>> measured = evaluate_scores(tables, [[1, 0], [1, 1], [0, 0]], [7], [7, 8, 9])
    >>> measured["mAP@all"]
    0.5
    """
    codes = checked_tables(query_tables, database_codes)
    labels = checked_labels(*codes, query_labels, database_labels)
    return measure_scores(codes, labels, _as_protocol(protocol))


def measure_codes(codes: Pair, labels: Pair, protocol: Protocol) -> Evaluation:
    """Rank by Hamming distance and measure.

    Codes are (query, database) of bool, labels likewise packed words.
    """

    packed = (pack(codes[0]), pack(codes[1]), *labels)
    n_bits, most_shared = codes[0].shape[1], _most_shared(labels[0], protocol)
    profile = hamming_profile(*packed, n_bits=n_bits, most_shared=most_shared)
    if protocol.ties == "expected":
        rankings = iter([profile])
    else:
        rank = partial(index_profile, n_bits=n_bits, most_shared=most_shared)
        rankings = _ranked_in_blocks(rank, *packed, n_grades=_n_grades(most_shared))
    return _evaluation(rankings, protocol, _n_levels(profile), profile)


def measure_scores(codes: Pair, labels: Pair, protocol: Protocol) -> Evaluation:
    """Rank by score and measure; codes are (query tables, database codes)."""

    most_shared = _most_shared(labels[0], protocol)
    kernel = score_profile if protocol.ties == "expected" else score_index_profile
    rank = partial(kernel, most_shared=most_shared)
    searched = codes[0], np.ascontiguousarray(codes[1].T), *labels
    rankings = _ranked_in_blocks(rank, *searched, n_grades=_n_grades(most_shared))
    # Codes without bits put all items at distance 0, which counts the relevant ones.
    queries, database = (np.zeros((len(part), 1), dtype=np.uint64) for part in labels)
    relevant = hamming_profile(queries, database, *labels, n_bits=0)
    return _evaluation(rankings, protocol, _n_levels(relevant))


def _n_levels(profile: Profile) -> int:
    """Recall levels: no more than there are relevant items, so that no level repeats for all."""
    return max(1, min(MOST_LEVELS, int(profile.relevant.sum(axis=1).max())))


def _most_shared(query_labels: np.ndarray, protocol: Protocol) -> int | None:
    """The most labels that a query has, where some metric asks how many are shared."""
    if "grades" not in needs_of(protocol):
        return None
    return int(np.unpackbits(query_labels.view(np.uint8), axis=1).sum(axis=1).max())


def _n_grades(most_shared: int | None) -> int:
    return 1 if most_shared is None else most_shared + 1


def _ranked_in_blocks(
    rank: Callable[..., Profile],
    queries: np.ndarray,
    database: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    *,
    n_grades: int,
) -> Iterator[Profile]:
    """Rankings with up to n groups each, some queries at a time to bound the memory."""
    size = max(1, GROUPS_AT_ONCE // (len(database_labels) * n_grades))
    for start in range(0, len(queries), size):
        rows = slice(start, start + size)
        yield rank(queries[rows], database, query_labels[rows], database_labels)


def _evaluation(
    rankings: Iterator[Profile],
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
    measured = {
        name: PerQuery(*map(np.concatenate, zip(*(part[name] for part in parts), strict=True)))
        for name in parts[0]
    }
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
    return replace(result, profile=distances and distances._replace(grades=None))


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


def _as_protocol(protocol: str | Protocol) -> Protocol:
    return find_protocol(protocol) if isinstance(protocol, str) else protocol
