"""What a search finds first, from stored codes: for pictures of single queries."""

from __future__ import annotations

import numpy as np

from benchmark.search import HAMMING, search_of_stored


def top_items(codes: tuple[np.ndarray, np.ndarray], query: int, n_bits: int, n: int) -> np.ndarray:
    """Positions in the database of the items that a query finds first.

    Items at the same distance, or with the same score, keep the order of the database.

    Parameters
    ----------
    codes : (queries, database)
        As :meth:`benchmark.store.Store.codes` gives them.
    query : int
    n_bits : int
    n : int

    Returns
    -------
    (n,) array of int64
        Fewer where the database is smaller.
    """
    queries, database = codes
    search = search_of_stored(queries)
    one, all_items = (search.restored(c, n_bits) for c in (queries[query : query + 1], database))
    if search is HAMMING:
        distances = (one != all_items).sum(axis=1)
    else:
        table = one[0]
        distances = -table[np.arange(len(table)), all_items].sum(axis=1)
    return np.argsort(distances, kind="stable")[:n]
