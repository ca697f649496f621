"""A small data set with clusters, on disk, for runs of the whole command."""

import numpy as np
import pandas as pd
import pytest

from benchmark.cli.main import main

N_TRAIN, N_QUERY, N_CLASSES, N_FEATURES = 360, 40, 4, 32


@pytest.fixture
def data_folder(tmp_path):
    """A folder data set with given features ``blobs`` and no images."""
    rng = np.random.default_rng(0)
    n = N_TRAIN + N_QUERY
    classes = rng.integers(0, N_CLASSES, n)
    centres = 3 * rng.normal(size=(N_CLASSES, N_FEATURES))
    X = centres[classes] + rng.normal(size=(n, N_FEATURES))
    folder = tmp_path / "blobs"
    (folder / "features").mkdir(parents=True)
    np.save(folder / "features" / "blobs.npy", X.astype(np.float32))
    manifest = pd.DataFrame(
        {
            "image": "",
            "tags": [f"tag{c} common" for c in classes],
            "labels": [f"class{c}" for c in classes],
            "split": ["train+database"] * N_TRAIN + ["query"] * N_QUERY,
        }
    )
    manifest.to_csv(folder / "manifest.csv", index=False)
    return folder


@pytest.fixture
def no_figures(request, monkeypatch):
    """Leave out figures, four fifths of a small run, unless the test is marked figures."""
    if not request.node.get_closest_marker("figures"):
        monkeypatch.setattr("benchmark.reporting.plots.write_figures", lambda *arguments: [])


@pytest.fixture
def run(data_folder, tmp_path, capsys, no_figures):
    """Run the command in this process; returns (exit status, stdout, stderr)."""

    def call(*arguments, results=tmp_path / "results", dataset=data_folder, jobs=1):
        status = main(
            [
                *("--dataset", str(dataset), "--results", str(results), "--jobs", str(jobs)),
                *map(str, arguments),
            ]
        )
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def plugin(tmp_path):
    """Write a plug-in file with one method; returns its path."""

    def write(name="mine", body="", supervision="none"):
        path = tmp_path / f"{name.replace('-', '_')}.py"
        path.write_text(
            f'''
import os
import numpy as np
from methods import Hasher, register

@register("{name}", paper="none", supervision="{supervision}")
class Mine(Hasher):
    """Signs of the first features."""

    def __init__(self, n_bits=32, *, shift=0.0, random_state=None):
        self.n_bits, self.shift, self.random_state = n_bits, shift, random_state

    def fit(self, X, *, tags=None, labels=None):
        self.mean_ = X.mean(axis=0)
        {body or "pass"}
        return self

    def project(self, X):
        return (X - self.mean_)[:, : self.n_bits] + self.shift

    def operations(self, task):
        return 1.0
'''
        )
        return path

    return write


@pytest.fixture(autouse=True)
def forget_plugins():
    """Plug-ins of one test are unknown to the next."""
    import sys

    from benchmark.registry import datasets, extractors, methods

    with methods.temporary(), datasets.temporary(), extractors.temporary():
        yield
    for name in [m for m in sys.modules if m.startswith("hashbench_plugin_")]:
        del sys.modules[name]
