"""What an evaluation is given, checked before it is ranked: codes, tables of scores, labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.errors import InputError
from benchmark.protocol.hamming import pack


def checked_codes(query: Any, database: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both codes as arrays of bool, or an InputError; -1 stands for 0 in codes of -1 and +1."""
    query, database = _bits(query, "query codes"), _bits(database, "database codes")
    if query.shape[1] != database.shape[1]:
        raise InputError(
            f"query codes have {query.shape[1]} bits, database codes {database.shape[1]}"
        )
    return query, database


def _bits(values: Any, name: str) -> np.ndarray:
    codes = _as_array(values, name)
    if codes.ndim != 2 or 0 in codes.shape:
        raise InputError(f"{name} must be (items, bits), not of shape {codes.shape}")
    if codes.dtype == bool:
        return codes
    _refuse_what_is_no_number(codes, name)
    ones = codes == 1
    if (ones | (codes == 0)).all() or (ones | (codes == -1)).all():
        return ones
    if codes.dtype.kind == "u":
        raise InputError(
            f"{name} have values up to {codes.max()} and look packed: pass "
            'np.unpackbits(codes, axis=1, bitorder="little"), in the bit order they were packed in'
        )
    if (ones | (codes == -1) | (codes == 0)).all():
        raise InputError(f"{name} have zeros between -1 and +1: pass codes > 0")
    raise InputError(
        f"{name} must be boolean, 0/1 or -1/+1, not real values such as {_other(codes)}: "
        "pass codes > 0"
    )


def checked_tables(tables: Any, codes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Look-up tables as float32 and code words as the least unsigned integers, or an InputError."""
    tables, codes = _as_array(tables, "query tables"), _as_array(codes, "database codes")
    if tables.dtype.kind not in "biuf":
        raise InputError(f"query tables must be numbers, not {tables.dtype}")
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


def checked_vectors(query: Any, database: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as matrices of finite numbers with as many columns, or an InputError."""
    query, database = _as_array(query, "query vectors"), _as_array(database, "database vectors")
    for name, vectors in (("query vectors", query), ("database vectors", database)):
        if vectors.ndim != 2 or 0 in vectors.shape:
            raise InputError(f"{name} must be (items, dimensions), not of shape {vectors.shape}")
        _refuse_what_is_no_number(vectors, name)
    if query.shape[1] != database.shape[1]:
        raise InputError(
            f"query vectors have {query.shape[1]} dimensions, database vectors {database.shape[1]}"
        )
    return query, database


def checked_neighbours(neighbours: Any, shape: tuple[int, int], n: int) -> np.ndarray:
    """Database positions of nearest items, of that shape and below n, or an InputError."""
    positions = _as_array(neighbours, "neighbours")
    if positions.shape != shape or positions.dtype.kind not in "iu":
        raise InputError(
            f"neighbours must be whole numbers of shape {shape}, as the protocol counts them, not "
            f"{positions.dtype} of shape {positions.shape}"
        )
    if positions.min() < 0 or positions.max() >= n:
        raise InputError(f"neighbours must be positions from 0 to {n - 1}")
    return positions.astype(np.int64)


def packed_labels(query: Any, database: Any) -> tuple[np.ndarray, np.ndarray]:
    """Multi-hot labels or class ids as packed words, or an InputError."""
    query, database = _as_array(query, "query labels"), _as_array(database, "database labels")
    if query.ndim != database.ndim or query.ndim not in (1, 2):
        raise InputError(
            "labels must be both multi-hot matrices or both 1-d class ids, not of shapes "
            f"{query.shape} and {database.shape}"
        )
    if query.ndim == 1:
        return _packed_ids(query, database)
    if query.shape[1] != database.shape[1] or query.shape[1] == 0:
        raise InputError(f"labels differ in columns: {query.shape[1]} and {database.shape[1]}")
    return pack(_multi_hot(query, "query labels")), pack(_multi_hot(database, "database labels"))


def _multi_hot(labels: np.ndarray, name: str) -> np.ndarray:
    """A label matrix as bool; numbers only where they cannot be anything but 0 and 1 of labels."""
    if labels.dtype == bool:
        return labels
    _refuse_what_is_no_number(labels, name)
    if labels.shape[1] == 1:
        raise InputError(
            f"{name} of shape {labels.shape} may be class ids or a single label: pass "
            "ids.ravel(), or labels.astype(bool)"
        )
    ones = labels == 1
    if (ones | (labels == 0)).all():
        return ones
    if (ones | (labels == -1)).all():
        raise InputError(f"{name} are -1/+1: pass labels > 0")
    raise InputError(
        f"{name} must be 0/1 in a matrix, not {_other(labels)}; class ids are a 1-d array"
    )


def _packed_ids(query: np.ndarray, database: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One class id an item as one-hot packed words."""
    for name, ids in (("query labels", query), ("database labels", database)):
        if ids.dtype.kind in "OUS":
            if not all(isinstance(one, str | bytes) for one in ids.tolist()):
                raise InputError(f"{name} must be class ids: numbers, or words, for every item")
            continue
        _refuse_what_is_no_number(ids, name)
        if (ids < 0).any():
            raise InputError(f"{name} have the negative class id {ids.min()}: leave such items out")
    if (query.dtype.kind in "OUS") != (database.dtype.kind in "OUS"):
        raise InputError("class ids are numbers on one side and words on the other")
    ids, positions = np.unique(np.concatenate([query, database]), return_inverse=True)
    words = np.zeros((len(positions), -(-len(ids) // 64)), dtype=np.uint64)
    bit = np.left_shift(np.uint64(1), (positions % 64).astype(np.uint64))
    words[np.arange(len(positions)), positions // 64] = bit
    return words[: len(query)], words[len(query) :]


def checked_labels(
    queries: np.ndarray, database: np.ndarray, query_labels: Any, database_labels: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Packed labels, or an InputError where there is not one for each item."""
    labels = packed_labels(query_labels, database_labels)
    for name, code, label in zip(("query", "database"), (queries, database), labels, strict=True):
        if len(code) != len(label):
            raise InputError(f"{len(code)} {name} codes but {len(label)} {name} labels")
    return labels


def _as_array(values: Any, name: str) -> np.ndarray:
    """An array; a tensor leaves its graph and its device for it."""
    if hasattr(values, "toarray") or getattr(values, "is_sparse", False):
        raise InputError(
            f"{name} are sparse: pass a dense array, as .toarray() or .to_dense() give"
        )
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        # NumPy has no bfloat16; float64 holds every other float exactly.
        values = (values.double() if values.is_floating_point() else values).numpy()
    try:
        return np.asarray(values)
    except ValueError:
        raise InputError(f"{name} have rows of different lengths: give each the same") from None


def _refuse_what_is_no_number(values: np.ndarray, name: str) -> None:
    if values.dtype.kind not in "biuf":
        raise InputError(f"{name} must be numbers, not {values.dtype}")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{name} have NaN or infinite entries")


def _other(values: np.ndarray) -> str:
    """The first value that is neither 0 nor 1."""
    return f"{values[(values != 0) & (values != 1)][0]:g}"
