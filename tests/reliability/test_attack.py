"""The short form of the standing attack, and that it would notice."""

import subprocess
import sys
from pathlib import Path

from attack.arena import Count
from attack.table import added, table, write_into

HERE = Path(__file__).parent
SHORT = ("--kills", "5", "--pairs", "1", "--disks", "3", "--flips", "1", "--small", "--no-suites")


def test_the_short_attack_finds_nothing():
    # In a process of its own, since commands are forks of it, and no thread may run there.
    command = [sys.executable, "-m", "attack", *SHORT]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills by start of workers | 1 | 0" in done.stdout


def test_pieces_of_an_attack_add_up(tmp_path):
    tally = tmp_path / "tally.json"
    added([Count("kills", 3, ["lost"]), Count("disks", skipped="no mount")], tally)
    counts = added([Count("kills", 2)], tally)
    assert table(counts).splitlines()[2:] == [
        "| kills | 5 | 1 |",
        "| disks | skipped: no mount | 0 |",
    ]


def test_a_table_takes_the_place_of_the_last_one(tmp_path):
    note = tmp_path / "note.md"
    note.write_text("before\n<!-- attack: begin -->\nold\n<!-- attack: end -->\nafter\n")
    write_into(note, "new")
    assert "old" not in note.read_text()
    write_into(note, "newer")
    assert note.read_text().count("begin") == 1 and "after" in note.read_text()
