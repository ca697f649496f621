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

#: Database items per tile: keys, codes and labels of a tile stay in the processor's near caches.
TILE = 2048


class Profile(NamedTuple):
    """Tie groups of the ranking of each query, best first.

    Attributes
    ----------
    items : (q, g) array of int32
        Number of database items in each group (0 for an empty group).
    relevant : (q, g) array of int32
        How many of them are relevant.
    """

    items: np.ndarray
    relevant: np.ndarray


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

    Returns
    -------
    Profile
        With ``n_bits + 1`` groups: group d holds the items at distance d.
    """
    pairs = np.zeros((len(query_codes), n_bits + 1, 2), dtype=np.int32)
    _count_pairs(
        query_codes,
        np.ascontiguousarray(database_codes.T),
        query_labels,
        np.ascontiguousarray(database_labels.T),
        pairs,
    )
    return Profile(pairs.sum(axis=2, dtype=np.int32), pairs[:, :, 1].copy())


def index_profile(
    query_codes: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    n_bits: int,
) -> Profile:
    """The ranking with ties in database order, as a stable sort by distance gives it.

    Parameters and result as in :func:`hamming_profile`, but with n groups of one item each.
    """
    q, n = len(query_codes), len(database_codes)
    relevant = np.empty((q, n), dtype=np.int32)
    _rank_by_index(
        query_codes,
        np.ascontiguousarray(database_codes.T),
        query_labels,
        np.ascontiguousarray(database_labels.T),
        n_bits,
        relevant,
    )
    return Profile(np.broadcast_to(np.int32(1), (q, n)), relevant)


@intrinsic
def _popcount(typing_context, word):  # noqa: ANN001, ANN202 - numba's protocol
    """The processor's count of set bits."""

    def generate(context, builder, signature, arguments):  # noqa: ANN001, ANN202
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@numba.njit(cache=True)
def _write_keys(query, labels, words, label_words, start, key):  # noqa: ANN001, ANN202
    """key[i] = 2 * distance + relevance of item start + i."""
    n = len(key)
    # One plain loop over contiguous arrays per word: the compiler makes vector instructions of it.
    for w in range(len(query)):
        bits, column = query[w], words[w, start : start + n]
        if w == 0:
            for i in range(n):
                key[i] = np.uint32(2 * _popcount(bits ^ column[i]))
        else:
            for i in range(n):
                key[i] += np.uint32(2 * _popcount(bits ^ column[i]))
    for w in range(len(labels)):
        bits, column = labels[w], label_words[w, start : start + n]
        for i in range(n):
            key[i] |= np.uint32((bits & column[i]) != 0)


@numba.njit(cache=True, parallel=True, nogil=True)
def _count_pairs(queries, words, query_labels, label_words, pairs):  # noqa: ANN001, ANN202
    n, n_keys = words.shape[1], 2 * pairs.shape[1]
    for q in numba.prange(len(queries)):
        buffer = np.empty(TILE, dtype=np.uint32)
        # Four sets of counters: neighbours often fall into the same group, and adding to the
        # same counter twice in a row would wait for the first addition to be stored.
        c0 = np.zeros(n_keys, dtype=np.int32)
        c1 = np.zeros(n_keys, dtype=np.int32)
        c2 = np.zeros(n_keys, dtype=np.int32)
        c3 = np.zeros(n_keys, dtype=np.int32)
        for start in range(0, n, TILE):
            size = min(TILE, n - start)
            key = buffer[:size]
            _write_keys(queries[q], query_labels[q], words, label_words, start, key)
            for i in range(0, size - 3, 4):
                c0[key[i]] += 1
                c1[key[i + 1]] += 1
                c2[key[i + 2]] += 1
                c3[key[i + 3]] += 1
            for i in range(size // 4 * 4, size):
                c0[key[i]] += 1
        for k in range(n_keys):
            pairs[q, k // 2, k % 2] = c0[k] + c1[k] + c2[k] + c3[k]


@numba.njit(cache=True, parallel=True, nogil=True)
def _rank_by_index(queries, words, query_labels, label_words, n_bits, relevant):  # noqa: ANN001, ANN202
    n = words.shape[1]
    for q in numba.prange(len(queries)):
        key = np.empty(n, dtype=np.uint32)
        _write_keys(queries[q], query_labels[q], words, label_words, 0, key)
        # Counting sort: place[d] is where the next item at distance d goes.
        place = np.zeros(n_bits + 2, dtype=np.int64)
        for i in range(n):
            place[(key[i] >> 1) + 1] += 1
        for d in range(n_bits):
            place[d + 1] += place[d]
        for i in range(n):
            d = key[i] >> 1
            relevant[q, place[d]] = key[i] & 1
            place[d] += 1
