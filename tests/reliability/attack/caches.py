"""Cached and stored files of every kind with one flipped byte."""

from __future__ import annotations

import random
import re
from pathlib import Path

from attack.arena import DATASET, Arena, Count, Results, complaints
from benchmark.datasets.opening import open_dataset

#: What a run says of a file that is not as it was written.
NOTICED = ("altered", "truncated", "incomplete", "split file")


def attack_by_flips(arena: Arena, flips: int, rng: random.Random) -> list[Count]:
    """Flip a byte of each kind of file at so many places, and run again.

    Every flip has to be said, and the numbers have to stay.
    """
    results = arena.new_results()
    options = ("--save-codes", "--word-vectors", _word_vectors(arena.folder))
    status, err = arena.command(results, *options).end()
    if status:
        raise RuntimeError(f"the run before the flips ended with status {status}: {err}")
    counts = []
    for kind, path in _kinds(results).items():
        count = Count(f"flipped bytes: {kind}")
        counts.append(count)
        for _ in range(flips):
            count.trials += 1
            count.blame(*_flip(arena, results, path, options, rng))
    return counts


def _word_vectors(folder: Path) -> Path:
    """A file of word vectors of the data set's tags, whose cache is attacked too."""
    dataset = open_dataset(DATASET, Path("data"), folder / "splits")
    words = sorted({word for tags in dataset.tags for word in tags})
    path = folder / "vectors.txt"
    path.write_text("".join(f"{word} {i} {i * i} 1\n" for i, word in enumerate(words)))
    return path


def _flip(
    arena: Arena, results: Results, path: Path, options: tuple, rng: random.Random
) -> list[str]:
    whole = bytearray(path.read_bytes())
    at = rng.randrange(len(whole))
    whole[at] ^= 1 << rng.randrange(8)
    path.write_bytes(whole)
    stored = "cells" in path.relative_to(results.folder).parts
    # Whatever is cached is read again; a stored cell is looked at as it is.
    again = () if stored else ("--rerun", "all")
    status, err = arena.command(results, *options, *again).end()
    found = complaints(err)
    if status:
        found.append(f"{path.name}, byte {at}: exit status {status}")
    if not any(word in err for word in NOTICED):
        found.append(f"{path.name}, byte {at}: not noticed")
    return [*found, *(f"{path.name}, byte {at}: {each}" for each in arena.differences(results))]


def _kinds(results: Results) -> dict[str, Path]:
    """One file of every kind below the cache and the cells, by its kind."""
    found: dict[str, Path] = {}
    for home in ("cache", "cells"):
        for path in sorted((results.folder / home).rglob("*")):
            if path.is_file() and path.suffix != ".lock" and path.stat().st_size:
                place = path.relative_to(results.folder).parts
                name = path.name if home == "cells" or place[1] == "bundles" else ""
                kind = f"{home}/{place[1]}" if home == "cache" else home
                stem = re.sub(r"-?[0-9a-f]{12,}", "", name) or f"*{path.suffix}"
                found.setdefault(f"{kind}/{stem}", path)
    return found
