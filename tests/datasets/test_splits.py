"""Splits: what is drawn, what is kept, and what is noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.datasets.base import Split, check_split
from benchmark.datasets.splits import draw_split, shrink, stored_split
from benchmark.errors import InputError


@given(st.integers(2, 200), st.data())
def test_a_drawn_split_is_a_partition_of_part_of_the_pool(n, data):
    n_query = data.draw(st.integers(1, n - 1))
    n_database = data.draw(st.integers(1, n - n_query))
    pool = np.arange(n) * 3 + 7
    split = draw_split(pool, n_query, n_database, seed=data.draw(st.integers(0, 5)))
    assert len(split.query) == n_query
    assert len(split.database) == n_database
    chosen = np.concatenate([split.query, split.database])
    assert len(np.unique(chosen)) == n_query + n_database
    assert np.isin(chosen, pool).all()
    assert (np.diff(split.query) > 0).all()
    assert (np.diff(split.database) > 0).all()
    np.testing.assert_array_equal(split.train, split.database)


def test_the_seed_decides_and_none_means_the_rest():
    pool = np.arange(50)
    first, again, other = (draw_split(pool, 10, None, seed) for seed in (3, 3, 4))
    assert first.checksum == again.checksum != other.checksum
    assert len(first.database) == 40
    assert first.seed == 3


def test_each_item_is_a_query_equally_often():
    counts = np.zeros(10)
    for seed in range(2000):
        counts[draw_split(np.arange(10), 3, 4, seed).query] += 1
    # Binomial(2000, 0.3): standard deviation 20.5.
    assert abs(counts - 600).max() < 90


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (6, 5), (-1, 3)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(InputError, match="cannot draw"):
        draw_split(np.arange(10), *sizes, seed=0)


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="at least 0"):
        draw_split(np.arange(10), 2, 3, seed=-1)


def test_a_small_pool_keeps_the_share_of_queries():
    assert shrink(102_000, 2000, 100_000) == (2000, 100_000)
    assert shrink(500_000, 2000, 100_000) == (2000, 100_000)
    assert shrink(1020, 2000, 100_000) == (20, 1000)
    assert shrink(9000, 2000, 16_000) == (1000, 8000)
    assert shrink(3, 2000, 100_000) == (1, 2)


class TestStored:
    @pytest.fixture
    def drawn(self):
        """A function that draws another split at each call."""
        seeds = iter(range(100))
        return lambda: draw_split(np.arange(40), 8, None, next(seeds))

    def test_it_is_kept_and_used_again(self, tmp_path, drawn):
        first, notes = stored_split(tmp_path / "new" / "folder", "demo[n=40]", "f", drawn)
        again, more = stored_split(tmp_path / "new" / "folder", "demo[n=40]", "f", drawn)
        assert first.checksum == again.checksum
        assert again.seed == 0
        assert notes == more == []
        (file,) = (tmp_path / "new" / "folder").iterdir()
        content = json.loads(file.read_text())
        assert content["checksum"] == first.checksum
        assert content["query"] == first.query.tolist()

    def test_variants_have_files_of_their_own(self, tmp_path, drawn):
        for name in ("demo", "demo[n=1]", "demo[n=1,seed=2]"):
            stored_split(tmp_path, name, "f", drawn)
        assert len(list(tmp_path.iterdir())) == 3

    @pytest.mark.parametrize(
        ("damage", "word"),
        [
            (lambda text: text[: len(text) // 2], "truncated"),
            (lambda text: "[]", "truncated"),
            (lambda text: "", "truncated"),
            (lambda text: text.replace('"query":[', '"query":[1000,'), "altered"),
        ],
    )
    def test_damage_is_noticed(self, tmp_path, drawn, damage, word):
        first, _ = stored_split(tmp_path, "demo", "f", drawn)
        (file,) = tmp_path.iterdir()
        file.write_text(damage(file.read_text()))
        second, notes = stored_split(tmp_path, "demo", "f", drawn)
        assert second.checksum != first.checksum
        assert len(notes) == 1
        assert word in notes[0]
        assert str(file) in notes[0]
        third, notes = stored_split(tmp_path, "demo", "f", drawn)
        assert third.checksum == second.checksum
        assert notes == []

    def test_other_data_get_another_split(self, tmp_path, drawn):
        first, _ = stored_split(tmp_path, "demo", "one", drawn)
        second, notes = stored_split(tmp_path, "demo", "two", drawn)
        assert second.checksum != first.checksum
        assert "other data" in notes[0]


def test_renumbering_follows_the_items():
    split = Split(np.array([20, 40]), np.array([20, 40, 50]), np.array([10, 30]))
    new = split.renumbered(np.array([10, 20, 30, 40, 50]))
    assert new.train.tolist() == [1, 3]
    assert new.database.tolist() == [1, 3, 4]
    assert new.query.tolist() == [0, 2]


def test_a_query_in_the_database_is_refused():
    with pytest.raises(InputError, match="queries and database items overlap in 1 of"):
        check_split("mine", Split(np.array([0]), np.array([0, 2]), np.array([2])))
    with pytest.raises(InputError, match="queries and train items overlap"):
        check_split("mine", Split(np.array([2]), np.array([0]), np.array([2])))
    with pytest.raises(InputError, match="no database"):
        check_split("mine", Split(np.array([0]), np.array([], dtype=int), np.array([2])))
