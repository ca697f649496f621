"""kill -9 in the middle of a run: the next run loses no finished cell."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_run_goes_on(run, data_folder, plugin, tmp_path, jobs):
    slow = plugin("slow", "import time; time.sleep(600)")
    results = tmp_path / "results"
    arguments = ["--plugin", slow, "--methods", "lsh", "slow", "--bits", "8", "12", "16"]
    command = [sys.executable, ROOT / "run_benchmark.py", *arguments]
    command += ["--dataset", data_folder, "--results", results, "--jobs", str(jobs)]
    # A session of its own, so that the workers are killed with it.
    process = subprocess.Popen(list(map(str, command)), start_new_session=True)
    try:
        # The dearest cells run first; the slow ones call themselves cheap and come last.
        wait_for_cells(results, 1, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finished = {p: p.stat().st_mtime_ns for p in results.glob("cells/*/*/*/run.json")}
    assert finished

    Path(slow).write_text(Path(slow).read_text().replace("time.sleep(600)", "pass"))
    status, _, err = run(*arguments)
    assert status == 0, err
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    summary = pd.read_csv(results / "blobs" / "blobs" / "summary.csv")
    assert set(summary.status) == {"done"}
    assert len(summary[["method", "bits"]].drop_duplicates()) == 6
    # The half-written folders of the killed run are not taken for cells.
    assert all(not p.parent.name.startswith(".") for p in results.glob("cells/*/*/*/run.json"))


def test_workers_end_with_their_parent(data_folder, plugin, tmp_path):
    marker = tmp_path / "pids"
    body = (
        f"import time; open({str(marker)!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(60)"
    )
    command = [sys.executable, ROOT / "run_benchmark.py", "--plugin", plugin("slow", body)]
    command += ["--methods", "slow", "--bits", "8", "12", "--jobs", "2"]
    command += ["--dataset", data_folder, "--results", tmp_path / "results"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not marker.exists() or len(marker.read_text().split()) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.wait()
    workers = [Path(f"/proc/{pid}") for pid in marker.read_text().split()]
    if not Path("/proc/self").exists():
        pytest.skip("needs /proc to see whether a process is there")
    deadline = time.monotonic() + 20
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived the command"
        time.sleep(0.2)


def is_running(process):
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False


def wait_for_cells(results, count, process):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if len(list(results.glob("cells/*/*/[!.]*/run.json"))) >= count:
            return
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.1)
    pytest.fail("no cell was finished in time")
