"""From packed codes to ranking profiles: the compiled kernels.

A ranking by Hamming distance is a sequence of *tie groups*: all items at distance 0, at distance
1, and so on.  Two counts per group, its items and its relevant items, hold everything that the
metrics need; see docs/protocols.md.  A ranking without ties is the special case of groups with one
item each.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

#: Database items per tile: keys, codes and labels of a tile stay in the processor's near caches,
#: where several queries find them one after the other.
TILE, QUERIES = 2048, 8
#: Groups that a key of one byte can tell apart.
BYTE = 256


class Profile(NamedTuple):
    """Tie groups of the ranking of each query, best first.

    Attributes
    ----------
    items : (q, g) array of int32
        Number of database items in each group (0 for an empty group).
    relevant : (q, g) array of int32
        How many of them are relevant.
    grades : (q, g, s + 1) array of int32, or None
        How many of them share 0, 1, ..., s labels with the query; None where only relevance was
        asked for.
    """

    items: np.ndarray
    relevant: np.ndarray
    grades: np.ndarray | None = None


def pack(bits: np.ndarray) -> np.ndarray:
    """Pack rows of bits into 64-bit words; bit 0 is the least significant bit of word 0.

    Parameters
    ----------
    bits : (n, b) array of bool

    Returns
    -------
    (n, ceil(b / 64)) array of uint64
        Unused bits are zero, so that any number of bits can be compared.
    """
    n, b = bits.shape
    packed = np.zeros((n, -(-b // 64) * 8), dtype=np.uint8)
    packed[:, : -(-b // 8)] = np.packbits(bits, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def hamming_profile(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    n_bits: int,
    most_shared: int | None = None,
) -> Profile:
    """Items and relevant items at every Hamming distance from each query.

    Parameters
    ----------
    query_codes, database_codes : (q, w), (n, w) arrays of uint64
        From :func:`pack`.
    query_labels, database_labels : (q, l), (n, l) arrays of uint64
        Packed multi-hot labels; relevant means to share at least one.
    n_bits : int
        Code length.
    most_shared : int, optional
        The largest number of labels that a query can share with an item; with it the profile has
        grades.

    Returns
    -------
    Profile
        With ``n_bits + 1`` groups: group d holds the items at distance d.
    """
    width, shape = grade_bits(most_shared), (len(query_codes), n_bits + 1)
    items, relevant = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.int32)
    grades = np.empty((*shape, 0 if most_shared is None else most_shared + 1), dtype=np.int32)
    # Keys of one byte are written four times as many at a time.
    key_type = np.uint8 if (n_bits + 1) << width <= BYTE else np.uint32
    _count_pairs(
        query_codes,
        np.ascontiguousarray(database_codes.T),
        query_labels,
        np.ascontiguousarray(database_labels.T),
        width,
        np.empty((0, TILE), dtype=key_type),
        items,
        relevant,
        grades,
    )
    return Profile(items, relevant, None if most_shared is None else grades)


def index_profile(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    n_bits: int,
    most_shared: int | None = None,
) -> Profile:
    """The ranking with ties in database order, as a stable sort by distance gives it.

    Parameters and result as in :func:`hamming_profile`, but with n groups of one item each.
    """
    q, n = len(query_codes), len(database_codes)
    grade = np.empty((q, n), dtype=np.int32)
    _rank_by_index(
        query_codes,
        np.ascontiguousarray(database_codes.T),
        query_labels,
        np.ascontiguousarray(database_labels.T),
        n_bits,
        grade_bits(most_shared),
        grade,
    )
    items = np.broadcast_to(np.int32(1), (q, n))
    if most_shared is None:
        return Profile(items, grade)
    grades = (grade[:, :, None] == np.arange(most_shared + 1)).astype(np.int32)
    return Profile(items, (grade > 0).astype(np.int32), grades)


def grade_bits(most_shared: int | None) -> int:
    """Bits of a key that hold the relevance, or the number of shared labels if that is asked for.

    One bit says whether a label is shared, however many are.
    """
    return 1 if most_shared is None else max(1, most_shared.bit_length())


@intrinsic
def popcount(typing_context, word):  # noqa: ANN001, ANN201 - numba's protocol
    """The processor's count of set bits."""

    def generate(context, builder, signature, arguments):  # noqa: ANN001, ANN202
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@numba.njit(cache=True)
def _write_keys(query, labels, words, label_words, start, width, key):  # noqa: ANN001, ANN202
    """Distance of item start + i above the lowest `width` bits of key[i], its grade in them."""
    n, above = len(key), np.uint64(width)
    # One plain loop over contiguous arrays per word: the compiler makes vector instructions of it.
    for w in range(len(query)):
        bits, column = query[w], words[w, start : start + n]
        if w == 0:
            for i in range(n):
                key[i] = popcount(bits ^ column[i]) << above
        else:
            for i in range(n):
                key[i] += popcount(bits ^ column[i]) << above
    for w in range(len(labels)):
        bits, column = labels[w], label_words[w, start : start + n]
        if width == 1:
            for i in range(n):
                key[i] |= np.uint64((bits & column[i]) != 0)
        else:
            for i in range(n):
                key[i] += popcount(bits & column[i])


@numba.njit(cache=True)
def _count_keys(key, counts):  # noqa: ANN001, ANN202
    """Add one to counts[., k] for every key k.

    Four sets of counters: neighbours often fall into the same group, and adding to the same counter
    twice in a row would wait for the first addition to be stored.
    """
    c0, c1, c2, c3 = counts[0], counts[1], counts[2], counts[3]
    n = len(key)
    for i in range(0, n - 3, 4):
        c0[key[i]] += 1
        c1[key[i + 1]] += 1
        c2[key[i + 2]] += 1
        c3[key[i + 3]] += 1
    for i in range(n // 4 * 4, n):
        c0[key[i]] += 1


@numba.njit(cache=True, parallel=True, nogil=True)
def _count_pairs(  # noqa: ANN202
    queries,  # noqa: ANN001
    words,  # noqa: ANN001
    query_labels,  # noqa: ANN001
    label_words,  # noqa: ANN001
    width,  # noqa: ANN001
    like_keys,  # noqa: ANN001
    items,  # noqa: ANN001
    relevant,  # noqa: ANN001
    grades,  # noqa: ANN001
):
    """The counts of every query; `like_keys` has the type of a key and the length of a tile."""
    n, n_groups, n_grades = words.shape[1], items.shape[1], 1 << width
    for block in numba.prange((len(queries) + QUERIES - 1) // QUERIES):
        first, end = block * QUERIES, min((block + 1) * QUERIES, len(queries))
        buffer = np.empty(like_keys.shape[1], dtype=like_keys.dtype)
        counts = np.zeros((QUERIES, 4, n_groups * n_grades), dtype=np.int32)
        for start in range(0, n, TILE):
            key = buffer[: min(TILE, n - start)]
            for q in range(first, end):
                _write_keys(queries[q], query_labels[q], words, label_words, start, width, key)
                _count_keys(key, counts[q - first])
        for q in range(first, end):
            total = counts[q - first]
            for d in range(n_groups):
                of_group = hits = 0
                for grade in range(n_grades):
                    k = d * n_grades + grade
                    count = total[0, k] + total[1, k] + total[2, k] + total[3, k]
                    of_group += count
                    hits += count if grade > 0 else 0
                    if grade < grades.shape[2]:
                        grades[q, d, grade] = count
                items[q, d], relevant[q, d] = of_group, hits


@numba.njit(cache=True, parallel=True, nogil=True)
def _rank_by_index(queries, words, query_labels, label_words, n_bits, width, grade):  # noqa: ANN001, ANN202
    n = words.shape[1]
    for q in numba.prange(len(queries)):
        key = np.empty(n, dtype=np.uint32)
        _write_keys(queries[q], query_labels[q], words, label_words, 0, width, key)
        # Counting sort: place[d] is where the next item at distance d goes.
        place = np.zeros(n_bits + 2, dtype=np.int64)
        for i in range(n):
            place[(key[i] >> width) + 1] += 1
        for d in range(n_bits):
            place[d + 1] += place[d]
        for i in range(n):
            d = key[i] >> width
            grade[q, place[d]] = key[i] & ((1 << width) - 1)
            place[d] += 1
