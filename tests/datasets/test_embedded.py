"""The released data of WSDHQ on a miniature tree: merged tags and their embeddings."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from test_lists import DATABASE, LABELS, QUERY, TRAIN, flickr_name, photos

from benchmark import Study
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError
from benchmark.study.session import Session

WORDS = ["sky", "skies", "sea", "nikon", "tree"]
#: Skies are merged into sky, nikon is dropped.
GROUPS = {0: [0, 1], 1: [2], 2: [4], -1: [3]}
TAGS = np.random.default_rng(3).integers(0, 2, (len(TRAIN), len(WORDS)))
VECTORS = np.random.default_rng(4).normal(size=(3, 300)).astype(np.float32)


def build(home):
    (home / "tags").mkdir(parents=True)
    for part, rows in {"train": TRAIN, "database": DATABASE, "test": QUERY}.items():
        paths = "".join(f"datasets/flickr25k/mirflickr/{flickr_name(i)}\n" for i in rows)
        (home / f"{part}_img.txt").write_text(paths)
        if part != "train":
            lines = "".join(" ".join(map(str, LABELS[i])) + "\n" for i in rows)
            (home / f"{part}_label.txt").write_text(lines)
    (home / "train_tag.txt").write_text("".join(" ".join(map(str, r)) + "\n" for r in TAGS))
    (home / "common_tags.txt").write_text("".join(f"{word} 20\n" for word in WORDS))
    (home / "tags" / "TagIdMergeMap.pkl").write_bytes(pickle.dumps(GROUPS))
    np.savetxt(home / "tags" / "FinalTagEmbs.txt", VECTORS)
    photos(home, flickr_name)
    return home


def opened(home):
    return open_dataset(str(home), home / "none", home / "cache")


def expected_tags():
    kept = [group for key, group in sorted(GROUPS.items()) if key >= 0]
    return [tuple(WORDS[g[0]] for g in kept if row[g].any()) for row in TAGS]


def test_split_tags_and_labels(tmp_path):
    data = opened(build(tmp_path / "flickr25k"))
    assert [len(part) for part in (data.split.train, data.split.database, data.split.query)] == [
        len(TRAIN), len(DATABASE), len(QUERY)
    ]  # fmt: skip
    assert [data.tags[i] for i in data.split.train] == expected_tags()
    # Training images are in the database here, whose labels were released.
    np.testing.assert_array_equal(data.labels[data.split.database], LABELS[list(DATABASE)] > 0)
    assert any("tags merged by TagIdMergeMap.pkl: 3 remain" in note for note in data.notes)


def test_embeddings_are_the_word_vectors(tmp_path):
    home = build(tmp_path / "flickr25k")
    session = Session(data_root=tmp_path / "none", results=tmp_path / "results", features="gist")
    tags = session.open(str(home)).tags
    row = {word: VECTORS[k] for k, word in enumerate(["sky", "sea", "tree"])}
    for word, vector in zip(tags.words, tags.vectors, strict=True):
        np.testing.assert_allclose(vector, row[word], rtol=1e-6)


def test_a_study_runs(tmp_path):
    study = Study(
        str(build(tmp_path / "flickr25k")),
        data_root=tmp_path / "none",
        methods=["itq", "wdht"],
        set=["wdht.epochs=1"],
        bits=[4],
        features="gist",
        results=tmp_path / "results",
        jobs=1,
    )
    assert [cell.status for cell in study.run().cells] == ["done", "done"]


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({0: Harmful()}, r"names posix\.mkdir"),
        ({0: [0, 9]}, r"\[0, 9\] are not columns of the 5 tags"),
        ([1, 2], "must hold a dictionary"),
        ({"a": [1]}, "must hold a dictionary"),
    ],
)
def test_a_wrong_merge_map_is_refused(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    home = build(tmp_path / "flickr25k")
    (home / "tags" / "TagIdMergeMap.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=message):
        opened(home)
    assert not (tmp_path / "harm").exists()


def test_files_that_do_not_fit_together(tmp_path):
    home = build(tmp_path / "flickr25k")
    np.savetxt(home / "tags" / "FinalTagEmbs.txt", VECTORS[:2])
    with pytest.raises(InputError, match="2 rows, but there are 3 tags"):
        opened(home)
    np.savetxt(home / "tags" / "FinalTagEmbs.txt", VECTORS)
    (home / "train_tag.txt").write_text("0 1 0 1 1\n")
    with pytest.raises(InputError, match=r"train_tag\.txt has 1 rows"):
        opened(home)
