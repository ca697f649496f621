"""The counts of an attack: one table, added up over its pieces, for the terminal and the note."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from attack.arena import Count

#: The table stands between these lines of the note.
BEGIN, END = "<!-- attack: begin -->", "<!-- attack: end -->"


def added(counts: Sequence[Count], tally: Path) -> list[Count]:
    """The counts of this piece and of the earlier ones, which the tally keeps."""
    known: dict[str, Count] = {}
    if tally.exists():
        known = {each["name"]: Count(**each) for each in json.loads(tally.read_text())}
    for count in counts:
        before = known.setdefault(count.name, Count(count.name))
        before.trials += count.trials
        before.wrong += count.wrong
        before.skipped = "" if before.trials else count.skipped
    tally.write_text(json.dumps([vars(count) for count in known.values()], indent=1))
    return list(known.values())


def table(counts: Sequence[Count]) -> str:
    """In Markdown."""
    lines = ["| attack | trials | complaints |", "|---|---:|---:|"]
    for count in counts:
        trials = str(count.trials) if count.trials else f"skipped: {count.skipped or 'none'}"
        lines.append(f"| {count.name} | {trials} | {len(count.wrong)} |")
    return "\n".join(lines)


def write_into(note: Path, text: str) -> None:
    """Put the table into a note, in place of the last one."""
    head, _, rest = note.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    note.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
