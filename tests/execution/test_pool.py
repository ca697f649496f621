"""Worker processes: replaced when they have grown, and each with the cells of nobody else."""

import os
import subprocess
import sys
import warnings

import pandas as pd
import pytest

from benchmark.execution import pool


@pytest.mark.slow
def test_a_worker_that_has_grown_is_replaced(run, plugin, tmp_path, monkeypatch):
    # Every worker has grown by more than that after its first cell.
    monkeypatch.setattr(pool, "LARGEST_GROWTH", -1.0)
    seen = tmp_path / "pids"
    path = plugin(body=f"open({str(seen)!r}, 'a').write(str(os.getpid()) + chr(10))")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        status, _, err = run("--plugin", path, "--methods", "mine", "--bits", 8, 9, 10, jobs=2)
    assert status == 0, err
    assert len(set(seen.read_text().split())) == 3


def test_a_worker_that_leaves_is_a_failed_cell(run, plugin, tmp_path):
    path = plugin(body="os.kill(os.getpid(), 15) if self.n_bits == 8 else None")
    status, _, err = run("--plugin", path, "--methods", "mine", "--bits", 8, 9, jobs=2)
    summary = pd.read_csv(tmp_path / "results/blobs/blobs/summary.csv")
    states = summary.groupby("bits").status.first().to_dict()
    assert status == 1 and "signal SIGTERM" in err
    assert states == {8: "failed", 9: "done"}


def test_a_worker_knows_its_command_before_it_loads_anything_large():
    code = "import sys, benchmark.execution.lifeline; print({'numpy', 'torch'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_a_worker_whose_command_is_gone_ends_at_once():
    # It is started by a process that is not its command, as if that had been killed before.
    code = f"from benchmark.execution.lifeline import end_with; end_with({os.getpid()}); print(1)"
    start = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', sys.argv[1]]))"
    done = subprocess.run([sys.executable, "-c", start, code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
