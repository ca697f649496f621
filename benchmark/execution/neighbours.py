"""The nearest items of each query by its features: the truth of ``recall@R``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmark.errors import InputError
from benchmark.preparation.bundle import open_bundle


@lru_cache(maxsize=1)
def nearest(bundle: Path, n_neighbours: int) -> np.ndarray:
    """Database positions of the nearest items by Euclidean distance of features.

    Parameters
    ----------
    bundle : Path
        For :func:`benchmark.preparation.bundle.open_bundle`.
    n_neighbours : int

    Returns
    -------
    (q, n_neighbours) array of int64
        By increasing distance; the last result stays in memory, for the next cell.

    Raises
    ------
    InputError
        If the database has fewer items.
    """
    features = open_bundle(bundle).features
    if n_neighbours > len(features.database):
        raise InputError(
            f"recall@R asks for {n_neighbours} neighbours, and the database has "
            f"{len(features.database)} items"
        )
    search = NearestNeighbors(n_neighbors=n_neighbours, algorithm="brute").fit(features.database)
    return search.kneighbors(features.query, return_distance=False)
