"""Arguments: every complaint is one line with exit status 2, before any work."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


def assert_refused(answer, *words):
    status, out, err = answer
    assert status == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--methods", "itk"], ["unknown method 'itk'", "itq"]),
        (["--methods", "zzz*"], ["no method matches"]),
        (["--methods", "itq[n_itr=5]"], ["no parameter 'n_itr'", "n_iter"]),
        (["--methods", "itq[n_iter=many]"], ["whole number"]),
        (["--methods", "itq[n_bits=5]"], ["no parameter"]),
        (["--methods", "itq[n_iter=5"], ["name[param=value"]),
        (["--methods", "itq[n_iter=5]]"], ["name[param=value"]),
        (["--methods", "itq[n_iter=none]"], ["whole number"]),
        (["--methods", "itq[n_iter=[1]]"], ["itq"]),
        (["--bits", "99999999"], ["--bits"]),
        (["--seeds", "4294967296"], ["--seeds"]),
        (["--set", "itq.n_iter"], ["METHOD.PARAM=VALUE"]),
        (["--set", "lsh.center=true", "--methods", "itq"], ["not among"]),
        (["--bits", "0"], ["--bits", "'0'"]),
        (["--bits", "-3"], ["--bits", "'-3'"]),
        (["--bits", "twelve"], ["--bits", "'twelve'"]),
        (["--seeds", "-1"], ["--seeds"]),
        (["--jobs", "0"], ["--jobs"]),
        (["--protocol", "wdth"], ["unknown protocol", "wdht"]),
        (["--features", "nothing"], ["nothing", "blobs"]),
        (["--plugin", "absent.py"], ["absent.py", "no such file"]),
        (["--check-method", "itk"], ["itq"]),
        (["--no-such-option"], ["--no-such-option"]),
        (["--scheduler", "tcp://127.0.0.1:1"], ["--backend dask"]),
    ],
)
def test_bad_arguments(run, arguments, words, tmp_path):
    assert_refused(run(*arguments), *words)
    assert not (tmp_path / "results" / "cells").exists()


def test_unknown_data_set(run):
    assert_refused(run(dataset="nuswid"), "nuswid", "nuswide")


def test_unwritable_results(run, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    assert_refused(run(results=blocked / "results"), "--results", "cannot write")


def edit_manifest(folder, change):
    path = folder / "manifest.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(frame).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda f: f.drop(columns="labels"), "labels"),
        (lambda f: f.drop(columns="split"), "split"),
        (lambda f: f.assign(labels=""), "labels"),
        (lambda f: f.assign(labels=f.labels.where(f.split == "query", "")), "relevant"),
        (lambda f: f.assign(split=["query+database", *f.split[1:]]), "query"),
        (lambda f: f.assign(split="train+database"), "query"),
        (lambda f: f.assign(split=["tset", *f.split[1:]]), "tset"),
        (lambda f: f.assign(image=["absent.jpg", *f.image[1:]]), "absent.jpg"),
        (lambda f: f.assign(image=["a.jpg", "a.jpg", *f.image[2:]]), "a.jpg"),
        (lambda f: f.iloc[:-1], "rows"),
    ],
)
def test_bad_manifest(run, data_folder, change, word, tmp_path):
    edit_manifest(data_folder, change)
    assert_refused(run(), word)
    assert not (tmp_path / "results" / "cells").exists()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda X: np.where(np.arange(X.size).reshape(X.shape) == 70, np.nan, X), "NaN"),
        (lambda X: X[:-1], "rows"),
        (lambda X: X.astype(int), "int"),
        (lambda X: X[:, 0], "shape"),
        (lambda X: X.astype(object), ".npy"),
    ],
)
def test_bad_features(run, data_folder, change, word, tmp_path):
    path = data_folder / "features" / "blobs.npy"
    np.save(path, change(np.load(path)))
    assert_refused(run(), word)
    assert not (tmp_path / "results" / "cells").exists()


def test_plugin_that_registers_nothing_or_fails(run, tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("x = 1\n")
    assert_refused(run("--plugin", path), "registers no method")
    path = tmp_path / "wrong.py"
    path.write_text("1 / 0\n")
    assert_refused(run("--plugin", path), "ZeroDivisionError")


def test_method_that_raises_before_it_starts(run, plugin):
    path = plugin()
    path.write_text(path.read_text() + "\n    def skip(self, task):\n        raise KeyError('x')\n")
    assert_refused(run("--plugin", path), "mine", "KeyError")


@pytest.mark.parametrize("name", ["../../esc", "", "a b", "has[br"])
def test_impossible_names(run, plugin, tmp_path, name):
    path = tmp_path / "named.py"
    path.write_text(plugin().read_text().replace('"mine"', repr(name)))
    assert_refused(run("--plugin", path), "name")


def test_reserved_data_set_names(run, data_folder):
    data_folder.rename(data_folder.with_name("cells"))
    assert_refused(run(dataset=data_folder.with_name("cells")), "cells")


def test_unwritable_cache(run, tmp_path):
    (tmp_path / "file").touch()
    assert_refused(run("--cache", tmp_path / "file" / "cache"), "--cache", "cannot write")


def test_broken_entry_point_is_left_out(tmp_path):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hashbench.methods]\nx = no_such_module:X\n")
    command = [sys.executable, ROOT / "run_benchmark.py", "--list", "methods"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0 and "itq" in answer.stdout
    assert len(answer.stderr.splitlines()) == 1 and "no_such_module" in answer.stderr


def test_plugin_may_not_take_a_known_name(run, plugin):
    assert_refused(run("--plugin", plugin("itq")), "registered twice")


@pytest.mark.parametrize("kind", ["methods", "datasets", "features", "protocols", "papers", "all"])
def test_list(run, kind):
    status, out, _ = run("--list", kind)
    known = {"methods": "itq", "datasets": "demo", "features": "gist", "protocols": "hashnet"}
    known["papers"] = "ijcai-2"
    assert status == 0
    for key, name in known.items():
        assert (name in out.split()) == (kind in (key, "all"))


@pytest.mark.parametrize("arguments", [["--help"], ["--list"], ["--methods", "itk"]])
def test_quick_answers_load_nothing_heavy(arguments):
    code = (
        "import sys; from benchmark.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numba', 'sklearn', 'matplotlib', 'pandas', 'methods'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.stdout.splitlines()[-1] == "loaded: []"


def test_check_method(run, plugin):
    status, out, _ = run("--check-method", "lsh")
    assert status == 0 and " 0 failed" in out
    path = plugin("unsound", "self.mean_ = self.mean_ * np.nan")
    status, out, _ = run("--plugin", path, "--check-method", "unsound")
    assert status == 1 and "FAILED" in out


def test_lint(run):
    status, out, _ = run("--lint")
    assert status == 0
    assert "400" in out and "base rate" in out.lower()


def test_wildcards_variants_and_set(run, tmp_path):
    status, _, _ = run(
        *("--methods", "pc*h", "itq", "itq[n_iter=9]", "--set", "itq.n_iter=2", "--bits", "8")
    )
    names = {p.name for p in (tmp_path / "results/cells/blobs").iterdir()}
    assert status == 0
    assert names == {"pcah", "itq[n_iter=2]"}


def test_version_and_console_script():
    def cpu_seconds():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    # Processor time, which other work on the machine does not lengthen.
    before = cpu_seconds()
    answer = subprocess.run(
        [Path(sys.executable).parent / "hashbench", "--version"], capture_output=True, text=True
    )
    assert answer.stdout.startswith("hashbench ")
    assert cpu_seconds() - before < 1
