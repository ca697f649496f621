"""The whole command in process: cells, resuming, failures, outputs, plug-ins."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmark import evaluate_scores

METHODS = ("--methods", "itq", "lsh", "--bits", "8", "16")


def cell_files(results, name="run.json"):
    return sorted((results / "cells").glob(f"*/*/*/{name}"))


@pytest.mark.figures
def test_run_leaves_summary_tables_and_figures(run, tmp_path):
    status, out, err = run(*METHODS, "--seeds", "0", "1")
    folder = tmp_path / "results" / "blobs" / "blobs"
    summary = pd.read_csv(folder / "summary.csv")
    assert status == 0
    assert "itq" in out and "base rate" in out and err == ""
    header = "dataset,features,method,bits,seed,status,metric,value,low,high"
    assert list(summary.columns) == header.split(",")
    cells = summary[["method", "bits", "seed"]].drop_duplicates()
    assert len(cells) == 2 * 2 * 2
    assert {"mAP@all", "P@r2", "base_rate", "fit_seconds", "encode_us", "peak_mb"} <= set(
        summary.metric
    )
    assert (summary.low <= summary.value).all() and (summary.value <= summary.high).all()
    assert (folder / "tables" / "all.md").exists()
    assert list((folder / "figures").glob("pr_curves*.png"))
    # Well separated clusters: far above the base rate of a quarter.
    itq = summary.query("method == 'itq' and bits == 16 and metric == 'mAP@all'")
    assert (itq.value > 0.8).all()


def test_tables_rest_on_tests_between_the_methods(run, tmp_path):
    """Blobs far apart: at 4 bits two random directions cannot keep them apart as PCA does."""
    status, out, _ = run("--methods", "pcah", "lsh", "--bits", "4", "--seeds", *range(6))
    assert status == 0 and "The best is significantly better than the second" in " ".join(
        out.split()
    )
    table = pd.read_csv(tmp_path / "results/blobs/blobs/tables/mAP@all.csv", index_col="method")
    assert table.loc["pcah", "4 bits rank"] == 1 and table.loc["lsh", "4 bits rank"] == 2
    pairs = pd.read_csv(tmp_path / "results/blobs/blobs/tables/mAP@all-tests.csv")
    assert pairs["better"].tolist() == ["yes", "no"] and pairs["method"][0] == "pcah"


def test_second_run_recomputes_nothing(run, tmp_path):
    run(*METHODS)
    before = {p: p.stat().st_mtime_ns for p in cell_files(tmp_path / "results")}
    first = (tmp_path / "results/blobs/blobs/summary.csv").read_bytes()
    assert run(*METHODS)[0] == 0
    assert {p: p.stat().st_mtime_ns for p in cell_files(tmp_path / "results")} == before
    assert (tmp_path / "results/blobs/blobs/summary.csv").read_bytes() == first


def test_only_what_changed_is_run_again(run, tmp_path):
    run(*METHODS)
    run("--methods", "itq", "lsh", "--bits", "8", "16", "--set", "itq.n_iter=3")
    assert len(cell_files(tmp_path / "results")) == 4 + 2
    run(*METHODS, "--protocol", "hashnet")
    assert len(cell_files(tmp_path / "results")) == 4 + 2 + 4


def test_rerun_all_runs_everything(run, tmp_path):
    run(*METHODS)
    before = {p: p.stat().st_mtime_ns for p in cell_files(tmp_path / "results")}
    run(*METHODS, "--rerun", "all")
    after = {p: p.stat().st_mtime_ns for p in cell_files(tmp_path / "results")}
    assert after.keys() == before.keys()
    assert all(after[p] > before[p] for p in before)


def test_edited_numbers_are_not_believed(run, tmp_path):
    run("--methods", "lsh", "--bits", "8")
    (path,) = cell_files(tmp_path / "results")
    good = path.read_text()
    path.write_text(good.replace('"value": 0.', '"value": 0.9', 1))
    run("--methods", "lsh", "--bits", "8")
    values = [json.loads(text)["metrics"]["mAP@all"] for text in (good, path.read_text())]
    assert values[0] == values[1]


@pytest.mark.parametrize("name", ["about.json", "query_labels.npy", "tags_data.npy"])
def test_damaged_bundle_is_written_again(run, tmp_path, name):
    run("--methods", "lsh", "--bits", "8")
    (path,) = (tmp_path / "results/cache/bundles").glob(f"*/{name}")
    path.write_bytes(path.read_bytes()[:10])
    status, _, err = run("--methods", "pcah", "--bits", "8")
    assert status == 0 and "altered" in err


def test_damaged_shared_result_is_computed_again(run, tmp_path):
    run("--methods", "pcah", "--bits", "8")
    for path in (tmp_path / "results/cache/shared").glob("*/*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    assert run("--methods", "pcah", "--bits", "12")[0] == 0


def test_method_that_wants_to_exit_is_a_failed_cell(run, plugin):
    path = plugin(body="raise SystemExit(0)")
    status, out, err = run("--plugin", path, "--methods", "lsh", "mine", "--bits", "8")
    assert status == 1 and "SystemExit" in err and "lsh" in out


def test_a_default_that_is_spelled_out_is_no_other_method(run, tmp_path):
    run("--methods", "itq", "itq[n_iter=50]", "--bits", "8")
    assert len(cell_files(tmp_path / "results")) == 1


def test_values_do_not_choose_the_folder(run, plugin, tmp_path):
    text = plugin().read_text().replace("shift=0.0", "shift=''").replace(" + self.shift", "")
    (tmp_path / "mine.py").write_text(text)
    method = f"mine[shift=../../../{'x' * 300}]"
    status, _, err = run(*("--plugin", tmp_path / "mine.py", "--methods", method, "--bits", "8"))
    assert status == 0, err
    assert len(cell_files(tmp_path / "results")) == 1


@pytest.mark.parametrize("damage", ["truncate", "alter", "remove"])
def test_damaged_cell_is_run_again(run, tmp_path, damage):
    run("--methods", "lsh", "--bits", "8")
    (profile,) = cell_files(tmp_path / "results", "profile.npz")
    good = (tmp_path / "results/blobs/blobs/summary.csv").read_text()
    if damage == "truncate":
        profile.write_bytes(profile.read_bytes()[:100])
    elif damage == "alter":
        data = bytearray(profile.read_bytes())
        data[200] ^= 255
        profile.write_bytes(data)
    else:
        profile.unlink()
    assert run("--methods", "lsh", "--bits", "8")[0] == 0
    with np.load(profile) as arrays:
        assert arrays["items"].shape == (40, 9)
    again = (tmp_path / "results/blobs/blobs/summary.csv").read_text()
    rates = [line for line in good.splitlines() if ",mAP" in line]
    assert all(line in again for line in rates)


def test_parallel_cells_give_the_same_numbers(run, tmp_path):
    arguments = ("--methods", "itq", "lsh", "sph", "--bits", "8", "12")
    one = tmp_path / "one"
    two = tmp_path / "two"
    run(*arguments, results=one)
    run(*arguments, results=two, jobs=2)
    frames = [pd.read_csv(p / "blobs/blobs/summary.csv") for p in (one, two)]
    rates = [f[f.metric.str.contains("@")].reset_index(drop=True) for f in frames]
    pd.testing.assert_frame_equal(*rates)


def test_failed_cell_keeps_the_others_and_is_tried_again(run, plugin, tmp_path):
    flag = tmp_path / "repaired"
    path = plugin(body=f"if not os.path.exists({str(flag)!r}): raise RuntimeError('broken wing')")
    arguments = ("--plugin", path, "--methods", "lsh", "mine", "--bits", "8")
    status, out, err = run(*arguments)
    assert status == 1
    assert "broken wing" in err and "lsh" in out
    (error,) = cell_files(tmp_path / "results", "error.txt")
    assert "RuntimeError: broken wing" in error.read_text()
    summary = pd.read_csv(tmp_path / "results/blobs/blobs/summary.csv")
    assert summary.query("method == 'mine'").status.tolist() == ["failed"]
    flag.touch()
    assert run(*arguments)[0] == 0
    assert not cell_files(tmp_path / "results", "error.txt")


def test_worker_that_dies_takes_down_only_its_cell(run, plugin, tmp_path):
    path = plugin(body="os.kill(os.getpid(), 9)")
    arguments = ("--plugin", path, "--methods", "lsh", "mine", "pcah", "--bits", "8", "12")
    status, _, err = run(*arguments, jobs=2)
    summary = pd.read_csv(tmp_path / "results/blobs/blobs/summary.csv")
    states = summary.groupby("method").status.unique().map(list).to_dict()
    assert status == 1
    assert states == {"lsh": ["done"], "mine": ["failed"], "pcah": ["done"]}
    assert "died" in err


def test_skip_is_a_dash_with_its_reason(run, tmp_path):
    status, out, _ = run("--methods", "pcah", "lsh", "--bits", "16", "48")
    assert status == 0
    assert "bits <= min(d, n - 1) = 32" in " ".join(out.split())
    summary = pd.read_csv(tmp_path / "results/blobs/blobs/summary.csv")
    skipped = summary[summary.status == "skipped"]
    assert skipped[["method", "bits"]].values.tolist() == [["pcah", 48]]


def test_leakage_guard(run, plugin):
    for supervision in ("none", "tags", "labels"):
        expected = {"tags": supervision == "tags", "labels": supervision == "labels"}
        body = f"assert [tags is not None, labels is not None] == {list(expected.values())}"
        path = plugin(f"guard-{supervision}", body, supervision)
        status, _, err = run("--plugin", path, "--methods", f"guard-{supervision}", "--bits", "8")
        assert status == 0, err


def test_tags_are_a_matrix_over_the_training_items(run, plugin):
    body = "assert tags.shape == (360, 5) and tags.sum() == 720 and tags.dtype == bool"
    path = plugin("tagged", body, "tags")
    assert run("--plugin", path, "--methods", "tagged", "--bits", "8")[0] == 0


def test_training_features_cannot_be_written(run, plugin):
    path = plugin("writer", "X[0, 0] = 1")
    status, _, err = run("--plugin", path, "--methods", "writer", "--bits", "8")
    assert status == 1 and "read-only" in err


def test_shared_results_are_computed_once(run, tmp_path):
    run("--methods", "pcah", "itq", "sh", "--bits", "8", "12", "16")
    made = [path.name for path in (tmp_path / "results/cache/shared").glob("*/*.npz")]
    assert sorted(name.partition("-")[0] for name in made) == ["_leading_axes", "moments"]


def test_run_json_says_everything(run, tmp_path):
    run("--methods", "itq[n_iter=7]", "--bits", "8", "--save-codes")
    (path,) = cell_files(tmp_path / "results")
    record = json.loads(path.read_text())
    assert path.parent.parent.name == "itq[n_iter=7]"
    assert path.parent.name.startswith("8b-s0-")
    assert record["status"] == "done"
    assert record["specification"]["parameters"]["n_iter"] == "7"
    assert record["specification"]["protocol"]["ties"] == "expected"
    assert {"fit", "encode", "evaluate"} <= set(record["seconds"])
    assert {"numpy", "python", "hashbench"} <= set(record["versions"])
    assert 0 <= record["metrics"]["peak_mb"]["value"] < 1000
    with np.load(path.parent / "codes.npz") as codes:
        assert codes["database"].shape == (360, 1)


QUANTISER = """
import numpy as np
from methods import Quantizer, register

@register("words", paper="none", supervision="none")
class Words(Quantizer):
    def __init__(self, n_bits=32, *, random_state=None):
        self.n_bits, self.random_state = n_bits, random_state

    def fit(self, X, *, tags=None, labels=None):
        chosen = np.random.default_rng(self.random_state).choice(len(X), 256, replace=False)
        self.words_ = X[chosen]
        return self

    def parts(self, X):
        blocks = np.array_split(np.arange(X.shape[1]), len(self.codebook_sizes))
        for size, block in zip(self.codebook_sizes, blocks):
            yield ((X[:, None, block] - self.words_[:size, block]) ** 2).sum(axis=2)

    def assign(self, X):
        return np.column_stack([part.argmin(axis=1) for part in self.parts(X)])

    def tables(self, X):
        tables = np.zeros((len(X), len(self.codebook_sizes), max(self.codebook_sizes)))
        for m, part in enumerate(self.parts(X)):
            tables[:, m, : part.shape[1]] = -part
        return tables
"""


@pytest.fixture
def quantiser(tmp_path):
    path = tmp_path / "words.py"
    path.write_text(QUANTISER)
    return path


@pytest.mark.figures
def test_a_quantiser_beside_binary_codes(run, quantiser, tmp_path):
    arguments = ("--plugin", quantiser, "--methods", "words", "lsh", "--bits", "8", "12")
    status, out, err = run(*arguments)
    assert status == 0, err
    assert "ranked by score: no Hamming radius" in out
    folder = tmp_path / "results/blobs/blobs"
    summary = pd.read_csv(folder / "summary.csv")
    words = summary[summary.method == "words"]
    missing = set(summary.metric) - set(words.metric)
    assert missing == {"P@r2", "empty@r2", "bit_balance", "bit_correlation"}
    # Well separated clusters: far above the base rate of a quarter.
    assert (words[words.metric == "mAP@all"].value > 0.8).all()
    assert "ranked by score" in (folder / "tables/empty@r2.md").read_text()
    # 8 bits are one code word of 256, kept in a byte.
    diagnostics = pd.read_csv(folder / "tables/diagnostics.csv").set_index(["method", "bits"])
    assert diagnostics.loc[("words", 8), "bytes_per_item"] == 1
    assert pd.isna(diagnostics.loc[("words", 8), "bit_balance"])
    assert "code words in place of bits" in diagnostics.loc[("words", 8), "notes"]
    assert diagnostics.loc[("lsh", 12), "bytes_per_item"] == 2
    assert list((folder / "figures").glob("pr_curves*.png"))
    assert run(*arguments)[0] == 0


def test_quantisers_alone_have_no_tables_of_hamming_balls(run, quantiser, tmp_path):
    status, out, err = run("--plugin", quantiser, "--methods", "words", "--bits", "8")
    assert status == 0, err
    assert "mAP@all" in out and "P@r2" not in out
    tables = tmp_path / "results/blobs/blobs/tables"
    assert (tables / "mAP@all.md").exists() and not (tables / "P@r2.md").exists()


def test_cells_depend_on_the_base_class_that_their_method_names(run, quantiser):
    from benchmark.digests import imported_code
    from benchmark.registry.plugins import module_name

    run("--plugin", quantiser, "--methods", "words", "--bits", "8", "--dry-run")
    module = module_name(quantiser)
    words = imported_code(module)
    assert {module, "methods.quantizer", "methods.base"} <= words
    assert not any(name.startswith("methods.unsupervised") for name in words)
    itq = imported_code("methods.unsupervised.itq")
    assert "methods.base" in itq and "methods.quantizer" not in itq


def test_what_is_stored_of_a_quantiser_makes_its_metrics_again(
    run, quantiser, tmp_path, data_folder
):
    run("--plugin", quantiser, "--methods", "words", "--bits", "12", "--save-codes")
    (path,) = cell_files(tmp_path / "results")
    metrics = json.loads(path.read_text())["metrics"]
    with np.load(path.parent / "profile.npz") as arrays:
        assert not {"items", "relevant"} & set(arrays)
        per_query = arrays["query:mAP@all"]
        n_levels = len(arrays["y:PR"])
    assert per_query.mean() == pytest.approx(metrics["mAP@all"]["value"])
    labels = pd.read_csv(data_folder / "manifest.csv").labels.to_numpy()
    assert n_levels == pd.Series(labels[:360]).value_counts().max()
    with np.load(path.parent / "codes.npz") as codes:
        assert codes["database"].shape == (360, 2) and codes["database"].dtype == np.uint8
        assert codes["query"].shape == (40, 2, 64) and codes["query"].dtype == np.float32
        again = evaluate_scores(codes["query"], codes["database"], labels[360:], labels[:360])
    np.testing.assert_array_equal(again.per_query["mAP@all"], per_query)


def test_audit_keeps_codes_and_runs_cells_without_them_again(run, tmp_path):
    arguments = ("--methods", "itq", "lsh", "--bits", "8")
    run(*arguments)
    assert "2 cells to run" in run(*arguments, "--audit", "--dry-run")[1]
    status, out, err = run(*arguments, "--audit")
    assert (
        status == 0 and err == "cells that were stored without their codes and are run again: 2\n"
    )
    assert len(cell_files(tmp_path / "results", "codes.npz")) == 2
    assert "Audit: mAP over the whole ranking" in out
    tables = tmp_path / "results/blobs/blobs/tables"
    audit = pd.read_csv(tables / "audit.csv").set_index(["method", "convention", "metric"])["value"]
    summary = pd.read_csv(tmp_path / "results/blobs/blobs/summary.csv").set_index(
        ["method", "metric"]
    )
    for method in ("itq", "lsh"):
        for metric in ("mAP@5000", "mAP@all", "P@r2"):
            assert audit[method, "wdht", metric] == pytest.approx(
                summary.loc[(method, metric), "value"], rel=1e-12
            )
    assert (tables / "audit.md").exists() and (tables / "audit.txt").read_text().strip() in out
    before = {p: p.stat().st_mtime_ns for p in cell_files(tmp_path / "results")}
    assert run(*arguments, "--audit")[2] == ""
    assert {p: p.stat().st_mtime_ns for p in cell_files(tmp_path / "results")} == before


def test_l2_normalisation_is_another_kind_of_features(run, tmp_path):
    run("--methods", "lsh[center=false]", "itq", "--bits", "8")
    run("--methods", "lsh[center=false]", "itq", "--bits", "8", "--l2-normalize")
    summary = pd.read_csv(tmp_path / "results/blobs/blobs-l2/summary.csv")
    assert set(summary.features) == {"blobs-l2"}
    assert len(cell_files(tmp_path / "results")) == 4


def test_dry_run_prices_and_runs_nothing(run, tmp_path):
    status, out, _ = run(*METHODS, "--dry-run")
    assert status == 0 and "4 cells to run" in out
    assert not (tmp_path / "results/cells").exists()
    run(*METHODS)
    out = run(*METHODS, "--seeds", "0", "1", "--dry-run")[1]
    assert "4 cells to run" in out and "rough" not in out


def test_dask_backend(run, tmp_path):
    pytest.importorskip("distributed")
    status, _, err = run("--methods", "lsh", "--bits", "8", "12", "--backend", "dask", jobs=1)
    assert status == 0, err
    assert len(cell_files(tmp_path / "results")) == 2


def test_dry_run_counts_what_rerun_all_would_compute(run):
    arguments = ("--methods", "lsh", "pcah", "--bits", 8)
    run(*arguments)
    assert "0 cells to run" in run(*arguments, "--dry-run")[1]
    assert "2 cells to run" in run(*arguments, "--dry-run", "--rerun", "all")[1]


@pytest.mark.parametrize("variant", ["sh[range=foo]", "ksh[labels=foo]"])
def test_a_word_that_is_not_allowed_is_found_before_work(run, tmp_path, variant):
    status, _, err = run("--methods", variant, "--bits", 8)
    assert status == 2 and "must be" in err and "'foo'" in err
    assert not list((tmp_path / "results").glob("cells/*/*"))
