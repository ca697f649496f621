"""Every layout runs from one command: ITQ everywhere, WDHT where there are tags."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import test_crossmodal as crossmodal
import test_lists as lists
import test_mirflickr as mirflickr
import test_nuswide as nuswide
from PIL import Image

from benchmark import Study
from benchmark.cli.main import main
from benchmark.errors import InputError

#: Photos of NUS-WIDE, of which two are missing.
N = 60


def runs(tmp_path, dataset, methods=("itq", "wdht"), features=None):
    """Run the study of a command; every cell must be done."""
    study = Study(
        dataset,
        data_root=tmp_path,
        results=tmp_path / "results",
        methods=methods,
        bits=[4],
        jobs=1,
        features=features,
        set=["wdht.epochs=2"] if "wdht" in methods else (),
    )
    assert [cell.status for cell in study.run().cells] == ["done"] * len(methods)


def test_nuswide_without_image_list_and_with_photos_missing(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    concepts = ["sky", "lake", "tree"]
    some = [[c for c in concepts if rng.random() < 0.5] or ["sky"] for _ in range(N)]
    photos = [(100 + k, given, " ".join(given)) for k, given in enumerate(some)]
    monkeypatch.setattr(nuswide, "PHOTOS", photos)
    home = nuswide.build(tmp_path, images=False)
    (home / "ImageList" / "Imagelist.txt").unlink()
    for k, (number, _, _) in enumerate(photos[:-2]):
        file = home / "images" / f"{k:04d}_{number}.jpg"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(file)
    command = ["--dataset", "nuswide", "--data-root", str(tmp_path), "--features", "gist"]
    command += ["--methods", "itq", "wdht", "--set", "wdht.epochs=2", "--bits", "4", "--jobs", "1"]
    assert main([*command, "--results", str(tmp_path / "results")]) == 0
    with pytest.raises(InputError, match="2 images are missing"):
        Study("nuswide", data_root=tmp_path, results=tmp_path / "r", on_missing_image="error").run()


@pytest.mark.parametrize("as_folder", [False, True])
def test_three_matlab_files(tmp_path, as_folder):
    home = tmp_path / "mirflickr25k"
    home.mkdir()
    X, L, T = (np.concatenate([part] * 3) for part in (crossmodal.X, crossmodal.L, crossmodal.T))
    for name, variable, value in (
        ("iall-vgg", "XAll", X),
        ("lall", "LAll", L),
        ("yall", "YAll", T),
    ):
        crossmodal.matlab5(home / f"mirflickr25k-{name}.mat", **{variable: value})
    runs(tmp_path, str(home) if as_folder else "mirflickr25k")


def test_one_hdf5_file_with_a_split(tmp_path):
    variables = {}
    for part, n in (("db", 60), ("tr", 40), ("te", 10)):
        rows = np.random.default_rng(n).integers(0, crossmodal.N, n)
        for letter, value in (("I", crossmodal.X), ("L", crossmodal.L), ("T", crossmodal.T)):
            variables[f"{letter}_{part}"] = value[rows]
    crossmodal.matlab73(tmp_path / "raw_mir.mat", **variables)
    runs(tmp_path, str(tmp_path / "raw_mir.mat"))


def test_binary_features_of_mirflickr(tmp_path, monkeypatch):
    home = mirflickr.build(tmp_path, images=[])
    from test_binary_features import write

    X = np.random.default_rng(0).normal(size=(10, 4))
    write(home / "vgg16", [f"im{i}" for i in range(1, 11)], X)
    runs(tmp_path, "mirflickr25k", methods=["itq"])


@pytest.mark.parametrize("write", lists.FORMS, ids=lambda write: write.__name__)
def test_lists(tmp_path, write):
    home = tmp_path / "lists"
    (home / "features").mkdir(parents=True)
    write(home)
    X = np.random.default_rng(0).normal(size=(16, 6)).astype(np.float32)
    np.save(home / "features" / "vgg.npy", X)
    runs(tmp_path, str(home), methods=["itq"])


def test_a_list_with_tags_and_an_unseen_database(tmp_path):
    home = tmp_path / "lists"
    home.mkdir()
    lists.deep_hash(home)
    lists.photos(home)
    lists.all_tags(home)
    runs(tmp_path, f"{home}[unseen]", features="gist")


def test_the_same_photos_through_a_list(tmp_path):
    """Labels and tags of items that the official tree and a list share are equal."""
    home = nuswide.build(tmp_path / "official")
    official = Study("nuswide", data_root=tmp_path / "official", results=tmp_path / "r")
    a = official.open_dataset("nuswide")
    listed = tmp_path / "listed"
    shutil.copytree(home / "Flickr", listed / "Flickr")
    shutil.copytree(home / "NUS_WID_Tags", listed / "NUS_WID_Tags")
    rows = [
        f"/somewhere/{a.images.name(i)} {' '.join(map(str, a.labels[i].astype(int)))}\n"
        for i in range(len(a))
    ]
    (listed / "database.txt").write_text("".join(rows[:5]))
    (listed / "test.txt").write_text("".join(rows[5:]))
    b = official.open_dataset(str(listed))
    np.testing.assert_array_equal(a.labels, b.labels)
    assert list(a.tags) == list(b.tags)
    for i in range(len(a)):
        assert a.images.load(i).tobytes() == b.images.load(i).tobytes()
