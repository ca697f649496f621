"""Reports are made of all stored cells: a run changes its own rows and keeps the others."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from benchmark.cli.main import main
from benchmark.store.store import Store
from benchmark.study import Study
from benchmark.study.gathering import gather


@pytest.fixture
def study(data_folder, tmp_path):
    def call(*methods, bits=(8,), seeds=(0, 1), results=tmp_path / "results", **options):
        chosen = {"methods": list(methods), "bits": list(bits), "seeds": list(seeds)}
        return Study(str(data_folder), results=results, jobs=1, **chosen, **options).run()

    return call


def outputs(folder):
    """Every output that has a line for each method, by file name."""
    names = ("summary.csv", "tables/mAP@all.csv", "tables/mAP@all.md", "tables/mAP@all.tex")
    names += ("tables/all.md", "tables/diagnostics.csv", "report.html", "answer.json")
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in names}
    return {**texts, "figures/map.svg": (folder / "figures/map_vs_bits-all.svg").read_text()}


def test_a_run_of_one_method_keeps_all_others_in_every_output(study):
    folder = study("lsh", "pcah", "itq").write()
    before = pd.read_csv(folder / "summary.csv")
    study("sh").write()
    for name, text in outputs(folder).items():
        for method in ("lsh", "pcah", "itq", "sh"):
            assert method in text, (name, method)
    after = pd.read_csv(folder / "summary.csv")
    kept = after[after["method"] != "sh"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)


def test_a_mean_never_mixes_versions_of_a_method(study):
    study("itq", "lsh", bits=(8, 16)).write()
    changed = study("itq", bits=(8,), seeds=(0,), set=["itq.n_iter=3"])
    # The variant has a name of its own; the same name with another making replaces the old one.
    assert {c.method for c in changed.whole.cells} == {"itq", "lsh", "itq[n_iter=3]"}
    tuned = study("itq", bits=(8,), seeds=(0,), tune="labels")
    shown = [(c.bits, c.seed, bool(c.tuned)) for c in tuned.whole.cells if c.method == "itq"]
    if any(c.tuned for c in tuned.cells):
        assert shown == [(8, 0, True)]
    # What a run asks for counts, though it was computed before the other.
    again = study("itq", bits=(8, 16))
    shown = [(c.bits, c.seed, bool(c.tuned)) for c in again.whole.cells if c.method == "itq"]
    assert shown == [(b, s, False) for b in (8, 16) for s in (0, 1)]


def test_other_protocols_and_features_have_reports_of_their_own(study):
    plain = study("lsh").write()
    other = study("lsh", "pcah", protocol="hashnet").write()
    scaled = study("pcah", l2_normalize=True).write()
    assert len({plain, other, scaled}) == 3
    assert set(pd.read_csv(plain / "summary.csv")["method"]) == {"lsh"}
    index = (plain.parents[1] / "index.html").read_text()
    for folder in (plain, other, scaled):
        assert f"{folder.relative_to(plain.parents[1]).as_posix()}/report.html" in index


def test_reports_are_rebuilt_from_cells_alone(study, tmp_path, data_folder, capsys):
    folder = study("lsh", "itq").write()
    before = {n: t for n, t in outputs(folder).items() if n != "report.html"}
    shutil.rmtree(folder)
    where = ["--results", str(tmp_path / "results")]
    assert main(["--report", str(data_folder), *where]) == 0
    assert f"{folder / 'report.html'}: 2 methods, 4 cells" in capsys.readouterr().out
    assert {n: t for n, t in outputs(folder).items() if n != "report.html"} == before
    whole = (folder / "report.html").read_bytes()
    # Without the data there is a report without a data sheet; all data sets by default.
    assert main(["--report", *where]) == 0
    assert "without pictures and data sheet" in capsys.readouterr().err
    bare = (folder / "report.html").read_bytes()
    assert b"Data sheet" in whole and b"Data sheet" not in bare
    assert {n: t for n, t in outputs(folder).items() if n != "report.html"} == before


def test_a_data_set_without_cells_is_refused(study, tmp_path, capsys):
    study("lsh")
    assert main(["--report", "nothing", "--results", str(tmp_path / "results")]) == 2
    assert "has no cells of it, only of: blobs" in capsys.readouterr().err
    assert main(["--report", "--results", str(tmp_path / "empty")]) == 2


def test_another_state_of_the_data_is_not_mixed_in(study, data_folder, tmp_path):
    study("lsh", "pcah")
    manifest = data_folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("class3", "class2"))
    results = study("lsh")
    assert {c.method for c in results.whole.cells} == {"lsh"}
    (cells,) = gather(Store(tmp_path / "results"), "blobs")
    assert {c.result.method for c in cells} == {"lsh"}
