"""The Python API: the same as the command, and what can be asked of its results."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from benchmark import Study, evaluate
from benchmark.cli.given import given
from benchmark.cli.options import build_parser
from benchmark.errors import InputError
from benchmark.store.store import Store

#: Options that choose another mode than a plain run.
MODES = {"list", "check_method", "lint", "table", "figure", "dry_run", "report"}


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
    costs, key = ["fit_seconds", "encode_us", "peak_mb"], ["method", "bits", "seed", "metric"]
    ours, theirs = (
        frame[~frame["metric"].isin(costs)].sort_values(key, ignore_index=True)
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
    """Once to check and hash them, once to work on them."""
    path, opened, load = data_folder / "features" / "blobs.npy", [], np.load

    def counted(file, *arguments, **options):
        opened.append(str(file) == str(path))
        return load(file, *arguments, **options)

    monkeypatch.setattr(np, "load", counted)
    Study(
        str(data_folder), methods=["lsh", "itq"], bits=[8], results=tmp_path / "results", jobs=1
    ).run()
    assert sum(opened) == 2
