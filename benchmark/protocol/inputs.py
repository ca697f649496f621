"""What an evaluation is given, checked before it is ranked: codes, tables of scores, labels."""

from __future__ import annotations

import numpy as np

from benchmark.errors import InputError
from benchmark.protocol.hamming import pack


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


def checked_labels(
    queries: np.ndarray, database: np.ndarray, query_labels: np.ndarray, database_labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Packed labels, or an InputError where there is not one for each item."""
    labels = packed_labels(query_labels, database_labels)
    for name, code, label in zip(("query", "database"), (queries, database), labels, strict=True):
        if len(code) != len(label):
            raise InputError(f"{len(code)} {name} codes but {len(label)} {name} labels")
    return labels
