"""Rankings by score: look-up tables of queries against the code words of items.

A quantiser gives each item one code word from each of M codebooks, and each query a table with the
score of every code word; an item's score is the sum of M table entries, larger is better.  Equal
scores form a tie group, so that items with the same code are always tied.
"""

from __future__ import annotations

import numba
import numpy as np

from benchmark.protocol.hamming import Profile, grade_bits, popcount

#: Database items per tile: codes, scores and labels of a tile stay in the processor's near caches.
TILE = 4096
#: Bits of a key that one pass sorts by; the counters of a pass fit into the nearest cache.
DIGIT = 11


def score_profile(
    query_tables: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    most_shared: int | None = None,
) -> Profile:
    """Items and relevant items at every score, by decreasing score.

    Parameters
    ----------
    query_tables : (q, M, K) array of float32
        ``score(query, item) = sum_m query_tables[query, m, database_codes[m, item]]``, added in
        single precision in the order of m.
    database_codes : (M, n) array of unsigned integers
        Code words, below K; a row for each codebook.
    query_labels, database_labels : (q, l), (n, l) arrays of uint64
        Packed multi-hot labels; relevant means to share at least one.
    most_shared : int, optional
        The largest number of labels that a query can share with an item; with it the profile has
        grades.

    Returns
    -------
    Profile
        With as many groups as the query with the most different scores has; the others end in
        groups without items.
    """
    searched = (query_tables, database_codes, query_labels, database_labels)
    return _profile(*searched, most_shared, tied=True)


def score_index_profile(
    query_tables: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    most_shared: int | None = None,
) -> Profile:
    """The ranking with ties in database order, as a stable sort by score gives it.

    Parameters and result as in :func:`score_profile`, but with n groups of one item each.
    """
    searched = (query_tables, database_codes, query_labels, database_labels)
    return _profile(*searched, most_shared, tied=False)


def _profile(
    query_tables: np.ndarray,
    database_codes: np.ndarray,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
    most_shared: int | None,
    *,
    tied: bool,
) -> Profile:
    shape = len(query_tables), database_codes.shape[1]
    items, relevant = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32)
    grades = np.zeros((*shape, 0 if most_shared is None else most_shared + 1), dtype=np.int32)
    used = _rank_by_score(
        query_tables,
        database_codes,
        query_labels,
        np.ascontiguousarray(database_labels.T),
        tied,
        numba.get_num_threads(),
        grade_bits(most_shared),
        items,
        relevant,
        grades,
    )
    items, relevant = (np.ascontiguousarray(counts[:, :used]) for counts in (items, relevant))
    return Profile(items, relevant, None if most_shared is None else grades[:, :used])


@numba.njit(cache=True)
def _add_scores(table, codes, start, score):  # noqa: ANN001, ANN202
    """score[i] = score of item start + i; never a negative zero, since it starts from zero."""
    score[:] = 0
    for m in range(len(codes)):
        entries, column = table[m], codes[m, start : start + len(score)]
        for i in range(len(score)):
            score[i] += entries[column[i]]


@numba.njit(cache=True)
def _write_keys(score, labels, label_words, start, width, key):  # noqa: ANN001, ANN202
    """Keys that ascend where scores descend, with the grade in the lowest `width` bits."""
    n = len(score)
    bits = score.view(np.uint32)
    for i in range(n):
        # Read as integers, positive floats come first and ascend; negative ones then descend.
        word = bits[i] ^ np.uint32(0x7FFFFFFF) if bits[i] < 0x80000000 else bits[i]
        key[i] = np.uint64(word) << np.uint64(width)
    for w in range(len(labels)):
        mask, column = labels[w], label_words[w, start : start + n]
        if width == 1:
            for i in range(n):
                key[i] |= np.uint64((mask & column[i]) != 0)
        else:
            for i in range(n):
                key[i] += popcount(mask & column[i])


@numba.njit(cache=True)
def _sort_keys(key, spare, width):  # noqa: ANN001, ANN202
    """Sort by all bits but the lowest `width`, stably, least significant digit first."""
    mask = np.uint64((1 << DIGIT) - 1)
    for shift in range(width, width + 32, DIGIT):
        bits = np.uint64(shift)
        # place[digit] is where the next key with that digit goes.
        place = np.zeros((1 << DIGIT) + 1, dtype=np.int64)
        for i in range(len(key)):
            place[((key[i] >> bits) & mask) + np.uint64(1)] += 1
        for digit in range(1 << DIGIT):
            place[digit + 1] += place[digit]
        for i in range(len(key)):
            digit = (key[i] >> bits) & mask
            spare[place[digit]] = key[i]
            place[digit] += 1
        key, spare = spare, key
    return key


@numba.njit(cache=True, parallel=True, nogil=True)
def _rank_by_score(  # noqa: ANN202
    tables,  # noqa: ANN001
    codes,  # noqa: ANN001
    query_labels,  # noqa: ANN001
    label_words,  # noqa: ANN001
    tied,  # noqa: ANN001
    n_threads,  # noqa: ANN001
    width,  # noqa: ANN001
    items,  # noqa: ANN001
    relevant,  # noqa: ANN001
    grades,  # noqa: ANN001
):
    """Tie groups of every query, or groups of one item each unless `tied`; the largest number."""
    n, above, mask = codes.shape[1], np.uint64(width), np.uint64((1 << width) - 1)
    n_groups = np.zeros(len(tables), dtype=np.int64)
    for thread in numba.prange(n_threads):
        key, spare = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.uint64)
        buffer = np.empty(TILE, dtype=np.float32)
        for q in range(thread, len(tables), n_threads):
            for start in range(0, n, TILE):
                score = buffer[: min(TILE, n - start)]
                _add_scores(tables[q], codes, start, score)
                tile = key[start : start + len(score)]
                _write_keys(score, query_labels[q], label_words, start, width, tile)
            ranked = _sort_keys(key, spare, width)
            # Without branches, which nobody could foresee where half of the scores are new.
            groups, hits, g = items[q], relevant[q], 0
            for i in range(n):
                g += i > 0 and (not tied or ranked[i] >> above != ranked[i - 1] >> above)
                groups[g] += 1
                hits[g] += np.int32((ranked[i] & mask) != 0)
            n_groups[q] = g + 1
            if grades.shape[2] > 0:
                _count_grades(ranked, groups, mask, grades[q])
    return n_groups.max()


@numba.njit(cache=True)
def _count_grades(ranked, groups, mask, grades):  # noqa: ANN001, ANN202
    """How many items of each group have each grade."""
    i = 0
    for g in range(len(groups)):
        for _ in range(groups[g]):
            grades[g, ranked[i] & mask] += 1
            i += 1
