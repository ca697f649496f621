"""Splits, which are drawn once with a seed, stored with a checksum and used again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Split
from benchmark.errors import InputError
from benchmark.files import write_file


def draw_split(pool: np.ndarray, n_query: int, n_database: int | None, seed: int) -> Split:
    """Draw random queries and a random database, which is also the training set.

    Parameters
    ----------
    pool : (n,) array of int64
        Numbers of the items to draw from.
    n_query : int
    n_database : int or None
        None for all items that are not queries.
    seed : int

    Returns
    -------
    Split
        Drawn without regard to labels; for a given seed it depends on the pool alone.

    Raises
    ------
    InputError
        If the pool is too small, or a size or the seed is out of range.
    """
    if seed < 0:
        raise InputError(f"the seed of a split must be at least 0, not {seed}")
    rest = len(pool) - n_query
    n_database = rest if n_database is None else n_database
    if min(n_query, n_database) < 1 or n_database > rest:
        raise InputError(
            f"cannot draw {n_query} queries and {n_database} database items from {len(pool)} "
            f"items: both must be at least 1, and their sum at most {len(pool)}"
        )
    order = np.random.default_rng(seed).permutation(np.asarray(pool, dtype=np.int64))
    query = np.sort(order[:n_query])
    database = np.sort(order[n_query : n_query + n_database])
    return Split(train=database, database=database, query=query, seed=seed)


def shrink(n_pool: int, n_query: int, n_database: int) -> tuple[int, int]:
    """Sizes for a pool that is too small for the published ones, with the same share of queries.

    Returns
    -------
    (int, int)
        Queries and database, each at least 1; the given sizes if the pool holds them.
    """
    if n_query + n_database <= n_pool:
        return n_query, n_database
    queries = min(max(1, round(n_pool * n_query / (n_query + n_database))), n_pool - 1)
    return queries, n_pool - queries


def stored_split(
    folder: Path, name: str, fingerprint: str, draw: Callable[[], Split]
) -> tuple[Split, list[str]]:
    """Read the stored split, or draw one and store it.

    Parameters
    ----------
    folder : Path
        Folder of the split files; it is created if missing.
    name : str
        Name of the data set, with its parameters.
    fingerprint : str
        Digest of the pool, the sizes and the seed.
    draw : function without arguments to Split

    Returns
    -------
    split : Split
    notes : list of str
        Empty, or the reason why the stored split could not be used.
    """
    path = Path(folder) / f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', name).strip('_')}.split.json"
    notes = []
    if path.exists():
        try:
            return _read(path, fingerprint), notes
        except ValueError as error:
            notes.append(f"the split in {path} {error}; a new one was drawn")
    split = draw()
    _write(path, split, name, fingerprint)
    return split, notes


def _read(path: Path, fingerprint: str) -> Split:
    """Read a split file; a ValueError says what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        parts = (content[part] for part in ("train", "database", "query"))
        split = Split(*(np.array(part, dtype=np.int64) for part in parts), seed=content["seed"])
        checksum, belongs_to = content["checksum"], content["fingerprint"]
    except (ValueError, KeyError, TypeError, OverflowError):
        raise ValueError("is truncated or not a split file") from None
    if split.checksum != checksum:
        raise ValueError("was altered, since its checksum does not match")
    if belongs_to != fingerprint:
        raise ValueError("belongs to other data or to another version")
    return split


def _write(path: Path, split: Split, name: str, fingerprint: str) -> None:
    content = {
        "dataset": name,
        "fingerprint": fingerprint,
        "seed": split.seed,
        "checksum": split.checksum,
        "train": split.train.tolist(),
        "database": split.database.tolist(),
        "query": split.query.tolist(),
    }
    write_file(path, json.dumps(content, separators=(",", ":")))
