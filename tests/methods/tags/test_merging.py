"""Which tags are merged, with what vectors, and who carries them afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from methods.tags.wsdhq.merging import enhanced, merged_tags, unit_rows

# Columns: sea and ocean nearly the same, a cat, a word without a vector, a tag nobody carries.
VECTORS = np.array([[3, 0, 0], [5, 0.1, 0], [0, 2, 0], [0, 0, 0], [0, 0, 4]], dtype=np.float32)
CARRIED = np.array(
    [
        [1, 0, 0, 1, 0],
        [0, 1, 1, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
    ]
)


def test_near_identical_tags_are_merged_and_the_others_stay():
    merged = merged_tags(csr_array(CARRIED), VECTORS)
    assert merged.columns.tolist() == [0, 0, 1, -1, -1]
    assert merged.vectors.shape == (2, 3)
    # Both members were enhanced to the mean of the two; vectors have unit length.
    assert merged.vectors == pytest.approx(unit_rows(np.array([[4, 0.05, 0], [0, 2, 0]])))


def test_the_vector_of_a_column_is_the_mean_of_its_members_whatever_their_lengths():
    merged = merged_tags(csr_array(CARRIED), VECTORS, k=0)
    assert merged.columns.tolist() == [0, 0, 1, -1, -1]
    assert merged.vectors == pytest.approx(
        np.array([[(1 + 5 / np.hypot(5, 0.1)) / 2, 0.05 / np.hypot(5, 0.1), 0], [0, 1, 0]])
    )
    longer = merged_tags(csr_array(CARRIED), [[7], [1], [2], [1], [1]] * VECTORS, k=0)
    assert longer.vectors == pytest.approx(merged.vectors)


def test_an_image_carries_a_column_if_it_carries_any_of_its_tags():
    carried = merged_tags(csr_array(CARRIED), VECTORS).carried
    assert carried.dtype == bool
    expected = [[1, 0], [1, 1], [1, 0], [0, 0], [0, 1], [0, 1]]
    assert carried.toarray().astype(int).tolist() == expected


def test_nothing_is_merged_without_a_radius():
    merged = merged_tags(csr_array(CARRIED), VECTORS, eps=0)
    assert merged.columns.tolist() == [0, 1, 2, -1, -1]
    assert (merged.carried.toarray() == CARRIED[:, :3]).all()


def test_neighbours_are_near_enough_and_at_most_k():
    unit = np.array([[1, 0], [0.9, 0.1], [0.8, 0.4], [0, 1], [-1, 0]], dtype=float)
    assert enhanced(unit, 0, 0.5) == pytest.approx(unit)
    first = enhanced(unit, 1, 0.5)
    assert first[0] == pytest.approx((unit[0] + unit[1]) / 2)
    assert first[3:] == pytest.approx(unit[3:])
    second = enhanced(unit, 2, 0.5)
    assert second[0] == pytest.approx(unit[:3].mean(axis=0))
    # The third reaches the fourth by cosine 0.447 only with a lower threshold.
    assert enhanced(unit, 3, 0.4)[3] == pytest.approx((unit[2] + unit[3]) / 2)


@pytest.fixture(scope="module")
def many():
    """80 images with tags of random vectors, some of which come in pairs."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((40, 8))
    vectors[20:] = vectors[:20] + 0.02 * rng.standard_normal((20, 8))
    vectors[rng.permutation(40)[:7]] = 0
    return csr_array(rng.random((80, 40)) < 0.1), vectors


@pytest.mark.parametrize("eps", [0.0, 0.01, 0.05, 0.3])
def test_counts_add_up(many, eps):
    tags, vectors = many
    merged = merged_tags(tags, vectors, eps=eps)
    T = len(merged.vectors)
    known = np.any(vectors, axis=1) & (tags.sum(axis=0) > 0)
    assert (merged.columns[~known] == -1).all()
    assert set(merged.columns[known]) == set(range(T))
    assert merged.carried.shape == (80, T)
    assert np.isfinite(merged.vectors).all() and np.any(merged.vectors, axis=1).all()
    for column in range(T):
        members = tags.toarray()[:, merged.columns == column]
        assert (merged.carried.toarray()[:, column] == members.any(axis=1)).all()


def test_a_wider_radius_merges_more(many):
    sizes = [len(merged_tags(*many, eps=eps).vectors) for eps in (0, 0.01, 0.05, 0.3, 2)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[1] and sizes[-1] == 1


def test_only_the_most_frequent_tags_are_kept(many):
    tags, vectors = many
    merged = merged_tags(tags, vectors, eps=0, most=5)
    counts = tags.sum(axis=0) * np.any(vectors, axis=1)
    assert (merged.columns >= 0).sum() == 5
    assert counts[merged.columns >= 0].min() >= counts[merged.columns < 0].max()


def test_no_tag_with_a_vector_leaves_no_column():
    merged = merged_tags(csr_array(CARRIED), np.zeros_like(VECTORS))
    assert merged.carried.shape == (6, 0)
    assert (merged.columns == -1).all()


def test_unit_rows_leave_zeros():
    assert unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0, 0]]
