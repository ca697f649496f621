"""Splits, which are drawn once with a seed, stored with a checksum and used again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Split
from benchmark.digests import value_digest
from benchmark.errors import InputError
from benchmark.files import write_file


def draw_split(
    pool: np.ndarray,
    n_query: int,
    n_database: int | None,
    seed: int,
    *,
    n_train: int | None = None,
) -> Split:
    """Draw random queries, a random database, and training items from the database.

    Parameters
    ----------
    pool : (n,) array of int64
        Numbers of the items to draw from.
    n_query : int
    n_database : int or None
        None for all items that are not queries.
    seed : int
    n_train : int, optional
        Training items; by default, and where the database is smaller, all of it.

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
    train = (
        database if n_train is None else np.sort(order[n_query : n_query + n_database][:n_train])
    )
    return Split(train=train, database=database, query=query, seed=seed)


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
            return _read(path, name, fingerprint), notes
        except ValueError as error:
            notes.append(f"the split in {path} {error}; a new one was drawn")
    split = draw()
    write_file(path, _text(split, name, fingerprint))
    return split, notes


def _read(path: Path, name: str, fingerprint: str) -> Split:
    """Read a split file; a ValueError says what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        parts = (content[part] for part in ("train", "database", "query"))
        split = Split(*(np.array(part, dtype=np.int64) for part in parts), seed=content["seed"])
        checksum, belongs_to = content["checksum"], content["fingerprint"]
    except (ValueError, KeyError, TypeError, OverflowError):
        raise ValueError("is truncated or not a split file") from None
    if split.checksum != checksum:
        raise ValueError("was altered, since its checksum does not match")
    if belongs_to != fingerprint:
        raise ValueError("belongs to other data or to another version")
    if text != _text(split, name, fingerprint):
        raise ValueError("was altered, since it is not as it was written")
    return split


def _text(split: Split, name: str, fingerprint: str) -> str:
    content = {
        "dataset": name,
        "fingerprint": fingerprint,
        "seed": split.seed,
        "checksum": split.checksum,
        "train": split.train.tolist(),
        "database": split.database.tolist(),
        "query": split.query.tolist(),
    }
    return json.dumps(content, separators=(",", ":"))


@dataclass(frozen=True)
class SplitRequest:
    """What to draw from a copy of a data set that came without a split.

    Attributes
    ----------
    n_query, n_train : int
        At most so many; where there are fewer items, a tenth of them are queries.
    seed : int
    labels : int, optional
        Number of labels, where a copy has several lists of labels.
    """

    n_query: int = 2000
    n_train: int = 10_000
    seed: int = 0
    labels: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("n_query", 1), ("n_train", 1), ("seed", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                option = {"seed": "split_seed"}.get(name, name)
                raise InputError(f"{option} must be a whole number of at least {least}")


def drawn_or_stored(
    pool: np.ndarray, request: SplitRequest, cache: Path, name: str, content: str
) -> tuple[Split, list[str]]:
    """The split that was drawn for a copy without one, or a new one; what remains is the database.

    Parameters
    ----------
    pool : (n,) array of int64
        Items that may be drawn.
    request : SplitRequest
    cache : Path
        Folder of the split files.
    name : str
        Name of the data set.
    content : str
        Digest of the items.

    Returns
    -------
    split : Split
    notes : list of str
    """
    if len(pool) < 2:
        raise InputError(f"data set {name}: a split needs at least two items, not {len(pool)}")
    n_query = request.n_query
    if len(pool) < 2 * n_query:
        n_query = max(1, len(pool) // 10)
    digest = value_digest([content, n_query, request.n_train, request.seed], 64)
    split, notes = stored_split(
        cache,
        name,
        digest,
        lambda: draw_split(pool, n_query, None, request.seed, n_train=request.n_train),
    )
    sizes = f"{len(split.query):,} queries, {len(split.train):,} training items"
    return split, [*notes, f"the split was drawn with seed {request.seed}: {sizes}"]
