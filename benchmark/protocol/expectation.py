"""Closed forms for rankings with ties: expectations over all orders inside the tie groups.

A tie group has n items, p of them relevant, and comes after N0 items with P0 relevant ones.  Every
order of its items is equally likely.  McSherry and Najork (ECIR 2008) give the expectation of AP
for whole groups.  All functions are compiled; the scalar ones come first, and the loops over
queries that use them stand in the same file, because a compiled function that is kept on disk
does not notice a change in another file.
"""

from __future__ import annotations

import math

import numba
import numpy as np

#: Terms of a distribution lighter than this, relative to its centre, are left out of sums.
NEGLIGIBLE = 1e-18
#: A series of positive terms ends with the first term that is smaller than this part of its sum.
SMALLEST_TERM = 1e-15


def harmonic_numbers(n: int) -> np.ndarray:
    """H_0 .. H_n as float64, with H_0 = 0."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n + 1))])


@numba.njit(cache=True, error_model="numpy")
def reciprocals(start: int, count: int, H: np.ndarray) -> float:
    """Sum of 1 / (start + j) for j = 1..count."""
    if count >= 64:
        return H[start + count] - H[start]
    # A difference of two harmonic numbers would lose the digits of a short sum far down.
    total = 0.0
    for j in range(1, count + 1):
        total += 1.0 / (start + j)
    return total


@numba.njit(cache=True, error_model="numpy")
def expected_precisions(p: int, n: int, m: int, N0: int, P0: int, H: np.ndarray) -> float:
    """Expected sum of the precision at the relevant ranks among the group's first m places.

    ``sum_{j=1..m} (p/n) (P0 + 1 + (j-1)(p-1)/(n-1)) / (N0 + j)``; the slope is 0 for n = 1.
    """
    if p == 0 or m == 0:
        return 0.0
    h = reciprocals(N0, m, H)
    slope = (p - 1) / (n - 1) if n > 1 else 0.0
    return p / n * ((P0 + 1) * h + slope * (m - (N0 + 1) * h))


@numba.njit(cache=True, error_model="numpy")
def first_precisions(p: int, N0: int, P0: int, H: np.ndarray) -> float:
    """Sum of precisions if p relevant items come first: ``sum_{j=1..p} (P0 + j) / (N0 + j)``."""
    return p + (P0 - N0) * reciprocals(N0, p, H)


@numba.njit(cache=True, error_model="numpy")
def last_precisions(p: int, n: int, N0: int, P0: int, H: np.ndarray) -> float:
    """Sum of precisions if the p relevant items come last among n places."""
    return first_precisions(p, N0 + n - p, P0, H)


@numba.njit(cache=True, error_model="numpy")
def expected_ratio(p: int, n: int, m: int, N0: int, P0: int, S: float, H: np.ndarray) -> float:
    """Expected AP when its normaliser is the number of relevant items retrieved.

    The cut-off lets m of the group's n items in.  The number x of relevant ones among them is
    hypergeometric, and ``E[AP] = sum_x P(x) (S + g(x, m, m, N0, P0)) / (P0 + x)`` with g of
    :func:`expected_precisions` and S the sum of precisions before the group.
    """
    low, high = max(0, m - (n - p)), min(p, m)
    mode = min(max(low, (m + 1) * (p + 1) // (n + 2)), high)
    total = weights = 0.0
    x, weight = mode, 1.0
    while weight > NEGLIGIBLE:
        weights += weight
        total += weight * _ratio(x, m, N0, P0, S, H)
        if x == high:
            break
        weight *= (p - x) * (m - x) / ((x + 1.0) * (n - p - m + x + 1))
        x += 1
    x, weight = mode, 1.0
    while x > low and weight > NEGLIGIBLE:
        weight *= x * (n - p - m + x) / ((p - x + 1.0) * (m - x + 1))
        x -= 1
        weights += weight
        total += weight * _ratio(x, m, N0, P0, S, H)
    return total / weights


@numba.njit(cache=True, error_model="numpy")
def _ratio(x: int, m: int, N0: int, P0: int, S: float, H: np.ndarray) -> float:
    """AP if x of the m places that the cut-off lets in hold relevant items, in any order."""
    if P0 + x == 0:
        return 0.0
    return (S + expected_precisions(x, m, m, N0, P0, H)) / (P0 + x)


@numba.njit(cache=True, error_model="numpy")
def ratio_bounds(
    p: int, n: int, m: int, N0: int, P0: int, low_S: float, high_S: float, H: np.ndarray
) -> tuple[float, float]:
    """Smallest and largest AP over all orders, normalised by the relevant items retrieved.

    With this normaliser a retrieved relevant item can lower the AP, so that the number x of
    relevant items among the m places matters.  With these first, one more adds a precision that
    grows with x: the average falls, then rises, and is largest at an end.  With these last, every
    x is looked at.
    """
    fewest, most = max(0, m - (n - p)), min(p, m)
    lowest = highest = 0.0
    for x in (fewest, most):
        if P0 + x > 0:
            highest = max(highest, (high_S + first_precisions(x, N0, P0, H)) / (P0 + x))
    if P0 + fewest > 0:
        lowest = highest
        for x in range(fewest, most + 1):
            before = N0 + m - x
            last = x + (P0 - before) * (H[N0 + m] - H[before])
            lowest = min(lowest, (low_S + last) / (P0 + x))
    return lowest, highest


@numba.njit(cache=True, error_model="numpy")
def expected_reciprocal_ranks(r: np.ndarray, p: int, n: int, N0: int, out: np.ndarray) -> None:
    """Expectation of 1 / (rank of the group's r-th relevant item), for ascending r, into out.

    Counted from the group's end, that item has the place T', the (s = p - r + 1)-th relevant
    one, with the rising moments ``E[T' (T'+1) .. (T'+k-1)] = prod_{i<k} (s+i)(n+1+i)/(p+1+i)`` of
    the negative hypergeometric distribution.  Its rank is x - T' with x = N0 + n + 1, and
    ``1 / (x - T') = sum_k T' .. (T'+k-1) / (x .. (x+k))`` gives a series of positive terms.
    Its terms fall like ``k ** -(N0 + r + 2)`` in the end; near the top of the ranking, where that
    is slow, the distribution is summed place by place instead.
    """
    x = N0 + n + 1.0
    first = 0
    while first < len(r) and _is_slow(r[first], p, n, N0):
        if first > 0 and r[first] == r[first - 1]:
            out[first] = out[first - 1]
        else:
            out[first] = _reciprocal_by_place(r[first], p, n, N0)
        first += 1
    if first == len(r):
        return
    total = out[first:]
    total[:] = 1 / x
    s = p - r[first:] + 1.0
    term = total.copy()
    k = 0
    # The smallest r has the largest terms.
    while term[0] > SMALLEST_TERM * total[0]:
        ratio = (n + 1.0 + k) / ((p + 1.0 + k) * (x + 1 + k))
        for i in range(len(term)):
            term[i] *= (s[i] + k) * ratio
            total[i] += term[i]
        k += 1


@numba.njit(cache=True, error_model="numpy")
def _is_slow(r: int, p: int, n: int, N0: int) -> bool:
    """Whether a sum over about 16 deviations of places takes fewer steps than the series."""
    if N0 + r < 64:
        return True
    s, x = p - r + 1, N0 + n + 1.0
    deviation = math.sqrt(r * (n + 1.0) * s * (n - p) / (p + 2)) / (p + 1)
    return 16 * deviation * (x - s * (n + 1.0) / (p + 1)) < 4 * x


@numba.njit(cache=True, error_model="numpy")
def _reciprocal_by_place(r: int, p: int, n: int, N0: int) -> float:
    """The same expectation as a sum over places t: P(T = t) / (N0 + t), outwards from the mean."""
    last = n - p + r
    start = min(max(r, int(r * (n + 1.0) / (p + 1))), last)
    total = weights = 0.0
    t, weight = start, 1.0
    while weight > NEGLIGIBLE:
        weights += weight
        total += weight / (N0 + t)
        if t == last:
            break
        weight *= t * (last - t) / ((t - r + 1.0) * (n - t))
        t += 1
    t, weight = start, 1.0
    while t > r and weight > NEGLIGIBLE:
        weight *= (t - r) * (n - t + 1.0) / ((t - 1.0) * (last - t + 1))
        t -= 1
        weights += weight
        total += weight / (N0 + t)
    return total / weights


@numba.njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def average_precisions(items, relevant, k, normalizer, skip, H, out):  # noqa: ANN001, ANN201
    """Expected, smallest and largest AP@k of every query, into out (3, q).

    ``normalizer`` is 0 for the relevant items retrieved, 1 for the smaller of k and all relevant
    items, 2 for all relevant items.
    """
    for q in numba.prange(len(items)):
        N0 = P0 = 0
        S = low = high = 0.0
        g = 0
        while g < items.shape[1] and N0 + items[q, g] <= k:
            n, p = np.int64(items[q, g]), np.int64(relevant[q, g])
            if p > 0 and n == 1:
                alone = (P0 + 1) / (N0 + 1)
                S, low, high = S + alone, low + alone, high + alone
            elif p > 0:
                S += expected_precisions(p, n, n, N0, P0, H)
                low += last_precisions(p, n, N0, P0, H)
                high += first_precisions(p, N0, P0, H)
            N0 += n
            P0 += p
            g += 1
        n = p = m = 0
        if g < items.shape[1]:
            n, p, m = np.int64(items[q, g]), np.int64(relevant[q, g]), k - N0
        total = relevant[q].sum()
        out[:, q] = 0.0
        if P0 + min(p, m) == 0:
            if skip:
                out[:, q] = np.nan
        elif normalizer == 0 and p > 0 and m > 0:
            out[0, q] = expected_ratio(p, n, m, N0, P0, S, H)
            out[1, q], out[2, q] = ratio_bounds(p, n, m, N0, P0, low, high, H)
        else:
            Z = P0 if normalizer == 0 else (min(k, total) if normalizer == 1 else total)
            fewest = max(0, m - (n - p))
            out[0, q] = (S + expected_precisions(p, n, m, N0, P0, H)) / Z
            out[1, q] = (low + last_precisions(fewest, m, N0, P0, H)) / Z
            out[2, q] = (high + first_precisions(min(p, m), N0, P0, H)) / Z


@numba.njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def weighted_precisions(items, grades, k, H, out):  # noqa: ANN001, ANN201
    """Sum over the relevant among the first k ranks of the mean gain up to each, into out (3, q).

    Expected, smallest and largest.  Of n tied items, after N0 of gain G0, p are relevant, of gain
    G.  Place j adds ``(p G0 + G + (j - 1) (p - 1) G / (n - 1)) / (n (N0 + j))`` on average.
    """
    n_gains = grades.shape[2]
    rising, falling = np.arange(n_gains), np.arange(n_gains - 1, -1, -1)
    for q in numba.prange(len(items)):
        N0 = G0 = g = 0
        value = low = high = 0.0
        while g < items.shape[1] and k > N0:
            n = np.int64(items[q, g])
            m = min(n, k - N0)
            p = G = 0
            for gain in range(1, n_gains):
                p += grades[q, g, gain]
                G += gain * grades[q, g, gain]
            if p > 0:
                h = reciprocals(N0, m, H)
                slope = (p - 1) * G / (n - 1) if n > 1 else 0.0
                value += ((p * G0 + G) * h + slope * (m - (N0 + 1) * h)) / n
                high += _gains_in_order(grades[q, g], falling, m, N0, G0, H)
                low += _gains_in_order(grades[q, g], rising, m, N0, G0, H)
            N0 += n
            G0 += G
            g += 1
        out[0, q], out[1, q], out[2, q] = value, low, high


@numba.njit(cache=True, error_model="numpy")
def _gains_in_order(counts, gains, m, N, G, H):  # noqa: ANN001, ANN202
    """Sum of mean gains over the first m places of a group whose gains come in that order.

    A run of items with the gain a > 0 adds ``sum_{j=1..count} (G + j a) / (N + j)``.
    """
    total = 0.0
    for gain in gains:
        count = min(np.int64(counts[gain]), m)
        if gain > 0:
            total += gain * count + (G - gain * N) * reciprocals(N, count, H)
        N, G, m = N + count, G + gain * count, m - count
    return total


@numba.njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def precisions_at(items, relevant, k, out):  # noqa: ANN001, ANN201
    """Expected, smallest and largest share of relevant items among the first k, into out (3, q)."""
    for q in numba.prange(len(items)):
        N0 = g = 0
        share = low = high = 0.0
        while g < items.shape[1] and k > N0:
            n, p = np.int64(items[q, g]), np.int64(relevant[q, g])
            m = min(n, k - N0)
            if p > 0:
                share += m * (p / n)
                low += max(0, m - (n - p))
                high += min(m, p)
            N0 += m
            g += 1
        out[0, q], out[1, q], out[2, q] = share / N0, low / N0, high / N0


@numba.njit(cache=True, error_model="numpy", parallel=True, nogil=True)
def precisions_at_recall(items, relevant, out):  # noqa: ANN001, ANN201
    """Expected precision where each of equally spaced recall levels is reached, into out (q, L)."""
    n_levels = out.shape[1]
    for q in numba.prange(len(items)):
        total = relevant[q].sum()
        if total == 0:
            out[q] = np.nan
            continue
        N0 = P0 = level = 0
        for g in range(items.shape[1]):
            n, p = np.int64(items[q, g]), np.int64(relevant[q, g])
            stop = min(n_levels, (P0 + p) * n_levels // total)
            if stop > level:
                # Level j asks for ceil(j R / L) relevant items.
                wanted = ((np.arange(level, stop) + 1) * total + n_levels - 1) // n_levels
                expected_reciprocal_ranks(wanted - P0, p, n, N0, out[q, level:stop])
                out[q, level:stop] *= wanted
                level = stop
            N0 += n
            P0 += p
