"""Results add up: halves make the whole, and what disagrees is said."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmark.cli.main import main
from benchmark.digests import value_digest
from benchmark.store.store import Store
from benchmark.study import Study

DATA = "demo[n=120]"


def study(results, *methods, **options):
    return Study(DATA, methods=list(methods), bits=[8, 16], seeds=[0, 1], results=results, jobs=1,
                 cache=results.parent / "cache", **options).run()  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three methods, written."""
    results = tmp_path_factory.mktemp("whole") / "results"
    study(results, "lsh", "pcah", "cca-itq").write()
    return results


def outputs(results):
    """Every file that is not a cell or in the cache."""
    paths = [path for path in results.rglob("*") if path.is_file()]
    names = {path.relative_to(results).as_posix(): path for path in paths}
    return {n: p.read_bytes() for n, p in names.items() if not n.startswith(("cells/", "cache/"))}


def halves(whole, tmp_path):
    """Two folders with every other cell of a run each."""
    found = sorted((whole / "cells").glob("*/*/*"))
    for i, path in enumerate(found):
        half = tmp_path / f"half{i % 2}" / "cells" / path.relative_to(whole / "cells")
        shutil.copytree(path, half)
    return [str(tmp_path / f"half{i}") for i in (0, 1)], len(found)


def change(results, edit):
    """Edit the first record of a folder, with a checksum that fits."""
    path = sorted(results.glob("cells/*/*/*/run.json"))[0]
    record = json.loads(path.read_text())
    edit(record)
    record.pop("checksum")
    record["checksum"] = value_digest(record, 64)
    path.write_text(json.dumps(record))


def test_two_halves_make_the_same_outputs_byte_for_byte(whole, tmp_path, capsys):
    parts, n = halves(whole, tmp_path)
    merged = tmp_path / "merged"
    where = ["--results", str(merged), "--cache", str(whole.parent / "cache")]
    assert main(["--merge", *parts, *where]) == 0
    assert f"{n} cells taken, 0 were there already" in capsys.readouterr().out
    found, expected = outputs(merged), outputs(whole)
    assert found.keys() == expected.keys() and len(found) > 30
    assert [name for name in found if found[name] != expected[name]] == []
    # The other way round, and a second time.
    again = tmp_path / "again"
    where = ["--results", str(again), "--cache", str(whole.parent / "cache")]
    assert main(["--merge", *parts[::-1], *where]) == 0
    assert outputs(again) == expected
    assert main(["--merge", *parts, *where]) == 0
    assert f"0 cells taken, {n} were there already and agree" in capsys.readouterr().out


def test_two_runs_of_half_the_methods_make_the_tables_of_one(whole, tmp_path):
    for results, methods in (("one", ["cca-itq", "lsh"]), ("two", ["pcah"])):
        folder = tmp_path / results
        Study(DATA, methods=methods, bits=[16, 8], seeds=[1, 0], results=folder, jobs=1,
              cache=whole.parent / "cache").run()  # fmt: skip
    where = ["--results", str(tmp_path / "one"), "--cache", str(whole.parent / "cache")]
    assert main(["--merge", str(tmp_path / "two"), *where]) == 0
    found, expected = outputs(tmp_path / "one"), outputs(whole)
    # Times and memory aside, and the documents that hold them among others.
    names = [n for n in expected if "mAP@" in n or "P@" in n or "curves" in n or "answer" in n]
    assert len(names) > 15
    assert [name for name in names if found[name] != expected[name]] == []


def test_cells_that_disagree_are_reported_and_stay(whole, tmp_path, capsys):
    parts, _ = halves(whole, tmp_path)
    merged = tmp_path / "merged"
    shutil.copytree(parts[0], merged)
    before = {p: p.read_bytes() for p in merged.rglob("run.json")}

    def edit(record):
        record["metrics"]["mAP@all"]["value"] += 0.01
        record["metrics"]["fit_seconds"]["value"] += 9

    change(tmp_path / "half0", edit)
    assert main(["--merge", *parts, "--results", str(merged)]) == 1
    err = capsys.readouterr().err
    assert err.count("disagrees") == 1 and "mAP@all 0." in err and "fit_seconds" not in err
    assert {p: p.read_bytes() for p in before} == before


def test_damaged_cells_are_left_out(whole, tmp_path, capsys):
    parts, n = halves(whole, tmp_path)
    first = sorted((tmp_path / "half0").glob("cells/*/*/*/profile.npz"))[0]
    first.write_bytes(b"nothing")
    merged = tmp_path / "merged"
    assert main(["--merge", *parts, "--results", str(merged)]) == 1
    captured = capsys.readouterr()
    assert f"{n - 1} cells taken" in captured.out and "is damaged" in captured.err
    assert len(list(Store(merged).cells(DATA))) == n - 1


def test_what_is_no_results_folder_is_refused(whole, tmp_path, capsys):
    assert main(["--merge", str(tmp_path), "--results", str(tmp_path / "x")]) == 2
    assert main(["--merge", str(whole), "--results", str(whole)]) == 2
    assert main(["--check-results", str(tmp_path)]) == 2
    assert "name the folder that --results had" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda r: r.update(format=0), "format 0"),
        (lambda r: r.pop("versions"), "lacks versions"),
        (lambda r: r.update(method="nothing"), "method nothing is not registered"),
        (lambda r: r.update(bits=99), "folder's name does not fit"),
        (lambda r: r["metrics"].update({"luck": r["metrics"]["mAP@all"]}), "unknown metrics: luck"),
        (lambda r: r["specification"]["protocol"].update(radius=9), "protocol 'wdht' is none of"),
        (lambda r: r["metrics"]["mAP@all"].update(value=0.9), "differs from the stored result"),
        (lambda r: r.update(status="failed", reason="no luck"), "failed: no luck"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(whole, tmp_path, capsys, edit, complaint):
    parts, _ = halves(whole, tmp_path)
    assert main(["--check-results", *parts, "--results", str(whole)]) == 0
    assert capsys.readouterr().out.count("nothing is wrong") == 2
    change(tmp_path / "half0", edit)
    assert main(["--check-results", parts[0], "--results", str(whole)]) == 1
    assert complaint in capsys.readouterr().out


def test_a_changed_file_and_a_second_version_are_found(whole, tmp_path, capsys):
    parts, _ = halves(whole, tmp_path)
    first = sorted((tmp_path / "half0").glob("cells/*/*/*/profile.npz"))[0]
    first.write_bytes(b"nothing")
    assert main(["--check-results", parts[0], "--results", str(tmp_path / "none")]) == 1
    assert "a checksum does not fit" in capsys.readouterr().out
    results = tmp_path / "half1"
    cell = next(results.glob("cells/*/lsh/*"))
    twin = cell.with_name(cell.name[:-1] + ("0" if cell.name[-1] != "0" else "1"))
    shutil.copytree(cell, twin)
    record = json.loads((twin / "run.json").read_text())
    record["specification"]["code"] = "another"
    record.pop("checksum")
    record["checksum"] = value_digest(record, 64)
    (twin / "run.json").write_text(json.dumps(record))
    assert main(["--check-results", parts[1], "--results", str(tmp_path / "none")]) == 1
    assert "another version of a cell" in capsys.readouterr().out
