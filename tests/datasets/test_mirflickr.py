"""The MIRFLICKR-25K reader on miniature trees in the official formats, and on real labels."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets.collection import PaperSetting
from benchmark.datasets.given import check_given_features
from benchmark.datasets.lint import relevant_counts
from benchmark.datasets.mirflickr import ANNOTATIONS
from benchmark.datasets.opening import open_dataset
from benchmark.datasets.splits import draw_split
from benchmark.errors import InputError

REAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "mirflickr25k"
TOPIC_NAMES = """
animals baby bird car clouds dog female flower food indoor lake male night people plant_life
portrait river sea sky structures sunset transport tree water
"""
BASE = TOPIC_NAMES.split()
RELEVANT = "baby bird car clouds dog female flower male night people portrait river sea tree"
TOPICS = {
    "animals": [2, 5],
    "bird": [5],
    "bird_r1": [5],
    "sky": [1, 2, 9],
    "night": [4],
    "tree": [9, 10],
    "tree_r1": [10],
}
TAGS = {1: "explore\nsky\n", 2: "", 4: "sky\nrare\nsky\n", 9: "sunset\nété", 10: "explore"}


#: What the setting wmh means.
WMH_SETTING = "benchmark.datasets.copies.published.WMH"


def build(root, folder="mirflickr25k", images=range(1, 11)):
    """Ten images, 38 lists and a README; images 3, 6, 7 and 8 have no label."""
    home = root / folder
    tags = home / "mirflickr" / "meta" / "tags"
    tags.mkdir(parents=True)
    (home / ANNOTATIONS).mkdir()
    (home / ANNOTATIONS / "README.txt").write_text("Lists of image numbers, 1 to 25000.\n")
    for topic in [*BASE, *(f"{topic}_r1" for topic in RELEVANT.split())]:
        numbers = TOPICS.get(topic, [])
        (home / ANNOTATIONS / f"{topic}.txt").write_text("".join(f"{i}\r\n" for i in numbers))
    for i in range(1, 11):
        (tags / f"tags{i}.txt").write_text(TAGS.get(i, ""), encoding="utf-8")
    for i in images:
        Image.new("RGB", (4, 5), (20 * i, 0, 0)).save(home / "mirflickr" / f"im{i}.jpg")
    return home


@pytest.mark.parametrize("folder", ["mirflickr25k", "mirflickr", "."])
def test_38_labels(tmp_path, folder):
    build(tmp_path, folder)
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    assert len(data.label_names) == 38
    assert list(data.label_names) == sorted(data.label_names)
    assert "README" not in data.label_names
    names = [data.images.name(i) for i in range(len(data))]
    assert names == ["im1.jpg", "im2.jpg", "im4.jpg", "im5.jpg", "im9.jpg", "im10.jpg"]
    assert data.rows.tolist() == [0, 1, 3, 4, 8, 9]
    on = [{data.label_names[k] for k in np.flatnonzero(row)} for row in data.labels]
    assert on == [{"sky"}, {"animals", "sky"}, {"night"}, {"animals", "bird", "bird_r1"},
                  {"sky", "tree"}, {"tree", "tree_r1"}]  # fmt: skip
    assert data.tags == [("explore", "sky"), (), ("sky", "rare"), (), ("sunset", "été"),
                         ("explore",)]  # fmt: skip
    assert data.images.load(5).size == (4, 5)


def test_24_labels_have_the_same_relevance(tmp_path):
    build(tmp_path)
    fine = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    coarse = open_dataset("mirflickr25k[labels=24]", tmp_path, tmp_path / "cache")
    assert list(coarse.label_names) == BASE
    np.testing.assert_array_equal(fine.rows, coarse.rows)
    a, b = fine.labels.astype(int), coarse.labels.astype(int)
    np.testing.assert_array_equal(a @ a.T > 0, b @ b.T > 0)


def test_common_tags_limit_the_tags(tmp_path):
    home = build(tmp_path)
    (home / "mirflickr" / "doc").mkdir()
    (home / "mirflickr" / "doc" / "common_tags.txt").write_text("explore 2500\nsky 800\n")
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    assert data.tags == [("explore", "sky"), (), ("sky",), (), (), ("explore",)]
    assert not any("common_tags.txt is missing" in note for note in data.notes)


def test_sizes_and_small_trees(tmp_path):
    build(tmp_path)
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    assert (len(data.split.query), len(data.split.database)) == (1, 5)
    assert any("instead of 2,000 and 16,000" in note for note in data.notes)
    data = open_dataset("mirflickr25k[n_query=2,n_database=3]", tmp_path, tmp_path / "cache")
    assert (len(data), len(data.split.query), len(data.split.database)) == (5, 2, 3)
    assert len(data.rows) == 5
    assert data.n_rows == 10


def test_setting_wmh_takes_images_with_a_label_and_a_frequent_tag(tmp_path, monkeypatch):
    build(tmp_path)
    monkeypatch.setattr(
        "benchmark.datasets.copies.published.WMH", PaperSetting((1, 1), min_images=2)
    )
    data = open_dataset("mirflickr25k[setting=wmh]", tmp_path, tmp_path / "cache")
    # Of two images or more are explore (1, 10) and sky (1, 4); 2, 5 and 9 have none of them.
    assert set(data.rows.tolist()) <= {0, 3, 9}
    assert any("3 images have a label and a tag" in note for note in data.notes)
    assert set().union(*data.tags) <= {"explore", "sky"}


def test_missing_images_and_features_instead(tmp_path):
    home = build(tmp_path, images=[1, 2, 3, 4, 9])
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    assert data.rows.tolist() == [0, 1, 3, 8]
    assert any("2 of 6 images" in note for note in data.notes)
    for file in (home / "mirflickr").glob("*.jpg"):
        file.unlink()
    with pytest.raises(InputError, match=r"im1\.jpg.*MIRFLICKR page.*features"):
        open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    X = np.arange(10.0).reshape(10, 1)
    (home / "features").mkdir()
    np.save(home / "features" / "fc7.npy", X)
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    assert X[check_given_features(data, "fc7").rows].ravel().tolist() == [0, 1, 3, 4, 8, 9]


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(InputError, match=f"{ANNOTATIONS}, .*meta.* are missing.*official"):
        open_dataset("mirflickr25k", tmp_path, tmp_path)
    home = build(tmp_path)
    (home / ANNOTATIONS / "sea_r1.txt").unlink()
    data = open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    assert any("37 lists of topics, not 38" in note for note in data.notes)
    for wrong in ("0", "25001", "im7"):
        (home / ANNOTATIONS / "sea.txt").write_text(f"3\n{wrong}\n")
        with pytest.raises(InputError, match=rf"sea\.txt: '{wrong}'"):
            open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    for file in (home / ANNOTATIONS).iterdir():
        file.write_text("")
    with pytest.raises(InputError, match="0 items can be chosen"):
        open_dataset("mirflickr25k", tmp_path, tmp_path / "cache")
    shutil.rmtree(home / ANNOTATIONS)
    with pytest.raises(InputError, match=f"{ANNOTATIONS} is missing"):
        open_dataset("mirflickr25k", tmp_path, tmp_path)
    with pytest.raises(InputError, match="38 or 24"):
        open_dataset("mirflickr25k[labels=14]", tmp_path, tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared folder with MIRFLICKR's labels")
def test_base_rate_of_the_published_split():
    with np.load(REAL / "mirflickr25k_labels38_all25000.npz") as stored:
        labels = stored["labels"].astype(bool)
    pool = np.flatnonzero(labels.any(axis=1))
    assert len(pool) == 24_581
    split = draw_split(pool, 2000, 16_000, seed=0)
    counts = relevant_counts(labels[split.query], labels[split.database])
    assert counts.mean() / 16_000 == pytest.approx(0.554, abs=0.008)
    assert counts.min() > 500
