"""The MIRFLICKR-1M reader on a miniature tree in the official layout."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import mirflickr1m
from benchmark.datasets.mirflickr import ANNOTATIONS
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError

#: Tags of some images.  With two tags chosen these are sky (4) and sea (3); the others have 2 at
#: most.  Images from 20 on lie outside the labelled ones.
TAGS = {
    0: "sky\nsea\n",
    1: "sky",
    3: "été\nsky\nsky\n",
    5: "",
    20: "sea",
    21: "rare\nold\n",
    22: "old\nsky\nsea",
    31: "été",
}


@pytest.fixture
def small(monkeypatch):
    """Ten images in a folder, twenty labelled."""
    monkeypatch.setattr(mirflickr1m, "IN_FOLDER", 10)
    monkeypatch.setattr(mirflickr1m, "N_IMAGES", 20)


def build(root, *, images=True, prefix=""):
    home = root / "mirflickr1m"
    (home / ANNOTATIONS).mkdir(parents=True)
    (home / ANNOTATIONS / "README.txt").write_text("no list\n")
    # 1-based numbers of MIRFLICKR-25K: image i of the million is number i + 1 there.
    for topic, numbers in {"sky": range(1, 11), "sky_r1": [1], "sea": range(8, 21)}.items():
        (home / ANNOTATIONS / f"{topic}.txt").write_text("".join(f"{i}\n" for i in numbers))
    for i in range(33):
        for folder in ("tags", "images"):
            (home / folder / str(i // 10)).mkdir(parents=True, exist_ok=True)
        if i in TAGS:
            file = home / "tags" / str(i // 10) / f"{prefix}{i}.txt"
            file.write_text(TAGS[i], encoding="utf-8")
        if images:
            picture = Image.new("RGB", (4, 5), (7 * i, 0, 0))
            picture.save(home / "images" / str(i // 10) / f"{i}.jpg")
    return home


def numbers(data, part):
    return [int(data.images.name(i).partition("/")[2][:-4]) for i in part]


@pytest.mark.parametrize("prefix", ["", "tags"])
def test_training_on_tagged_and_labelled_images_retrieval_among_labelled(small, tmp_path, prefix):
    build(tmp_path, prefix=prefix)
    data = open_dataset("mirflickr1m[n_tags=2,n_query=5]", tmp_path, tmp_path / "cache")
    query, database = numbers(data, data.split.query), numbers(data, data.split.database)
    assert sorted(query + database) == list(range(20))
    assert len(query) == 5
    tagged = {0, 1, 3, 20, 22}
    assert set(numbers(data, data.split.train)) == set(database) | (tagged - set(query))
    assert not set(query) & set(numbers(data, data.split.train))
    assert any("5 of 32 images" in note for note in data.notes)


def test_labels_and_tags_of_items(small, tmp_path):
    build(tmp_path)
    data = open_dataset("mirflickr1m[n_tags=2,n_query=5]", tmp_path, tmp_path / "cache")
    item = {number: i for i, number in enumerate(numbers(data, range(len(data))))}
    assert list(data.label_names) == ["sea", "sky", "sky_r1"]
    on = {n: {data.label_names[k] for k in np.flatnonzero(data.labels[i])} for n, i in item.items()}
    assert on[0] == {"sky", "sky_r1"}
    assert on[7] == {"sky", "sea"}
    assert on[19] == {"sea"}
    assert on[20] == on[22] == set()
    tags = {n: data.tags[i] for n, i in item.items()}
    assert tags[0] == ("sky", "sea")
    assert tags[3] == ("sky",)
    assert tags[5] == tags[4] == ()
    assert tags[22] == ("sky", "sea")
    assert 21 not in item and 31 not in item
    assert data.images.load(item[22]).size == (4, 5)


def test_the_most_frequent_tags_are_chosen_and_ties_are_alphabetical(small, tmp_path):
    home = build(tmp_path)
    assert mirflickr1m.read_frequent_tags(home / "tags", 1).words == ("sky",)
    assert mirflickr1m.read_frequent_tags(home / "tags", 3).words == ("sky", "sea", "old")
    everything = mirflickr1m.read_frequent_tags(home / "tags", 100)
    assert everything.words == ("sky", "sea", "old", "été", "rare")
    assert everything[3] == ("été", "sky")
    assert everything.counts.tolist()[:6] == [2, 1, 0, 2, 0, 0]
    assert len(everything) == 32


def test_a_split_is_kept_and_depends_on_the_tags(small, tmp_path):
    home = build(tmp_path)
    text = "mirflickr1m[n_tags=2,n_query=5]"
    first = open_dataset(text, tmp_path, tmp_path / "cache")
    again = open_dataset(text, tmp_path, tmp_path / "cache")
    assert (first.fingerprint, first.split.checksum) == (again.fingerprint, again.split.checksum)
    (home / "tags" / "3" / "32.txt").write_text("sky")
    other = open_dataset(text, tmp_path, tmp_path / "cache")
    assert other.fingerprint != first.fingerprint
    assert 32 in numbers(other, other.split.train)


def test_features_in_place_of_images(small, tmp_path):
    home = build(tmp_path, images=False)
    (home / "features").mkdir()
    np.save(home / "features" / "fc7.npy", np.arange(32.0).reshape(32, 1))
    data = open_dataset("mirflickr1m[n_tags=2,n_query=5]", tmp_path, tmp_path / "cache")
    assert data.images is None and data.n_rows == 32
    assert set(data.rows[data.split.train]) >= {20, 22} - set(data.rows[data.split.query])


def test_what_is_missing_or_misplaced_is_named(small, tmp_path):
    with pytest.raises(InputError, match=r"mirflickr1m is missing.*tags\.zip.*images belong in "):
        open_dataset("mirflickr1m", tmp_path, tmp_path)
    home = build(tmp_path)
    (home / "tags" / "0" / "17.txt").write_text("sky")
    with pytest.raises(InputError, match=r"17\.txt: image 17 belongs in folder 1"):
        open_dataset("mirflickr1m", tmp_path, tmp_path)
    with pytest.raises(InputError, match="n_tags must be"):
        open_dataset("mirflickr1m[n_tags=0]", tmp_path, tmp_path)


def test_tags_are_held_as_numbers_of_two_bytes(tmp_path):
    words = [f"word{k}" for k in range(500)]
    (tmp_path / "0").mkdir()
    for i in range(100):
        (tmp_path / "0" / f"{i}.txt").write_text(
            "\n".join(words[(i + k) % 500] for k in range(400))
        )
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tags = mirflickr1m.read_frequent_tags(tmp_path, 500)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert tags.counts.sum() == 100 * 400
    # The words themselves take some 40 kB; as Python objects the tags would take 320 kB.
    assert held < 2 * 100 * 400 + 80_000
