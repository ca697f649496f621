"""Files and folders that appear whole or not at all, seals, and what killed runs leave."""

import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from benchmark.files import check_writable, remove_leftovers, write_file, written_folder
from features.writing import sealed, temporary_name, unsealed


def test_every_flipped_byte_of_a_sealed_file_is_noticed(tmp_path):
    path, told = tmp_path / "some.npy", []
    with sealed(path) as temporary:
        np.save(temporary, np.arange(3))
    assert np.load(unsealed(path, told.append)).tolist() == [0, 1, 2]
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :])
        assert unsealed(path, told.append) is None
    for damaged in (b"", whole[:-1], whole[:10], whole + b"x"):
        path.write_bytes(damaged)
        assert unsealed(path, told.append) is None
    assert len(told) == len(whole) + 4 and all(str(path) in message for message in told)


def test_a_sealed_file_that_is_absent_is_no_message(tmp_path):
    told = []
    assert unsealed(tmp_path / "some.npy", told.append) is None and told == []


def test_a_folder_is_there_at_every_moment_while_it_is_replaced(tmp_path):
    target, missing, stop = tmp_path / "cell", [], threading.Event()
    write(target, "0")

    def look():
        while not stop.is_set():
            try:
                (target / "file").read_text()
            except FileNotFoundError:
                missing.append(True)

    reader = threading.Thread(target=look)
    reader.start()
    for i in range(300):
        write(target, str(i))
    stop.set()
    reader.join()
    # A path is looked up in several steps; between two of them a folder may be exchanged.
    assert (target / "file").read_text() == "299" and len(missing) <= 2
    assert os.listdir(tmp_path) == ["cell"]


def write(target, text):
    with written_folder(target) as folder:
        (folder / "file").write_text(text)


def test_without_an_exchange_the_new_folder_follows_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    write(tmp_path / "cell", "old")
    write(tmp_path / "cell", "new")
    assert (tmp_path / "cell" / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["cell"]


def test_leftovers_of_dead_processes_are_removed_and_nothing_else(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    here = temporary_name(tmp_path / "ds" / "8b-s0-key")
    there = here.with_name(here.name.replace(str(os.getpid()), str(dead.pid)))
    file = temporary_name(tmp_path / "ds" / "summary.csv")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.png").touch()
    for folder in (here, there):
        folder.mkdir(parents=True)
        (folder / "run.json").touch()
    (tmp_path / "ds" / file.name.replace(str(os.getpid()), str(dead.pid))).touch()
    for name in (".hidden", f".cell.{dead.pid}", "kept.part"):
        (tmp_path / "ds" / name).touch()
    linked = there.with_name(there.name.replace("key", "link"))
    linked.symlink_to(photos)
    assert remove_leftovers(tmp_path) == 3
    kept = {".hidden", f".cell.{dead.pid}", "kept.part", here.name}
    assert set(os.listdir(tmp_path / "ds")) == kept
    assert (photos / "cat.png").exists()
    shutil.rmtree(here)


def test_a_probe_that_a_killed_run_left_is_removed(tmp_path):
    probe = temporary_name(tmp_path / "writable")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    probe.with_name(probe.name.replace(str(os.getpid()), str(dead.pid))).touch()
    check_writable(tmp_path, "--results")
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_file(tmp_path / "file", "text")
    assert os.listdir(tmp_path) == ["file"]
