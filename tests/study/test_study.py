"""The Python API: the same as the command, and what can be asked of its results."""

from __future__ import annotations

import os
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from benchmark import Protocol, Study, evaluate
from benchmark.cli.given import given
from benchmark.cli.options import build_parser
from benchmark.errors import InputError
from benchmark.protocol.catalogue import COSTS
from benchmark.store.store import Store
from benchmark.study.reproduction import reproduce

#: Options that choose another mode than a plain run, or say where options come from.
MODES = {"list", "check_method", "lint", "table", "figure", "dry_run", "print_config", "config"}
MODES |= {"report", "merge", "leaderboard", "check_results", "reproduce"}


@pytest.fixture
def study(data_folder, tmp_path):
    """Two methods and a quantiser's worth of options on small blobs."""
    return Study(
        str(data_folder),
        methods=["lsh", "itq"],
        bits=[8, 16],
        seeds=[0, 1],
        results=tmp_path / "results",
        save_codes=True,
        jobs=1,
    )


@pytest.fixture
def results(study):
    return study.run()


def test_keywords_are_the_long_names_of_the_options():
    options = vars(build_parser().parse_args([])).keys() - MODES
    assert {field.name for field in fields(Study)} == options


def test_defaults_are_those_of_the_command():
    assert Study(**given(build_parser().parse_args([]), Study)) == replace(
        Study(), plugin=[], set=[]
    )


def test_the_command_gives_the_same_numbers(study, results, run, tmp_path):
    arguments = ("--methods", "lsh", "itq", "--bits", 8, 16, "--seeds", 0, 1)
    status, _, _ = run(*arguments, results=tmp_path / "again")
    assert status == 0
    written = pd.read_csv(tmp_path / "again" / "blobs" / "blobs" / "summary.csv")
    key = ["method", "bits", "seed", "metric"]
    ours, theirs = (
        frame[~frame["metric"].isin(list(COSTS))].sort_values(key, ignore_index=True)
        for frame in (results.frame(), written)
    )
    pd.testing.assert_frame_equal(theirs, ours, check_exact=True)


def test_cells_that_are_done_cost_nothing(study, results):
    assert study.price().splitlines()[-1].startswith("0 cells to run")
    again = Study(study.dataset, methods=["itq"], bits=[16], results=study.results, jobs=1)
    (cell,) = again.run().cells
    assert cell.metrics == results.cell("itq", 16, seed=0).metrics


def test_a_table_has_the_means_over_seeds(results):
    table = results.table("mAP@all")
    frame = results.frame().query("metric == 'mAP@all'")
    means = frame.groupby(["method", "bits"])["value"].mean()
    for method, bits in means.index:
        assert table.frame().loc[method, bits] == pytest.approx(means[method, bits], abs=1e-15)
    assert "mAP@all on blobs, blobs features" in str(table) and "itq" in str(table)
    # Also of a metric that has no table of its own.
    assert results.table("P@200").metric == "P@200"
    with pytest.raises(InputError, match="no cell has the metric 'mAP@7'"):
        results.table("mAP@7")


def test_values_of_single_queries_average_to_the_metric(results):
    frame = results.per_query("mAP@all")
    assert frame.shape == (40, 8) and frame.columns.names == ["method", "bits", "seed"]
    for cell in results.cells:
        values = frame[cell.method, cell.bits, cell.seed]
        assert values.mean() == pytest.approx(cell.metrics["mAP@all"].value)
    with pytest.raises(InputError, match=r"'nothing': there are .*mAP@all"):
        results.per_query("nothing")


def test_codes_give_the_metric_again(results):
    cell = results.cell("itq", 16, seed=1)
    query, database = results.codes(cell)
    assert query.shape == (40, 16) and database.shape == (360, 16) and query.dtype == bool
    labels, split = results.dataset.labels, results.dataset.split
    measured = evaluate(query, database, labels[split.query], labels[split.database])
    assert measured["mAP@all"] == cell.metrics["mAP@all"].value
    with pytest.raises(InputError, match="'sh' at 16 bits: methods are lsh, itq"):
        results.cell("sh", 16)


def test_codes_that_are_not_stored_are_asked_for_in_vain(data_folder, tmp_path):
    bare = Study(
        str(data_folder), methods=["lsh"], bits=[8], results=tmp_path / "results", jobs=1
    ).run()
    with pytest.raises(InputError, match="not stored: run the study with save_codes=True"):
        bare.codes(bare.cells[0])


def test_write_leaves_everything_in_a_folder(results, tmp_path):
    folder = results.write(tmp_path / "elsewhere")
    names = {path.name for path in folder.iterdir()}
    expected = {"summary.csv", "tables", "figures", "report.html", "answer.json", ".written.json"}
    assert names == expected
    assert results.write() == results.store.root / "blobs" / "blobs"


def test_a_failed_cell_is_told_with_its_error_file(data_folder, plugin, tmp_path):
    path = plugin("fails", body="raise ValueError('no luck')")
    options = {"results": tmp_path / "results", "plugin": [path], "jobs": 1}
    results = Study(str(data_folder), methods=["fails"], bits=[8], **options).run()
    text = results.failures()
    assert "1 of 1 cells failed, the first: fails at 8 bits: ValueError: no luck" in text
    error = text.rpartition("(")[2].removesuffix(")")
    assert "no luck" in (tmp_path / "results" / error).read_text()


def test_the_store_has_everything_as_one_frame(results):
    stored = Store(results.store.root).frame("blobs")
    key = ["method", "bits", "seed", "metric"]
    pd.testing.assert_frame_equal(
        stored.sort_values(key, ignore_index=True),
        results.frame().sort_values(key, ignore_index=True),
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tune": "luck"}, "--tune luck: give one of labels, tags"),
        ({"device": "tpu"}, "--device tpu: give one of cpu, cuda"),
        ({"on_bad_image": "cry"}, "--on-bad-image cry: give one of skip, error"),
        ({"bits": "16"}, "--bits '16': give a list of whole numbers"),
        ({"bits": [8, 0]}, "--bits 0: give whole numbers from 1"),
        ({"seeds": []}, r"--seeds \[\]: give a list of whole numbers"),
        ({"scheduler": "tcp://x"}, "--scheduler needs --backend dask"),
    ],
)
def test_a_bad_option_is_refused_at_once(options, message):
    with pytest.raises(InputError, match=message):
        Study(**options)


def test_an_unknown_name_is_refused_before_any_work(data_folder, tmp_path):
    results = tmp_path / "results"
    for options in ({"methods": ["itqq"]}, {"methods": ["lsh"], "protocol": "nope"}):
        with pytest.raises(InputError):
            Study(str(data_folder), results=results, jobs=1, **options).run()
    assert not (results / "cells").exists()


def test_given_features_are_read_twice(data_folder, tmp_path, monkeypatch):
    """Once to check and hash them, once to work on them; before that the header alone.

    What was read of a file is remembered, and so is the map of it that this process has.
    """
    path, opened, load = data_folder / "features" / "blobs.npy", [], np.load

    def counted(file, *arguments, **options):
        opened.append(str(file) == str(path))
        return load(file, *arguments, **options)

    monkeypatch.setattr(np, "load", counted)
    # Remembered is only what nobody has changed for a while.
    os.utime(path, (1e9, 1e9))
    for methods, times in ((["lsh", "itq"], 3), (["pcah"], 1)):
        opened.clear()
        Study(
            str(data_folder), methods=methods, bits=[8], results=tmp_path / "results", jobs=1
        ).run()
        assert sum(opened) == times


def test_ways_to_search_are_rows_of_their_own_and_bounds_are_not_compared(data_folder, tmp_path):
    names = ["lsh", "lsh[search=asymmetric]", "lsh[search=real]", "features"]
    study = Study(
        str(data_folder), methods=names, bits=[8], seeds=[0, 1], results=tmp_path / "r", jobs=1
    )
    results = study.run()
    assert [cell.status for cell in results.cells] == ["done"] * 8
    ranked_by = ["hamming", "scores", "cosine", "cosine"]
    assert [cell.ranked_by for cell in results.cells[::2]] == ranked_by
    assert len({cell.folder for cell in results.cells}) == 8
    table = results.table("mAP@all")
    values = dict(table.frame()[8])
    assert values["lsh"] < values["lsh[search=asymmetric]"] < values["lsh[search=real]"]
    assert values["features"] == max(values.values())
    assert {row.method: row.entries[0].rank > 0 for row in table.rows} == {
        "lsh": True,
        "lsh[search=asymmetric]": True,
        "lsh[search=real]": False,
        "features": False,
    }
    assert set(table.tests[8].methods) == {"lsh", "lsh[search=asymmetric]"}
    assert "a bound, not compared" in str(table)
    bytes_of = {c.method: c.metrics["bytes_per_item"].value for c in results.cells}
    assert bytes_of["lsh"] == bytes_of["lsh[search=asymmetric]"] == 1
    assert bytes_of["lsh[search=real]"] == 4 * 8
    again = study.run()
    assert [cell.folder for cell in again.cells] == [cell.folder for cell in results.cells]


def test_a_search_that_a_method_cannot_have_is_refused_before_work(data_folder, tmp_path):
    study = Study(
        str(data_folder), methods=["features[search=real]"], bits=[8], results=tmp_path / "r"
    )
    with pytest.raises(InputError, match="search=real is for methods whose codes"):
        study.run()


def test_the_protocol_of_a_study_may_ask_for_the_nearest_items(data_folder, tmp_path):
    protocol = Protocol(recall_at=(5, 20), neighbours=2)
    options = {"bits": [16], "protocol": protocol, "results": tmp_path / "r", "jobs": 1}
    results = Study(str(data_folder), methods=["lsh", "features"], **options).run()
    values = results.table("recall@20").frame()[16]
    assert 0 < values["lsh"] < values["features"] <= 1


def test_each_seed_has_a_split_of_its_own_and_the_same_cells_as_one_seed_on_that_split(tmp_path):
    options = {
        "methods": ["lsh", "pcah"],
        "bits": [8],
        "features": "gist",
        "jobs": 1,
        "cache": tmp_path / "cache",
    }
    drawn = Study(
        "demo[n=60]", seeds=[0, 1, 2], split_per_seed=True, results=tmp_path / "a", **options
    )
    results = drawn.run()
    assert [cell.seed for cell in results.cells] == [0, 1, 2, 0, 1, 2]
    assert {cell.dataset for cell in results.cells} == {"demo[n=60]"}
    assert len({cell.split for cell in results.cells}) == 3
    assert len({cell.folder for cell in results.cells}) == 6
    # Seed 0 is the same cell; seed 1 on the split of seed 0 is stored there too, and is another.
    alone = Study("demo[n=60]", seeds=[0, 1], results=tmp_path / "a", **options).run()
    assert [c.folder for c in alone.cells[::2]] == [c.folder for c in results.cells[::3]]
    other = Study("demo[n=60,split_seed=2]", seeds=[2], results=tmp_path / "c", **options).run()
    assert other.cells[0].metrics["mAP@all"] == results.cells[2].metrics["mAP@all"]
    table = results.table("mAP@all")
    assert table.rows[0].entries[0].n_seeds == 3
    values = [c.metrics["mAP@all"].value for c in results.cells[:3]]
    tests = table.tests[8]
    assert tests.means[tests.methods.index("lsh")] == pytest.approx(np.mean(values))
    assert results.per_query("mAP@all").shape == (5, 6)
    assert drawn.price().count("0 cells to run") == 3
    assert not reproduce(results.store.root / "cells" / results.cells[2].folder).differences


def test_a_split_per_seed_is_refused_where_the_split_is_given(data_folder, tmp_path):
    study = Study(str(data_folder), split_per_seed=True, results=tmp_path / "r")
    with pytest.raises(InputError, match="comes with its split"):
        study.run()
    for option in ("audit", "save_codes"):
        with pytest.raises(InputError, match="--split-per-seed cannot be combined"):
            Study(split_per_seed=True, **{option: True})
