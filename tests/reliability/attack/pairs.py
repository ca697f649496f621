"""Two runs at once on one results folder."""

from __future__ import annotations

import random
import time

from attack.arena import Arena, Count, complaints

#: What the second run does beside the first, in turn; and whether the cache is damaged before.
SECOND = ((), ("--rerun", "all"), ("--save-codes",), ("--rerun", "all", "--save-codes"))


def attack_by_pairs(arena: Arena, pairs: int, rng: random.Random) -> list[Count]:
    """Start two runs within a moment; both have to end well, with one set of right numbers."""
    count = Count("pairs of runs at once")
    results = arena.new_results()
    for number in range(pairs):
        if number % 4 == 0:
            results = arena.new_results()
        else:
            for path in results.folder.glob("cache/bundles/*/query_labels.npy"):
                # Both runs find the bundle damaged and want to write it.
                path.write_bytes(b"damaged")
        first = arena.command(results, "--rerun", "all")
        time.sleep(rng.uniform(0, 0.5))
        second = arena.command(results, *SECOND[number % len(SECOND)])
        count.trials += 1
        for status, err in (first.end(), second.end()):
            if status:
                count.blame(f"exit status {status}: {err.strip().splitlines()[-1:]}")
            count.blame(*complaints(err))
        count.blame(*arena.differences(results))
        count.blame(*(f"torn cell {name}" for name in results.torn()))
        count.blame(*(f"left behind: {path}" for path in results.leftovers()))
    return [count]
