"""The data sheet: every count by hand, and its wording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.demo import Demo
from benchmark.datasets.lint import data_sheet, relevant_counts, tag_statistics
from benchmark.datasets.opening import open_dataset
from features.images import FileImages

COREL = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "corel5k"


def dataset(labels, split, **more):
    labels = np.array(labels, dtype=bool)
    parts = (np.array(part, dtype=np.int64) for part in split)
    given = {"tags": [()] * len(labels), "fingerprint": "0" * 64, **more}
    names = [f"label{k}" for k in range(labels.shape[1])]
    return Dataset("mine", labels, names, split=Split(*parts), **given)


@given(st.integers(0, 1000), st.integers(1, 30), st.integers(1, 30), st.integers(1, 5))
def test_relevant_counts_agree_with_the_matrix_product(seed, q, n, c):
    rng = np.random.default_rng(seed)
    query, database = rng.random((q, c)) < 0.3, rng.random((n, c)) < 0.3
    expected = (query.astype(int) @ database.T.astype(int) > 0).sum(axis=1)
    np.testing.assert_array_equal(relevant_counts(query, database), expected)


def test_rates_by_hand():
    labels = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    sheet = data_sheet(dataset(labels, ([0, 1], [0, 1, 2, 3], [4, 5, 6])))
    # Query 4 meets items 0 and 1; 5 and 6 meet none.
    assert sheet.base_rate == pytest.approx(2 / 12)
    assert sheet.unanswerable == 2
    # Neighbours 01 and 12 share a label, 23 does not.
    assert sheet.neighbour_rate == pytest.approx(2 / 3)
    text = str(sheet)
    assert "base rate 0.1667" in text
    assert "Queries without a label: 1;" in text
    assert "queries without a relevant database item: 2" in " ".join(text.split())
    assert "score 0 and lower every mean" in text
    assert "label0 3, label1 2, label2 1" in text
    assert "3 queries, 4 database, 2 training items (2 of them in the database)" in text


def test_sorted_order_is_noticed_and_shuffled_order_is_not():
    labels = np.repeat(np.eye(10, dtype=bool), 20, axis=0)
    split = (np.arange(190), np.arange(190), np.arange(190, 200))
    sheet = data_sheet(dataset(labels, split))
    assert sheet.is_sorted
    assert "WARNING: the database is sorted by class" in " ".join(str(sheet).split())
    shuffled = labels[np.random.default_rng(0).permutation(200)]
    sheet = data_sheet(dataset(shuffled, split))
    assert not sheet.is_sorted
    assert "not sorted" in str(sheet)


def test_overlap_of_queries_and_database():
    data = dataset(np.ones((4, 1)), ([0], [0, 1, 2], [2, 3]))
    assert "Queries that are also database or training items: 1;" in str(data_sheet(data))


def test_tag_statistics_by_hand():
    statistics = tag_statistics([("a", "b"), (), ("a",), ("a", "c", "d")])
    assert statistics.vocabulary == 4
    assert statistics.mean == 1.5
    assert statistics.most == 3
    assert statistics.untagged == 1
    assert statistics.once == 3
    assert statistics.frequent[0] == ("a", 3)


def test_duplicates_and_unreadable_files(tmp_path):
    names = [f"{k}.png" for k in range(6)]
    for k, name in enumerate(names):
        # 0, 3 (a query) and 4 are the same picture.
        colour = 0 if k in (0, 3, 4) else k
        Image.new("RGB", (8, 8), (40 * colour, 0, 0)).save(tmp_path / name)
    whole = (tmp_path / "5.png").read_bytes()
    (tmp_path / "5.png").write_bytes(whole[: len(whole) // 2])
    images = FileImages(tmp_path, names)
    data = dataset(np.ones((6, 1)), ([0, 1, 2, 4], [0, 1, 2, 4], [3, 5]), images=images)
    sheet = data_sheet(data, threads=2)
    assert sheet.images.duplicates == [(0, 3, 4)]
    assert sheet.images.leaked == 1
    assert [name for name, _ in sheet.images.unreadable] == ["5.png"]
    text = str(sheet)
    assert "unreadable: 1;" in text
    assert "Unreadable: 5.png (" in text
    assert "Identical: 0.png, 3.png, 4.png" in text
    assert "WARNING: a query whose copy lies in the database" in text


def test_images_without_files_are_compared_by_pixels():
    class Flat:
        """Items 1 and 2 look alike; item 3 has their bytes in another shape; 4 fails."""

        def __len__(self):
            return 5

        def name(self, i):
            return f"flat {i}"

        def load(self, i):
            if i == 4:
                raise OSError("no such\npicture")
            size = (2, 6) if i == 3 else (4, 3)
            return Image.new("RGB", size, (200 * (i > 0), 0, 0))

    data = dataset(np.ones((5, 1)), ([0, 1], [0, 1], [2, 3, 4]), images=Flat())
    findings = data_sheet(data).images
    assert findings.duplicates == [(1, 2)]
    assert findings.unreadable == [("flat 4", "no such picture")]


def test_wording(tmp_path):
    data = Demo(n=48).load(tmp_path, tmp_path)
    lines = data_sheet(data).lines()
    assert max(map(len, lines)) <= 100
    text = " ".join(" ".join(lines).split())
    assert "drawn with seed 0" in text
    assert data.split.checksum in text
    assert data.fingerprint[:16] in text
    plain = dataset(
        np.eye(3)[[0, 1, 0, 1]], ([0, 1], [0, 1], [2, 3]),
        features={"fc7": Path("fc7.npy")}, notes=["Something was left out"],
    )  # fmt: skip
    text = " ".join(str(data_sheet(plain)).split())
    assert "features are given (fc7)" in text
    assert "no item has label2" in text
    assert "Tags none" in text
    assert "Note Something was left out" in text
    assert "given with the data" in text


@pytest.mark.skipif(not COREL.is_dir(), reason="needs the shared folder with Corel5k")
def test_corel5k(tmp_path):
    sheet = data_sheet(open_dataset(str(COREL), tmp_path, tmp_path))
    assert sheet.base_rate == pytest.approx(0.02, abs=1e-3)
    assert sheet.is_sorted
    assert sheet.images.unreadable == []
    assert sheet.tags.vocabulary == 374
    assert sheet.unanswerable == 0
