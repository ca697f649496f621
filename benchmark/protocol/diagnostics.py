"""What codes look like, whatever they retrieve: balance and correlation of bits, entropy of codes.

Codes that are all alike, or bits that say the same, are waste that no retrieval metric names.
"""

from __future__ import annotations

import numpy as np

#: Rows held as floats at once.
BLOCK = 65536


def diagnose(codes: np.ndarray, stored: np.ndarray) -> dict[str, float]:
    """The diagnostics of the codes of a database.

    Parameters
    ----------
    codes : (n, b) array of bool, or (n, M) array of unsigned integers
        Bits, or the code words of a quantiser.
    stored : (n, bytes) array
        The same as they are kept on disk.

    Returns
    -------
    dict of str to float
        ``code_entropy``, ``distinct_codes`` and ``bytes_per_item``; of bits also ``bit_balance``
        and, where two of them vary, ``bit_correlation``.
    """
    found = {}
    if codes.dtype == bool:
        ones, both = _count_ones(codes)
        found["bit_balance"] = bit_balance(ones, len(codes))
        correlation = bit_correlation(ones, both, len(codes))
        if correlation is not None:
            found["bit_correlation"] = correlation
    counts = code_counts(stored)
    found["code_entropy"] = code_entropy(counts)
    found["distinct_codes"] = float(len(counts))
    found["bytes_per_item"] = float(stored.itemsize * stored.shape[1])
    return found


def bit_balance(ones: np.ndarray, n: int) -> float:
    """Mean over bits of |share of ones - 1/2|: 0 where all are balanced, 1/2 where all are fixed.

    Parameters
    ----------
    ones : (b,) array
        Items with each bit set.
    n : int
        Items.
    """
    return float(np.abs(ones / n - 0.5).mean())


def bit_correlation(ones: np.ndarray, both: np.ndarray, n: int) -> float | None:
    """Mean absolute correlation over the pairs of bits that vary; None where there is no pair.

    Parameters
    ----------
    ones : (b,) array
        Items with each bit set.
    both : (b, b) array
        Items with both bits set.
    n : int
        Items.
    """
    varies = (ones > 0) & (ones < n)
    share = ones[varies] / n
    if len(share) < 2:
        return None
    covariance = both[np.ix_(varies, varies)] / n - np.outer(share, share)
    deviation = np.sqrt(share * (1 - share))
    correlation = np.abs(covariance / np.outer(deviation, deviation))
    return float(min(correlation[np.triu_indices(len(share), 1)].mean(), 1.0))


def code_counts(stored: np.ndarray) -> np.ndarray:
    """How many items have each code that occurs."""
    rows = np.ascontiguousarray(stored)
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.unique(whole, return_counts=True)[1]


def code_entropy(counts: np.ndarray) -> float:
    """Entropy of the codes of a database in bits, at most log2 of its size."""
    share = counts / counts.sum()
    # The sum of negative terms may be a negative zero.
    return float(abs(-(share * np.log2(share)).sum()))


def _count_ones(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Items with each bit set, and with each two bits set."""
    both = np.zeros((bits.shape[1],) * 2)
    for start in range(0, len(bits), BLOCK):
        # Sums of so few zeros and ones are exact in single precision.
        block = bits[start : start + BLOCK].astype(np.float32)
        both += block.T @ block
    return np.diag(both).copy(), both
