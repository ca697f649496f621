"""Attacks that are suites of tests of their own, counted beside the others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from attack.arena import Count

TESTS = Path(__file__).resolve().parents[2]

#: What each suite tries, and where it is, below ``tests/``.
SUITES = {
    "bad inputs": "reliability/test_bad_inputs.py",
    "determinism over jobs and threads, all methods": "reliability/test_determinism.py",
    "degenerate data, all methods": "reliability/test_degenerate.py",
    "hostile names in a browser": "reporting/test_page_browser.py",
}


def attack_by_suites() -> list[Count]:
    """Run every suite that is there; a failed test is a failed trial."""
    return [_counted(name, TESTS / path) for name, path in SUITES.items()]


def _counted(name: str, path: Path) -> Count:
    count = Count(name)
    if not path.exists():
        count.skipped = f"there is no {path.relative_to(TESTS.parent)}"
        return count
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "", f"--junit-xml={report}", str(path)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=TESTS.parent, env=environment, stdout=subprocess.DEVNULL)
        cases = list(ElementTree.parse(report).iter("testcase"))
    left_out = [case for case in cases if case.find("skipped") is not None]
    failed = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    count.trials = len(cases) - len(left_out)
    count.blame(*(f"failed: {case.get('name')}" for case in failed))
    if left_out and not count.trials:
        count.skipped = left_out[0].find("skipped").get("message", "")
    return count
