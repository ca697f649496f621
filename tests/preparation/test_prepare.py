"""Images to cells: extraction, images that cannot be read, what a dry run knows."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture
def photo_folder(tmp_path):
    """60 small images of two kinds; one of them is damaged."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    rows = []
    for i in range(60):
        stripes = np.indices((32, 32))[i % 2] // 4 % 2 * 200
        pixels = np.clip(stripes + rng.normal(0, 20, (32, 32)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        split = "query" if i >= 50 else "train+database"
        rows.append((f"{i}.png", "", f"kind{i % 2}", split))
    (folder / "7.png").write_bytes(b"no image at all")
    columns = ["image", "tags", "labels", "split"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "manifest.csv", index=False)
    return folder


GIST = ("--features", "gist", "--methods", "pcah", "--bits", "1")


def test_unreadable_image_is_left_out_and_named(run, photo_folder, tmp_path):
    status, _, err = run(*GIST, dataset=photo_folder)
    assert status == 0
    warnings = [line for line in err.splitlines() if "cannot be read" in line]
    assert len(warnings) == 1 and "7.png" in warnings[0]
    (profile,) = (tmp_path / "results/cells").glob("*/*/*/profile.npz")
    with np.load(profile) as arrays:
        assert (arrays["items"].sum(axis=1) == 49).all()
    summary = pd.read_csv(tmp_path / "results/photos/gist/summary.csv")
    assert summary.query("metric == 'mAP@all'").value.item() > 0.9


def test_unreadable_image_is_an_error_if_the_user_says_so(run, photo_folder, tmp_path):
    status, out, err = run(*GIST, "--on-bad-image", "error", dataset=photo_folder)
    assert (status, out) == (2, "")
    assert "7.png" in err.splitlines()[-1] and "--on-bad-image skip" in err
    assert not (tmp_path / "results/cells").exists()
    # The features of the other images are not lost.
    assert "extracting" not in run(*GIST, dataset=photo_folder)[2]


def test_dry_run_extracts_nothing(run, photo_folder, tmp_path):
    status, out, _ = run(*GIST, "--dry-run", dataset=photo_folder)
    assert status == 0
    assert "1 cells to run" in out and "features of 60 images" in out
    assert not (tmp_path / "results/cache/features").exists()
    run(*GIST, dataset=photo_folder)
    assert "0 cells to run" in run(*GIST, "--dry-run", dataset=photo_folder)[1]


def test_weights_cannot_be_fetched(run, photo_folder, tmp_path, monkeypatch):
    import urllib.error
    import urllib.request

    def refuse(*arguments, **options):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    status, out, err = run("--methods", "lsh", "--bits", "4", dataset=photo_folder)
    assert (status, out) == (2, "")
    last = err.strip().splitlines()[-1]
    assert "--weights" in last and "--list features" in last


def test_features_that_are_there_win_over_extractors(run, photo_folder, tmp_path):
    (photo_folder / "features").mkdir()
    X = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    np.save(photo_folder / "features" / "gist.npy", X)
    assert run(*GIST, dataset=photo_folder)[0] == 0
    assert not (tmp_path / "results/cache/features").exists()


def test_changed_feature_file_is_noticed(run, data_folder, tmp_path):
    run("--methods", "pcah", "--bits", "8")
    path = data_folder / "features" / "blobs.npy"
    np.save(path, np.load(path)[:, ::-1] * 2)
    run("--methods", "pcah", "--bits", "8")
    assert len(list((tmp_path / "results/cells").glob("*/*/*/run.json"))) == 2


def test_real_photos_reproduce_the_reference(tmp_path, capsys):
    """ITQ on 4,999 photos; needs the features in the cache of an earlier run to be quick."""
    from pathlib import Path

    from benchmark.cli.main import main

    root = Path(__file__).resolve().parents[2]
    shared = root / "../shared/data"
    cache = root / "results/cache"
    if not shared.exists() or not list(cache.glob("features/squeezenet1_0-*.npy")):
        pytest.skip("needs ../shared/data/corel5k and its extracted features in results/cache")
    status = main(
        [
            *("--dataset", str(shared / "corel5k"), "--features", "squeezenet1_0"),
            *("--weights", str(shared / "weights/squeezenet1_0.pth"), "--methods", "itq"),
            *("--cache", str(cache), "--results", str(tmp_path), "--jobs", "1"),
        ]
    )
    capsys.readouterr()
    assert status == 0
    summary = pd.read_csv(tmp_path / "corel5k" / "squeezenet1_0" / "summary.csv")
    values = summary.query("metric == 'mAP@all'").sort_values("bits").value
    np.testing.assert_allclose(values, [0.103, 0.129, 0.140, 0.152], atol=0.012)
