"""``python -m attack``, from ``tests/reliability``: attack, print one table, exit with 0 or 1."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from attack.arena import Arena, Count, Work
from attack.caches import attack_by_flips
from attack.disks import attack_by_full_disks
from attack.kills import attack_by_kills
from attack.pairs import attack_by_pairs
from attack.suites import attack_by_suites
from attack.table import added, table, write_into

#: Complaints that are printed; the others are counted.
SHOWN = 20
#: Work of the short form.
SMALL = Work(methods=("lsh", "pcah"), bits=(8, 12), seeds=(0,))


def main() -> int:
    args = _parser().parse_args()
    rng = random.Random(args.seed)
    counts: list[Count] = []
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        arena = Arena(Path(folder), SMALL if args.small else Work())
        if args.kills:
            counts += attack_by_kills(arena, args.kills, rng)
        if args.pairs:
            counts += attack_by_pairs(arena, args.pairs, rng)
        if args.disks:
            counts += attack_by_full_disks(arena, args.disks)
        if args.flips:
            counts += attack_by_flips(arena, args.flips, rng)
    if args.suites:
        counts += attack_by_suites()
    for complaint in [f"{c.name}: {wrong}" for c in counts for wrong in c.wrong][:SHOWN]:
        print(complaint, file=sys.stderr)
    if args.tally:
        counts = added(counts, args.tally)
    print(table(counts))
    if args.write:
        write_into(args.write, table(counts))
    return int(any(count.wrong for count in counts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="attack", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="runs killed at random moments")
    parser.add_argument("--pairs", type=int, default=20, help="pairs of runs on one folder")
    parser.add_argument("--disks", type=int, default=15, help="full disks of growing size")
    parser.add_argument("--flips", type=int, default=3, help="flipped bytes in each kind of file")
    parser.add_argument(
        "--suites", action=argparse.BooleanOptionalAction, default=True, help="tests besides"
    )
    parser.add_argument("--small", action="store_true", help="four cells in place of 32")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments and the bytes")
    parser.add_argument("--tally", type=Path, help="file in which pieces of an attack add up")
    parser.add_argument("--write", type=Path, help="note that gets the table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
