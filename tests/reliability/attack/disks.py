"""Runs on disks that are too small, from a few blocks up to one on which everything fits."""

from __future__ import annotations

import subprocess
from pathlib import Path

from attack.arena import Arena, Count, Results, complaints

#: Kilobytes of the smallest disk, and how much larger each is than the one before.
SMALLEST, GROWTH = 64, 1.35


def attack_by_full_disks(arena: Arena, disks: int) -> list[Count]:
    """Run on a full disk, then enlarge it and run again.

    The first run may fail, with one line that says so; the second has to give all numbers.
    """
    count = Count("full disks")
    place = arena.folder / "disk"
    place.mkdir()
    for number in range(disks):
        size = int(SMALLEST * GROWTH**number)
        refused = _mount(place, size)
        if refused:
            count.skipped = f"a small disk cannot be mounted here: {refused}"
            break
        try:
            count.trials += 1
            count.blame(*_run_on_full_disk(arena, place, size))
        finally:
            subprocess.run(["umount", place], check=True)
    return [count]


def _run_on_full_disk(arena: Arena, place: Path, size: int) -> list[str]:
    results, found = Results(place / "results"), []
    status, err = arena.command(results).end()
    lines = [line for line in err.splitlines() if "error:" in line]
    if status not in (0, 1, 2) or complaints(err):
        found.append(f"{size} kB: status {status}: {err.strip().splitlines()[-1:]}")
    if status == 2 and len(lines) != 1:
        found.append(f"{size} kB: {len(lines)} lines of error")
    found += [f"{size} kB: torn cell {name}" for name in results.torn()]
    found += [f"{size} kB: left behind: {path}" for path in results.leftovers()]
    _mount(place, 1 << 18, "remount,")
    status, err = arena.command(results).end()
    if status:
        found.append(f"{size} kB, enlarged: status {status}: {err.strip().splitlines()[-1:]}")
    return [*found, *(f"{size} kB, enlarged: {each}" for each in arena.differences(results))]


def _mount(place: Path, kilobytes: int, how: str = "") -> str:
    """Why a file system of a size cannot be mounted; empty where it is."""
    command = ["mount", "-t", "tmpfs", "-o", f"{how}size={kilobytes}k", "none", place]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return "there is no mount command"
    return done.stderr.strip() if done.returncode else ""
