"""Splits: drawn once with a seed, kept beside the cache with a checksum, and used again."""

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
    """Random queries, and a random database that is trained on as well.

    Parameters
    ----------
    pool : (n,) array of int64
        Numbers of the items to draw from.
    n_query : int
    n_database : int or None
        None: everything that is no query.
    seed : int

    Returns
    -------
    Split
        Without regard to labels; for one seed it depends on the pool's order and length alone.

    Raises
    ------
    InputError
        If the pool is too small, or a size or the seed is out of range.
    """
    if seed < 0:
        raise InputError(f"the seed of a split must not be negative, but is {seed}")
    rest = len(pool) - n_query
    n_database = rest if n_database is None else n_database
    if min(n_query, n_database) < 1 or n_database > rest:
        raise InputError(
            f"cannot draw {n_query} queries and {n_database} database items from {len(pool)} "
            f"items: both must be at least 1, and together no more than there are"
        )
    order = np.random.default_rng(seed).permutation(np.asarray(pool, dtype=np.int64))
    query = np.sort(order[:n_query])
    database = np.sort(order[n_query : n_query + n_database])
    return Split(train=database, database=database, query=query, seed=seed)


def shrink(n_pool: int, n_query: int, n_database: int) -> tuple[int, int]:
    """Sizes for a pool that is too small for the published ones: the same share of queries.

    Returns
    -------
    (int, int)
        Queries (at least 1) and database; the given sizes if the pool holds them.
    """
    if n_query + n_database <= n_pool:
        return n_query, n_database
    queries = max(1, round(n_pool * n_query / (n_query + n_database)))
    return queries, n_pool - queries


def stored_split(
    folder: Path, name: str, fingerprint: str, draw: Callable[[], Split]
) -> tuple[Split, list[str]]:
    """The split that is kept on disk, or a new one, which is then kept.

    Parameters
    ----------
    folder : Path
        Where split files lie; made if need be.
    name : str
        Name of the data set, with its parameters.
    fingerprint : str
        Digest of all that the draw depends on: the pool, the sizes and the seed.
    draw : function without arguments to Split

    Returns
    -------
    split : Split
    notes : list of str
        Empty, or why the kept split could not be used.
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
    """The split of a file; ValueError says what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        parts = (content[part] for part in ("train", "database", "query"))
        split = Split(*(np.array(part, dtype=np.int64) for part in parts), seed=content["seed"])
        checksum, belongs_to = content["checksum"], content["fingerprint"]
    except (ValueError, KeyError, TypeError, OverflowError):
        raise ValueError("is truncated or no split file") from None
    if split.checksum != checksum:
        raise ValueError("was altered: its checksum does not match")
    if belongs_to != fingerprint:
        raise ValueError("belongs to other data or another version of them")
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
