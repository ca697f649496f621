"""[unseen] keeps training items out of the database of any data set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.datasets.base import Split
from benchmark.datasets.opening import open_dataset
from benchmark.datasets.unseen import unseen_split, without_unseen
from benchmark.errors import InputError


def split(train, database, query=(99,)):
    return Split(*(np.array(part, dtype=np.int64) for part in (train, database, query)), seed=3)


def test_training_items_leave_a_larger_database():
    after = unseen_split(split([1, 3, 8], [1, 2, 3, 4]))
    assert after.train.tolist() == [1, 3, 8]
    assert after.database.tolist() == [2, 4]
    assert after.seed == 3


@given(n=st.integers(2, 40), extra=st.integers(0, 5))
def test_a_database_that_is_trained_on_is_halved(n, extra):
    before = split(np.arange(n + extra), np.arange(n))
    after = unseen_split(before)
    assert not np.intersect1d(after.train, after.database).size
    assert np.array_equal(np.union1d(after.train, after.database), np.arange(n + extra))
    assert len(after.database) == n - n // 2
    assert after.query.tolist() == [99]
    assert after.checksum == unseen_split(before).checksum


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo[unseen]", ("demo", True)),
        ("demo[n=300,unseen]", ("demo[n=300]", True)),
        ("demo[unseen=true, n=300]", ("demo[n=300]", True)),
        ("demo[n=300]", ("demo[n=300]", False)),
        ("some/folder", ("some/folder", False)),
    ],
)
def test_the_word_is_found(text, expected):
    assert without_unseen(text) == expected


def test_named_data_sets_and_folders(tmp_path, data_folder):
    demo = open_dataset("demo[n=200,unseen]", tmp_path, tmp_path)
    assert demo.name == "demo[n=200,unseen]"
    assert not np.intersect1d(demo.split.train, demo.split.database).size
    assert demo.fingerprint == open_dataset("demo[n=200]", tmp_path, tmp_path).fingerprint
    folder = open_dataset(f"{data_folder}[unseen]", tmp_path, tmp_path)
    assert folder.name == "blobs[unseen]"
    assert (len(folder.split.train), len(folder.split.database)) == (180, 180)
    assert any("usual split has 360 items in both" in note for note in folder.notes)


def test_nothing_left_is_an_error(tmp_path):
    manifest = "image,tags,labels,split\n,,a,train+database\n,,a,query\n"
    (tmp_path / "tiny" / "features").mkdir(parents=True)
    np.save(tmp_path / "tiny" / "features" / "f.npy", np.zeros((2, 2), dtype=np.float32))
    (tmp_path / "tiny" / "manifest.csv").write_text(manifest)
    with pytest.raises(InputError, match="none is left to train on"):
        open_dataset(f"{tmp_path / 'tiny'}[unseen]", tmp_path, tmp_path)
