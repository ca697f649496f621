"""SIGKILL at random moments: by the clock, inside the store's writing, and while workers start."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from attack.arena import Arena, Command, Count, Results, complaints

#: Kinds of moments, in turn.
KINDS = ("clock", "file event", "clock", "file event", "start of workers")
#: File events of a process among which the moment is drawn.
MOST_EVENTS = 120
#: File events beside files that are opened for writing.
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}


def attack_by_kills(arena: Arena, kills: int, rng: random.Random) -> list[Count]:
    """Kill runs on one results folder until it is complete, then on a new one.

    A run that ends before its moment is no kill; it completes the folder, which is compared.
    """
    counts = {kind: Count(f"kills by {kind}") for kind in KINDS}
    completed = Count("folders completed after kills")
    results, known = arena.new_results(), {}
    while (done := sum(count.trials for count in counts.values())) < kills:
        kind = KINDS[done % len(KINDS)]
        command, count = _started(arena, results, kind, rng), counts[kind]
        status, err = command.end()
        # Nothing that a killed run left behind may be torn.
        count.blame(*complaints(err, "altered", "incomplete", "truncated"))
        if status >= 0:
            _complete(arena, results, completed, status, err)
            results, known = arena.new_results(), {}
            continue
        count.trials += 1
        count.blame(*(f"orphan process {pid}" for pid in command.orphans()))
        stored = results.cells()
        count.blame(*(f"lost cell {name}" for name in known if stored.get(name) != known[name]))
        count.blame(*(f"torn cell {name}" for name in results.torn()))
        known = stored
    status, err = arena.command(results).end()
    _complete(arena, results, completed, status, err)
    return [*counts.values(), completed]


def _started(arena: Arena, results: Results, kind: str, rng: random.Random) -> Command:
    """A command that is killed, or will kill itself, at the moment of its kind."""
    if kind == "file event":
        prepare = _end_at(rng.randint(1, MOST_EVENTS), results.folder)
        return arena.command(results, prepare=prepare)
    if kind == "clock":
        command = arena.command(results)
        _wait(command, rng.uniform(0, arena.seconds))
    else:
        command = arena.command(results, "--rerun", rng.choice(("all", "failed")), jobs=2)
        while command.is_running() and len(command.processes()) < 2:
            time.sleep(0.01)
        _wait(command, rng.uniform(0, arena.seconds))
    command.kill()
    return command


def _wait(command: Command, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while command.is_running() and time.monotonic() < deadline:
        time.sleep(0.005)


def _end_at(events: int, folder: Path) -> Callable[[], None]:
    """Kill a process just before its n-th file event below a folder.

    An event is a file that is opened for writing, or a file or folder that is made, renamed or
    removed.
    """
    below, left = str(folder), events

    def look(event: str, arguments: tuple) -> None:
        nonlocal left
        if event not in CHANGES and event != "open":
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        path = arguments[0]
        if isinstance(path, (str, bytes)) and os.fsdecode(path).startswith(below):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(look)


def _complete(arena: Arena, results: Results, count: Count, status: int, err: str) -> None:
    count.trials += 1
    if status:
        count.blame(f"exit status {status}: {err.strip().splitlines()[-1:]}")
    count.blame(*arena.differences(results))
    count.blame(*(f"left behind: {path}" for path in results.leftovers()))
