"""What a study is made of where nothing is said, and the words that its options take."""

from __future__ import annotations

import os
from pathlib import Path

#: Environment variables that stand in for ``--data-root`` and ``--cache``.
DATA_ROOT_VARIABLE, CACHE_VARIABLE = "HASHBENCH_DATA_ROOT", "HASHBENCH_CACHE"

DATASET = "demo"
BITS = (12, 24, 32, 48)
SEEDS = (0,)
PROTOCOL = "wdht"
#: Largest code length in bits.
MAX_BITS = 65_536
#: Largest seed.
MAX_SEED = 2**32 - 1

#: Options that are one of a few words.
CHOICES = {
    "backend": ("loky", "dask"),
    "device": ("cpu", "cuda"),
    "on_bad_image": ("skip", "error"),
    "on_missing_image": ("skip", "error"),
    "rerun": ("failed", "all"),
    "tune": ("labels", "tags"),
}


def data_root() -> Path:
    """Where the files of named data sets lie."""
    return Path(os.environ.get(DATA_ROOT_VARIABLE) or "data")


def cache() -> Path | None:
    """Where features, splits and shared results go; None for ``cache/`` in the results folder."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else None
