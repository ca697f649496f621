"""Codes and labels to metrics: the work behind ``benchmark.evaluate`` and ``evaluate_scores``.

However items are ranked, a ranking is a profile of tie groups, and all metrics come from profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from benchmark.errors import InputError
from benchmark.protocol import metrics
from benchmark.protocol.evaluation import Bounds, Curve, Evaluation
from benchmark.protocol.hamming import Profile, hamming_profile, index_profile, pack
from benchmark.protocol.metrics import PerQuery
from benchmark.protocol.protocol import Protocol, find_protocol
from benchmark.protocol.scores import score_index_profile, score_profile

#: Groups of rankings held at once where a ranking may have as many groups as items (33 MB).
GROUPS_AT_ONCE = 2**22


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
        Binary codes; 0/1 integers are taken as well.
    query_labels, database_labels : (q, c), (n, c) arrays, or (q,), (n,) arrays
        Multi-hot labels (anything but 0 counts), or one class id per item.  Items that share a
        label are relevant to each other.
    protocol : str or Protocol
        Name of a preset, or conventions of one's own.

    Returns
    -------
    Evaluation
        Maps ``mAP@K``, ``mAP@all``, ``P@r2``, ``empty@r2``, ``P@N`` and ``base_rate`` to floats.

    Raises
    ------
    InputError
        If shapes do not match, or codes are not binary.
    """
    codes = checked_codes(query_codes, database_codes)
    labels = _labels_of(*codes, query_labels, database_labels)
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
    """
    codes = checked_tables(query_tables, database_codes)
    labels = _labels_of(*codes, query_labels, database_labels)
    return measure_scores(codes, labels, _as_protocol(protocol))


def measure_codes(codes: tuple, labels: tuple, protocol: Protocol) -> Evaluation:
    """Rank by Hamming distance and measure.

    Codes are (query, database) of bool, labels likewise packed words.
    """

    packed = (*map(pack, codes), *labels)
    n_bits = codes[0].shape[1]
    profile = hamming_profile(*packed, n_bits)
    if protocol.ties == "expected":
        rankings = iter([profile])
    else:
        rankings = _ranked_in_blocks(partial(index_profile, n_bits=n_bits), *packed)
    return _evaluation(rankings, protocol, profile)


def measure_scores(codes: tuple, labels: tuple, protocol: Protocol) -> Evaluation:
    """Rank by score and measure; codes are (query tables, database codes)."""

    rank = score_profile if protocol.ties == "expected" else score_index_profile
    rankings = _ranked_in_blocks(rank, codes[0], np.ascontiguousarray(codes[1].T), *labels)
    return _evaluation(rankings, protocol)


def _ranked_in_blocks(
    rank: Callable[..., Profile],
    queries: np.ndarray,
    database: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
) -> Iterator[Profile]:
    """Rankings with up to n groups each, some queries at a time to bound the memory."""
    size = max(1, GROUPS_AT_ONCE // len(database_labels))
    for start in range(0, len(queries), size):
        rows = slice(start, start + size)
        yield rank(queries[rows], database, query_labels[rows], database_labels)


def _evaluation(
    rankings: Iterator[Profile], protocol: Protocol, distances: Profile | None = None
) -> Evaluation:
    """The metrics of blocks of rankings, and of Hamming balls where there are distances."""

    parts = [_measure_ranking(profile, protocol) for profile in rankings]
    measured = {
        name: PerQuery(*map(np.concatenate, zip(*(part[name] for part, _ in parts), strict=True)))
        for name in parts[0][0]
    }
    recall_curves = np.concatenate([curves for _, curves in parts])
    if distances is not None:
        measured.update(_measure_balls(distances, protocol))

    result = Evaluation(profile=distances)
    answerable = measured["base_rate"].value > 0
    for name, (value, low, high) in measured.items():
        if protocol.no_relevant == "skip" and name.startswith("mAP"):
            value, low, high = (np.where(answerable, v, np.nan) for v in (value, low, high))
        result.per_query[name] = value
        result.values[name] = _mean(value)
        result.bounds[name] = Bounds(_mean(low), _mean(high))
    levels = np.arange(1, recall_curves.shape[1] + 1) / recall_curves.shape[1]
    # Averaged over queries with relevant items; without any, the curve is 0.
    curve = recall_curves[answerable].mean(axis=0) if answerable.any() else np.zeros(len(levels))
    result.curves["PR"] = Curve(levels, curve)
    cut_offs = np.array(protocol.precision_at)
    at_n = [result.values[f"P@{n}"] for n in protocol.precision_at]
    result.curves["P@N"] = Curve(cut_offs, np.array(at_n))
    return result


def _measure_ranking(
    profile: Profile, protocol: Protocol
) -> tuple[dict[str, PerQuery], np.ndarray]:
    """All metrics of the ranking itself, and the (q, levels) precision at recall levels."""

    measured = {
        name: metrics.average_precision(
            profile, k, normalizer=protocol.normalizer, no_hit=protocol.no_hit
        )
        for name, k in zip(protocol.map_names, (*protocol.map_at, None), strict=True)
    }
    for n in protocol.precision_at:
        measured[f"P@{n}"] = metrics.precision_at(profile, n)
    measured["base_rate"] = metrics.base_rate(profile)
    return measured, metrics.precision_recall(profile, interpolated=protocol.interpolated)


def _measure_balls(profile: Profile, protocol: Protocol) -> dict[str, PerQuery]:
    """Metrics of the distances themselves, whatever the order of ties."""

    radius = protocol.radius
    return {
        f"P@r{radius}": metrics.precision_within(profile, radius, empty=protocol.empty),
        f"empty@r{radius}": metrics.empty_ball(profile, radius),
    }


def _mean(values: np.ndarray) -> float:
    counted = values[~np.isnan(values)]
    return float(counted.mean()) if len(counted) else 0.0


def checked_codes(query: np.ndarray, database: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both codes as arrays of bool, or an InputError."""
    query, database = np.asarray(query), np.asarray(database)
    for name, codes in (("query", query), ("database", database)):
        if codes.ndim != 2 or 0 in codes.shape:
            raise InputError(f"{name} codes must be (items, bits), not of shape {codes.shape}")
        if codes.dtype != bool and not np.isin(codes, (0, 1)).all():
            raise InputError(f"{name} codes must be boolean; for -1/+1 codes pass codes > 0")
    if query.shape[1] != database.shape[1]:
        raise InputError(
            f"query codes have {query.shape[1]} bits, database codes {database.shape[1]}"
        )
    return query.astype(bool, copy=False), database.astype(bool, copy=False)


def checked_tables(tables: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Look-up tables as float32 and code words as the least unsigned integers, or an InputError."""
    tables, codes = np.asarray(tables), np.asarray(codes)
    if tables.ndim != 3 or 0 in tables.shape:
        raise InputError(
            f"query tables must be (queries, codebooks, code words), not of shape {tables.shape}"
        )
    _, M, K = tables.shape
    if codes.ndim != 2 or codes.shape[1] != M or len(codes) == 0:
        raise InputError(
            f"database codes must be (items, {M}) for tables of {M} codebooks, not of shape "
            f"{codes.shape}"
        )
    if not np.issubdtype(codes.dtype, np.integer) or codes.min() < 0 or codes.max() >= K:
        raise InputError(f"database codes must be whole numbers from 0 to {K - 1}")
    with np.errstate(over="ignore", invalid="ignore"):
        tables = np.ascontiguousarray(tables, dtype=np.float32)
        largest = np.abs(tables).max(axis=2).sum(axis=1)
    if not np.isfinite(largest).all():
        raise InputError("query tables have NaN or infinite entries, or too large ones for float32")
    return tables, codes.astype(np.min_scalar_type(K - 1), copy=False)


def packed_labels(query: np.ndarray, database: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multi-hot labels or class ids as packed words, or an InputError."""

    query, database = np.asarray(query), np.asarray(database)
    if query.ndim != database.ndim or query.ndim not in (1, 2):
        raise InputError(
            "labels must be both multi-hot matrices or both 1-d class ids, not of shapes "
            f"{query.shape} and {database.shape}"
        )
    if query.ndim == 1:
        ids, positions = np.unique(np.concatenate([query, database]), return_inverse=True)
        words = np.zeros((len(positions), -(-len(ids) // 64)), dtype=np.uint64)
        bit = np.left_shift(np.uint64(1), (positions % 64).astype(np.uint64))
        words[np.arange(len(positions)), positions // 64] = bit
        return words[: len(query)], words[len(query) :]
    if query.shape[1] != database.shape[1] or query.shape[1] == 0:
        raise InputError(f"labels differ in columns: {query.shape[1]} and {database.shape[1]}")
    return pack(query != 0), pack(database != 0)


def _as_protocol(protocol: str | Protocol) -> Protocol:
    return find_protocol(protocol) if isinstance(protocol, str) else protocol


def _labels_of(
    queries: np.ndarray, database: np.ndarray, query_labels: np.ndarray, database_labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Packed labels, or an InputError where there is not one for each item."""
    labels = packed_labels(query_labels, database_labels)
    for name, code, label in zip(("query", "database"), (queries, database), labels, strict=True):
        if len(code) != len(label):
            raise InputError(f"{len(code)} {name} codes but {len(label)} {name} labels")
    return labels
