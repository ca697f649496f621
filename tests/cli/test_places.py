"""Where results go: what is in the way is found first, and stored results can be looked at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.errors import InputError
from benchmark.files import check_free, check_writable, why_not_writable

ROOT = Path(__file__).resolve().parents[2]


def test_a_check_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "a" / "b", "--results")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file/below", "m" * 300, "circle", "/proc/results"])
def test_where_nothing_can_be_written(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    assert why_not_writable(tmp_path / name)
    with pytest.raises(InputError, match=r"--cache .* cannot write there"):
        check_writable(tmp_path / name, "--cache")


def test_what_is_in_the_way(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("absent")
    check_free([tmp_path / "folder", tmp_path / "absent"], [tmp_path / "file", tmp_path / "absent"])
    for folders, files in [(["file"], []), (["link"], []), ([], ["folder"])]:
        with pytest.raises(InputError, match="remove or rename"):
            check_free([tmp_path / f for f in folders], [tmp_path / f for f in files])


def test_an_error_of_a_method_reaches_the_terminal_escaped(run, plugin, tmp_path):
    path = plugin(body="raise ValueError('\\x1b[31mred')")
    status, out, err = run("--plugin", path, "--methods", "lsh", "mine", "--bits", "8")
    assert status == 1
    assert "\x1b" not in out + err and "x1b[31mred" in err
    for file in (tmp_path / "results" / "blobs").rglob("*.*"):
        if file.suffix in (".md", ".csv", ".txt", ".tex", ".html"):
            assert b"\x1b" not in file.read_bytes()


@pytest.mark.slow
def test_results_on_a_disk_that_cannot_be_written_can_be_looked_at(run, data_folder, tmp_path):
    assert run("--methods", "lsh", "--bits", "8")[0] == 0
    results = tmp_path / "results"

    def read_only(*arguments):
        command = [sys.executable, ROOT / "run_benchmark.py", "--dataset", data_folder, *arguments]
        command += ["--results", results, "--bits", "8", "--jobs", "1"]
        mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        return subprocess.run(
            ["unshare", "-rm", "sh", "-c", mount, results, *map(str, command)],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )

    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a disk read-only")
    before = sorted(path for path in results.rglob("*"))
    answer = read_only("--methods", "lsh")
    assert answer.returncode == 0, answer.stderr
    assert "lsh" in answer.stdout and "not written" in answer.stderr
    answer = read_only("--methods", "pcah")
    assert answer.returncode == 2 and "cannot write" in answer.stderr
    assert sorted(path for path in results.rglob("*")) == before
