"""--tune: what is tried and chosen, from which data, and what is stored and said of it."""

import json
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from benchmark.cli.main import main
from benchmark.execution.tuning import Training, n_validation, points_of, similar_tags, tune
from benchmark.registry import load_plugins, methods
from benchmark.reporting.footnotes import describe_tuning
from benchmark.store.record import CellResult, TunedPoint, Tuning
from features.pixels import ImageArray
from features.tags import tag_matrix
from methods import Hasher, Quantizer

# ``noise`` drowns the features, ``keep`` leaves out most of them: the best point is (0.0, 32).
METHOD = '''
import numpy as np
from methods import Hasher, register

@register("{name}", paper="none", supervision="{supervision}")
class Noisy(Hasher):
    """Random projections of features and noise."""

    grid = {{"noise": (0.0, 1.0, 50.0), "keep": (2, 32)}}
    presets = {{"paper": {{"noise": 9.0}}}}

    def __init__(
        self, n_bits=32, *, noise=50.0, keep=2, fail=0.5, preset="default", random_state=None
    ):
        self.n_bits, self.noise, self.keep = n_bits, noise, keep
        self.fail, self.preset, self.random_state = fail, preset, random_state

    def fit(self, X, *, tags=None, labels=None):
        X = self.check_training_data(X)
        {body}
        p = self.in_force()
        if p.noise == self.fail:
            raise FloatingPointError("the loss is nan")
        rng = np.random.default_rng(self.random_state)
        self.mean_ = X.mean(axis=0)
        self.axes_ = rng.normal(size=(X.shape[1], self.n_bits))
        self.kept_ = np.arange(X.shape[1]) < p.keep
        self.noise_ = p.noise
        return self

    def project(self, X):
        spread = np.sin(1e4 * X).sum(axis=1, keepdims=True)
        offsets = self.noise_ * np.sin(spread * np.arange(1, self.n_bits + 1))
        return (X - self.mean_) * self.kept_ @ self.axes_ + 10 * offsets

    def operations(self, task):
        return float(task.n_train) * self.keep
'''
TUNED = ("--methods", "noisy", "--bits", "16", "--tune")


@pytest.fixture
def noisy(tmp_path):
    """Write the plug-in; returns the options that load it."""

    def write(name="noisy", supervision="none", body="pass"):
        path = tmp_path / f"{name}.py"
        path.write_text(METHOD.format(name=name, supervision=supervision, body=body))
        return ("--plugin", path)

    return write


def the_record(results):
    (path,) = (results / "cells").glob("*/*/*/run.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("relevance", ["labels", "tags"])
def test_the_best_point_is_chosen_and_every_point_is_stored(run, noisy, tmp_path, relevance):
    status, _, err = run(*noisy(), *TUNED, relevance)
    assert status == 0, err
    record = the_record(tmp_path / "results")
    assert record["specification"]["tune"] == relevance
    tuned = record["tuned"]
    assert tuned["chosen"] == {"noise": 0.0, "keep": 32}
    assert (tuned["relevance"], tuned["n_fit"], tuned["n_validation"]) == (relevance, 288, 72)
    points = [tuple(trial["parameters"].values()) for trial in tuned["trials"]]
    assert points[0] == (50.0, 2)
    assert sorted(points) == [(n, k) for n in (0.0, 1.0, 50.0) for k in (2, 32)]
    values = {p: trial["mAP"] for p, trial in zip(points, tuned["trials"], strict=True)}
    assert max(values, key=values.get) == (0.0, 32)
    # Well separated clusters, of which noise leaves the base rate of a quarter.
    assert values[0.0, 32] > 0.8 and values[50.0, 2] < 0.5


def test_the_chosen_point_is_fitted_on_all_training_items(run, noisy, tmp_path):
    run(*noisy(), *TUNED, "labels", results=tmp_path / "tuned")
    run(*noisy(), "--methods", "noisy[noise=0,keep=32]", "--bits", 16, results=tmp_path / "set")
    tuned, given = (the_record(tmp_path / name)["metrics"] for name in ("tuned", "set"))
    assert tuned["mAP@all"] == given["mAP@all"]
    assert "tune" in the_record(tmp_path / "tuned")["seconds"]


def test_what_the_user_has_set_stays(run, noisy, tmp_path):
    run(*noisy(), *TUNED, "labels", "--set", "noisy.noise=1")
    tuned = the_record(tmp_path / "results")["tuned"]
    assert [trial["parameters"] for trial in tuned["trials"]] == [{"keep": 2}, {"keep": 32}]


@pytest.mark.parametrize("method", ["noisy[preset=paper]", "noisy[noise=1,keep=32]", "lsh"])
def test_where_nothing_is_to_be_chosen_the_cell_is_that_of_a_run_without_tuning(
    run, noisy, tmp_path, method
):
    plugin = noisy()
    run(*plugin, "--methods", method, "--bits", 16)
    assert run(*plugin, "--methods", method, "--bits", 16, "--tune", "tags")[0] == 0
    record = the_record(tmp_path / "results")
    assert "tune" not in record["specification"] and record["tuned"] is None


def test_another_relevance_is_another_cell_and_the_same_one_is_not_run_again(run, noisy, tmp_path):
    plugin = noisy()
    for how in ("labels", "tags", "labels"):
        assert run(*plugin, *TUNED, how)[0] == 0
    assert run(*plugin, *TUNED[:-1])[0] == 0
    files = list((tmp_path / "results/cells").glob("*/*/*/run.json"))
    assert len(files) == 3
    text = (tmp_path / "results/blobs/blobs/tables/all.md").read_text()
    assert "uned" not in text


def test_queries_cannot_change_the_choice(run, noisy, data_folder, tmp_path):
    plugin = noisy()
    run(*plugin, *TUNED, "labels", results=tmp_path / "before")
    manifest = pd.read_csv(data_folder / "manifest.csv")
    query = (manifest.split == "query").to_numpy()
    rng = np.random.default_rng(1)
    manifest.loc[query, "labels"] = rng.permutation(manifest.labels[query])
    manifest.loc[query, "tags"] = "tag0"
    manifest.to_csv(data_folder / "manifest.csv", index=False)
    path = data_folder / "features/blobs.npy"
    X = np.load(path)
    X[query] = rng.normal(size=X[query].shape)
    np.save(path, X)
    run(*plugin, *TUNED, "labels", results=tmp_path / "after")
    before, after = (the_record(tmp_path / name) for name in ("before", "after"))
    assert before["metrics"]["mAP@all"] != after["metrics"]["mAP@all"]
    values = [[trial["mAP"] for trial in r["tuned"]["trials"]] for r in (before, after)]
    assert values[0] == values[1]


class Untouchable:
    """Labels that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"somebody looked at the labels: {name}")

    __getitem__ = __array__ = __len__ = __getattr__


def some_training(n=400, labels=None):
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 4, n)
    X = 3 * rng.normal(size=(4, 16))[classes] + rng.normal(size=(n, 16))
    tags = tag_matrix([(f"a{c}", f"b{c}", "common") for c in classes])
    multi_hot = np.eye(4, dtype=bool)[classes]
    return Training(X, tags, multi_hot if labels is None else labels)


class Shifted(Hasher):
    """Signs of random projections; a large shift makes all codes alike."""

    supervision = "tags"
    grid: ClassVar[dict] = {"shift": (0.0, 1000.0, 2000.0)}

    def __init__(self, n_bits=16, *, shift=1000.0, random_state=0):
        self.n_bits, self.shift, self.random_state = n_bits, shift, random_state

    def fit(self, X, *, tags=None, labels=None):
        assert labels is None and tags.shape[0] == len(X) and tags.words
        self.mean_ = X.mean(axis=0)
        self.axes_ = np.random.default_rng(0).normal(size=(X.shape[1], self.n_bits))
        return self

    def project(self, X):
        return (X - self.mean_) @ self.axes_ + self.shift


def test_similar_tags_are_the_nearest_of_weighted_tag_vectors():
    rng = np.random.default_rng(0)
    names = [tuple(f"t{j}" for j in range(12) if rng.random() < 1 / (j + 1)) for _ in range(200)]
    names[3] = ("t0",)  # t0 is carried by all items but the last two, t1 by about half of them
    names[-2:] = [(), ("lonely",)]
    n, counts = len(names), {t: sum(t in own for own in names) for own in names for t in own}

    def cosine(a, b):
        def norm(own):
            return np.sqrt(sum(np.log(n / counts[t]) ** 2 for t in own))

        return sum(np.log(n / counts[t]) ** 2 for t in set(a) & set(b)) / (norm(a) * norm(b))

    judge = similar_tags(tag_matrix(names))
    assert np.flatnonzero(~judge.known).tolist() == [198]
    queries, items = np.array([3, 17, 60, 199]), np.arange(100, 198)
    own_label, labels = judge.as_labels(queries, items)
    assert (own_label == np.eye(4)).all()
    for query, relevant in zip(queries, labels.T, strict=True):
        values = np.array([cosine(names[query], names[i]) for i in items])
        third = np.sort(values)[-3]
        # Not at the third value itself, where the last digit would decide.
        clear = np.abs(values - third) > 1e-9
        assert (relevant[clear] == (values > third)[clear]).all()
        assert relevant[~clear].all() == (third > 0)
    assert not labels[:, 3].any() and labels[:, 1].sum() >= 3


def test_labels_are_not_touched_where_tags_judge():
    hasher = Shifted()
    tuned = tune(hasher, points_of(hasher, {}), some_training(labels=Untouchable()), "tags", "tags")
    assert tuned.chosen == {"shift": 0.0}
    with pytest.raises(AssertionError, match="looked at the labels"):
        tune(hasher, points_of(hasher, {}), some_training(labels=Untouchable()), "labels", "tags")


def test_the_first_of_equal_points_is_chosen():
    hasher = Shifted()
    points = points_of(hasher, {})
    assert points == [{"shift": 1000.0}, {"shift": 0.0}, {"shift": 2000.0}]
    tuned = tune(hasher, [points[0], points[2]], some_training(), "labels", "tags")
    assert tuned.trials[0].mAP == tuned.trials[1].mAP
    assert tuned.chosen == {"shift": 1000.0}
    assert not hasattr(hasher, "mean_") and hasher.shift == 1000.0


class Words(Quantizer):
    """Code words drawn from the training items; a score is minus a squared distance, or none."""

    supervision = "none"
    grid: ClassVar[dict] = {"blind": (True, False)}

    def __init__(self, n_bits=8, *, blind=True, random_state=0):
        self.n_bits, self.blind, self.random_state = n_bits, blind, random_state

    def fit(self, X, *, tags=None, labels=None):
        self.words_ = X[np.random.default_rng(0).choice(len(X), 256, replace=False)]
        return self

    def distances(self, X):
        return ((X[:, None] - self.words_) ** 2).sum(axis=2)

    def assign(self, X):
        return self.distances(X).argmin(axis=1)[:, None]

    def tables(self, X):
        return -self.distances(X)[:, None] * (not self.blind)


def test_quantisers_are_judged_by_their_scores():
    tuned = tune(Words(), points_of(Words(), {}), some_training(), "labels")
    blind, seeing = (trial.mAP for trial in tuned.trials)
    assert tuned.chosen == {"blind": False} and seeing > 0.9 and 0.2 < blind < 0.3


def test_images_are_cut_as_features_are():
    pixels = np.random.default_rng(0).integers(0, 256, (400, 3, 2, 2), dtype=np.uint8)
    data = some_training()
    images = ImageArray(pixels, np.arange(400), "resnet18")
    seen = []

    class EndToEnd(Shifted):
        end_to_end = True

        def fit(self, X, *, tags=None, labels=None):
            seen.append(X)
            self.n_features_in_ = 3
            self.fitted_ = True
            return self

        def project(self, X):
            return X.read(slice(None)).reshape(len(X), -1)[:, :8] - 127.0

    tuned = tune(EndToEnd(8), [{}], Training(images, data.tags, data.labels), "tags", "tags")
    assert (len(seen[0]), tuned.n_validation) == (320, 80)


def test_a_grid_without_the_default_tries_it_too():
    assert points_of(Shifted(shift=7.0), {})[0] == {"shift": 7.0}
    assert len(points_of(Shifted(shift=7.0), {})) == 4
    assert points_of(Shifted(), {"shift": 5.0}) == []


def test_each_training_item_is_fitted_or_asked_for():
    seen = []

    class Watched(Shifted):
        def fit(self, X, *, tags=None, labels=None):
            seen.append(X)
            return super().fit(X, tags=tags)

        def encode_queries(self, X):
            seen.append(X)
            return super().encode_queries(X)

    data = some_training()
    tune(Watched(), [{"shift": 0.0}], data, "labels", "tags")
    assert [len(X) for X in seen] == [320, 80]
    assert sorted(map(tuple, np.concatenate(seen))) == sorted(map(tuple, data.items))


def test_at_most_a_thousand_queries():
    assert [n_validation(n) for n in (1, 4, 50, 4500, 10**6)] == [1, 1, 10, 900, 1000]


def test_items_that_cannot_be_judged_are_no_queries():
    data = some_training()
    labels = data.labels.copy()
    labels[100:] = False
    hasher = Shifted()
    tuned = tune(
        hasher, points_of(hasher, {}), Training(data.items, data.tags, labels), "labels", "tags"
    )
    assert (tuned.n_validation, tuned.n_fit) == (20, 380)


def test_a_point_that_cannot_be_fitted_is_not_chosen(run, noisy, tmp_path):
    status, _, err = run(*noisy(), *TUNED, "labels", "--set", "noisy.fail=0.0")
    assert status == 0, err
    tuned = the_record(tmp_path / "results")["tuned"]
    lost = [trial for trial in tuned["trials"] if trial["error"]]
    assert [trial["parameters"]["noise"] for trial in lost] == [0.0, 0.0]
    assert all("FloatingPointError: the loss is nan" in trial["error"] for trial in lost)
    assert tuned["chosen"]["noise"] == 1.0


def test_where_no_point_can_be_fitted_the_cell_fails(run, noisy):
    plugin = noisy(body="raise ValueError('no use')")
    status, _, err = run(*plugin, *TUNED, "labels")
    assert status == 1 and "no use" in err


def test_a_mistake_of_the_method_is_no_bad_point(run, noisy):
    plugin = noisy(body="if p_noise: pass")
    status, _, err = run(*plugin, *TUNED, "labels")
    assert status == 1 and "NameError" in err


def test_points_do_not_go_on_from_each_others_checkpoints(run, noisy, tmp_path):
    log = tmp_path / "folders"
    body = (
        "from methods.deep.context import training_context; "
        f"print(training_context().checkpoints, file=open({str(log)!r}, 'a'))"
    )
    assert run(*noisy(body=body), *TUNED, "labels")[0] == 0
    folders = log.read_text().split()
    assert len(folders) == 7 == len(set(folders))


@pytest.mark.parametrize("relevance", ["labels", "tags"])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_data_without_what_is_to_judge_are_refused(
    run, noisy, data_folder, tmp_path, relevance, more
):
    manifest = pd.read_csv(data_folder / "manifest.csv")
    database = manifest[:50].assign(split="database")
    manifest["split"] = manifest.split.where(manifest.split == "query", "train")
    manifest.loc[manifest.split == "train", relevance] = ""
    pd.concat([manifest, database]).to_csv(data_folder / "manifest.csv", index=False)
    path = data_folder / "features/blobs.npy"
    X = np.load(path)
    np.save(path, np.concatenate([X, X[:50] + 0.01]))
    plugin = noisy()
    status, out, err = run(*plugin, *TUNED, relevance, *more)
    (line,) = err.strip().splitlines()
    assert (status, out) == (2, "")
    assert f"--tune {relevance}: no training item of data set blobs has a {relevance[:-1]}" in line
    assert not (tmp_path / "results/cells").exists()
    other = {"labels": "tags", "tags": "labels"}[relevance]
    assert run(*plugin, *TUNED, other, *more)[0] == 0


def test_an_unknown_relevance_is_refused(capsys):
    assert main(["--tune", "queries"]) == 2
    assert "labels" in capsys.readouterr().err


def test_the_price_has_the_whole_grid(noisy, data_folder):
    from benchmark.execution.grid import Grid
    from benchmark.preparation.features import Prepared
    from benchmark.protocol.protocol import find_protocol
    from methods import Task

    load_plugins([noisy()[1]])
    variants = [methods.parse("noisy")]
    task = Task(400, 8, has_labels=True)
    for relevance, expected in ((None, 400 * 2), ("labels", 400 * 2 + 320 * 3 * (2 + 32))):
        grid = Grid(variants, [8], [0], find_protocol("wdht"), relevance)
        (cell,) = grid.cells(Prepared(None, {"dataset": "x"}, {}, task, None))
        assert cell.operations == expected


def test_a_method_with_labels_tuned_on_tags_depends_on_the_tags(run, noisy, tmp_path):
    plugin = noisy("strict", "labels", "assert labels is not None and tags is None")
    options = ("--methods", "strict", "--bits", 8, "--tune")
    assert run(*plugin, *options, "labels")[0] == 0
    assert "tags" not in the_record(tmp_path / "results")["specification"]
    other = tmp_path / "other"
    assert run(*plugin, *options, "tags", results=other)[0] == 0
    assert "tags" in the_record(other)["specification"]


def test_what_was_tuned_survives_being_stored():
    trials = [
        TunedPoint({"a": 1.0, "b": "x"}, 0.5, 1.5),
        TunedPoint({"a": 2.0, "b": "y"}, None, 0.5, "no"),
    ]
    tuned = Tuning("tags", 80, 20, trials)
    again = Tuning.of_record(json.loads(json.dumps(tuned.record())))
    assert again == tuned and str(again) == "a=1.0, b=x"


def test_tables_say_what_was_tuned_on_what(run, noisy, tmp_path):
    options = ("--methods", "noisy", "lsh", "--bits", "8", "16", "--seeds", "0", "1")
    out = run(*noisy(), *options, "--tune", "tags")[1]
    note = "tuned on tags of a validation part: noise=0.0, keep=32 at 8, 16 bits"
    assert f"(1) {note}" in " ".join(out.split()) and "Noisy (noisy) (1)" in out
    folder = tmp_path / "results/blobs/blobs/tables"
    page = (folder / "all.md").read_text()
    line = (
        "- Tuned on tags of a validation part of the training items, without the queries: noisy; "
        "footnotes say what was chosen."
    )
    assert line in page.split("\n## ")[0].splitlines() and note in page
    assert note in (folder / "mAP@all.csv").read_text()
    assert "tuned on tags of a validation part" in (folder / "mAP@all.tex").read_text()
    header = (tmp_path / "results/blobs/blobs/summary.csv").read_text().split("\n")[0]
    assert header == "dataset,features,method,bits,seed,status,metric,value,low,high"


def test_seeds_that_chose_differently_are_named():
    def cell(bits, seed, a):
        tuned = Tuning("labels", 8, 2, [TunedPoint({"a": a}, 0.5)])
        return CellResult("x", "y", "m", bits, seed, "done", tuned=tuned)

    cells = [cell(24, 0, 1), cell(12, 1, 2), cell(12, 0, 1), cell(12, 2, 1), cell(24, 1, 1)]
    assert describe_tuning(cells) == (
        "tuned on labels of a validation part: "
        "a=1 at 12 (seeds 0, 2), 24 bits; a=2 at 12 (seed 1) bits"
    )
    assert describe_tuning([CellResult("x", "y", "m", 12, 0, "done")]) == ""


@pytest.mark.parametrize("name", [n for n in methods.names() if methods.find(n).load().grid])
def test_every_point_of_a_declared_grid_is_one_that_the_method_accepts(name):
    hasher = methods.find(name).load()(n_bits=16)
    points = points_of(hasher, {})
    assert 2 <= len(points) <= 10
    for point in points:
        clone(hasher).set_params(**point).check_parameters()
