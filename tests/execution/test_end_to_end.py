"""Deep methods trained on images by the command."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models

from features.backbones import Backbone
from methods.deep.training import seeded

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


@pytest.fixture
def photos(tmp_path):
    """Sixteen small pictures, red ones and blue ones, with tags and labels."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = [("image", "tags", "labels", "split")]
    for i in range(16):
        colour = ("red", "blue")[i % 2]
        picture = Image.new("RGB", (80, 60), colour)
        picture.paste("white", (*rng.integers(0, 40, 2).tolist(), 60, 50))
        picture.save(folder / f"{i}.png")
        rows.append(
            (f"{i}.png", f"{colour} thing", colour, "train+database" if i < 12 else "query")
        )
    with open(folder / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture
def network(tmp_path, monkeypatch):
    """Arguments that name SqueezeNet with random weights, looking at 64 x 64 pixels."""
    monkeypatch.setattr(Backbone, "crop_size", 64)
    path = tmp_path / "squeezenet1_1.pth"
    with seeded(0):
        torch.save(models.squeezenet1_1(weights=None).state_dict(), path)
    return ("--features", "squeezenet1_1", "--weights", path)


def records(results):
    paths = results.glob("cells/*/*/*/run.json")
    return {record["method"]: record for record in (json.loads(p.read_text()) for p in paths)}


def test_deep_methods_see_images_and_the_others_features(run, photos, network, tmp_path):
    methods = ("--methods", "lsh", "binary-tag[epochs=1,batch_size=6]", "--bits", "6")
    arguments = (*network, *methods, "--end-to-end")
    status, out, _ = run(*arguments, dataset=photos)
    assert status == 0
    assert "(binary-tag[epochs=1,batch_size=6])" in out
    assert "trained end to end, from a pretrained squeezenet1_1" in " ".join(out.split())
    stored = records(tmp_path / "results")
    deep, shallow = stored["binary-tag[epochs=1,batch_size=6]"], stored["lsh"]
    assert deep["specification"]["images"]["backbone"]["extractor"] == "squeezenet1_1"
    assert "images" not in shallow["specification"]
    (pixels,) = (tmp_path / "results/cache/features").glob("pixels-*.npy")
    assert np.load(pixels, mmap_mode="r").dtype == np.uint8
    assert not list((tmp_path / "results/cache").glob("checkpoints/*"))
    # On features it is another cell, and a second run computes nothing.
    status, _, _ = run(*network, *methods, dataset=photos)
    assert status == 0
    cells = list((tmp_path / "results").glob("cells/*/*/*/run.json"))
    assert len(cells) == 3
    times = [path.stat().st_mtime_ns for path in cells]
    run(*arguments, dataset=photos)
    assert [path.stat().st_mtime_ns for path in cells] == times


def test_a_network_may_look_at_more_than_256_pixels(run, photos, network, tmp_path, monkeypatch):
    monkeypatch.setattr(Backbone, "crop_size", 280)
    methods = ("--methods", "binary-tag[epochs=1,batch_size=6]", "--bits", "6")
    status, _, err = run(*network, *methods, "--end-to-end", dataset=photos)
    assert status == 0, err
    (pixels,) = (tmp_path / "results/cache/features").glob("pixels-*.npy")
    assert np.load(pixels, mmap_mode="r").shape == (16, 3 * 320 * 320)


def test_images_of_the_batch_are_rotated_end_to_end(run, photos, network, tmp_path):
    methods = ("--methods", "deepbit[epochs=1,batch_size=6]", "--bits", "5")
    status, _, err = run(*network, *methods, "--end-to-end", dataset=photos)
    assert status == 0, err
    (record,) = records(tmp_path / "results").values()
    assert "images" in record["specification"] and "copies" not in record["specification"]
    assert not any("left out" in message for message in record["warnings"])
    # The images and their pixels; no features of rotated ones.
    assert len(list((tmp_path / "results/cache/features").glob("*.npy"))) == 2


def test_without_a_network_there_is_no_end_to_end(run, photos):
    status, _, err = run("--features", "gist", "--end-to-end", dataset=photos)
    assert status == 2 and "--end-to-end needs a network, and gist is not one" in err
    status, _, err = run("--end-to-end", "--features", "blobs")
    assert status == 2 and "blobs is not one" in err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_refused_before_any_work(run):
    status, _, err = run("--device", "cuda", "--methods", "lsh")
    assert status == 2 and "torch finds no CUDA device here; use --device cpu" in err


@pytest.mark.slow
def test_real_photos_are_learnt_from_end_to_end(run, tmp_path):
    if not SHARED.exists():
        pytest.skip("needs ../shared/data")
    chosen, seen = [], Counter()
    with open(SHARED / "corel5k/manifest.csv", newline="") as file:
        for row in csv.DictReader(file):
            kind = row["labels"], row["split"]
            if row["labels"] in ("c100000", "c384000") and seen[kind] < 30:
                seen[kind] += 1
                chosen.append({**row, "image": str((SHARED / "corel5k" / row["image"]).resolve())})
    folder = tmp_path / "few"
    (folder / "images").mkdir(parents=True)
    for row in chosen:
        link = folder / "images" / Path(row["image"]).name
        shutil.copy(row["image"], link)
        row["image"] = f"images/{link.name}"
    with open(folder / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["image", "tags", "labels", "split"])
        writer.writeheader()
        writer.writerows(chosen)
    weights = SHARED / "weights/squeezenet1_0.pth"
    status, _, err = run(
        *("--features", "squeezenet1_0", "--weights", weights, "--end-to-end"),
        *("--word-vectors", SHARED / "word-vectors/glove300-tags.bin"),
        *("--methods", "wdht[epochs=1,batch_size=20]", "--bits", "12"),
        dataset=folder,
    )
    assert status == 0, err
    (record,) = records(tmp_path / "results").values()
    metrics = record["metrics"]
    assert metrics["mAP@all"]["value"] > metrics["base_rate"]["value"] + 0.1


def test_features_of_rotated_images_are_made_once_and_only_for_those_who_use_them(
    run, photos, tmp_path
):
    features = tmp_path / "results/cache/features"
    run("--features", "gist", "--methods", "lsh", "--bits", "4", dataset=photos)
    assert len(list(features.glob("gist-*.npy"))) == 1
    arguments = ("--features", "gist", "--methods", "lsh", "deepbit", "--bits", "4")
    assert "1 cells to run" in run(*arguments, "--dry-run", dataset=photos)[1]
    for _ in range(2):
        status, _, err = run(*arguments, dataset=photos)
        assert status == 0, err
    assert "1 cells to run" not in run(*arguments, "--dry-run", dataset=photos)[1]
    both = sorted(features.glob("gist-*.npy"), key=lambda path: len(np.load(path)))
    assert [len(np.load(path)) for path in both] == [16, 12 * 4]
    stored = records(tmp_path / "results")
    assert stored["deepbit"]["specification"]["copies"]["file"] == both[1].stem
    assert "copies" not in stored["lsh"]["specification"]
