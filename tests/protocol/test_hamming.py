"""Distance and relevance profiles against plain numpy and faiss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.protocol.hamming import TILE, hamming_profile, index_profile, pack


def random_items(rng, n, n_bits, n_labels, density=0.2):
    return rng.random((n, n_bits)) < 0.5, rng.random((n, n_labels)) < density


def naive(query_codes, database_codes, query_labels, database_labels):
    distances = (query_codes[:, None] != database_codes[None]).sum(axis=2)
    relevant = (query_labels[:, None] & database_labels[None]).any(axis=2)
    return distances, relevant


def packed(*arrays):
    return [pack(a) for a in arrays]


def test_bit_zero_is_the_lowest_bit_of_word_zero():
    bits = np.zeros((1, 70), dtype=bool)
    bits[0, [0, 9, 64]] = True
    assert pack(bits).tolist() == [[1 + 2**9, 1]]


@pytest.mark.parametrize("n_bits", [1, 12, 63, 64, 65, 128, 512, 1000])
@pytest.mark.parametrize("n_labels", [1, 21, 64, 81, 130])
def test_profile_equals_naive_counts(n_bits, n_labels):
    rng = np.random.default_rng(n_bits + n_labels)
    q, x = random_items(rng, 7, n_bits, n_labels), random_items(rng, 150, n_bits, n_labels)
    distances, relevant = naive(q[0], x[0], q[1], x[1])
    profile = hamming_profile(*packed(q[0], x[0], q[1], x[1]), n_bits)
    for i in range(7):
        np.testing.assert_array_equal(
            profile.items[i], np.bincount(distances[i], minlength=n_bits + 1)
        )
        np.testing.assert_array_equal(
            profile.relevant[i], np.bincount(distances[i], relevant[i], minlength=n_bits + 1)
        )


@pytest.mark.parametrize("n", [1, 3, TILE - 1, TILE, TILE + 1, 2 * TILE + 3])
def test_tiles_leave_no_item_out(n):
    rng = np.random.default_rng(n)
    q, x = random_items(rng, 3, 20, 5), random_items(rng, n, 20, 5)
    distances, relevant = naive(q[0], x[0], q[1], x[1])
    profile = hamming_profile(*packed(q[0], x[0], q[1], x[1]), 20)
    expected = [np.bincount(d, minlength=21) for d in distances]
    np.testing.assert_array_equal(profile.items, expected)
    np.testing.assert_array_equal(profile.relevant.sum(axis=1), relevant.sum(axis=1))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n_bits=st.integers(1, 9))
def test_index_profile_is_a_stable_sort(seed, n_bits):
    rng = np.random.default_rng(seed)
    q, x = random_items(rng, 4, n_bits, 3), random_items(rng, 60, n_bits, 3)
    distances, relevant = naive(q[0], x[0], q[1], x[1])
    order = np.argsort(distances, axis=1, kind="stable")
    profile = index_profile(*packed(q[0], x[0], q[1], x[1]), n_bits)
    np.testing.assert_array_equal(profile.relevant, np.take_along_axis(relevant, order, axis=1))
    assert (profile.items == 1).all()


def test_balls_agree_with_faiss():
    faiss = pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    codes = rng.random((520, 16)) < 0.3
    labels = np.ones((520, 1), dtype=bool)
    q, x = codes[:20], codes[20:]
    index = faiss.IndexBinaryFlat(16)
    index.add(np.packbits(x, axis=1, bitorder="little"))
    # faiss returns distances below the radius, ours include it.
    limits, _, _ = index.range_search(np.packbits(q, axis=1, bitorder="little"), 3)
    profile = hamming_profile(*packed(q, x, labels[:20], labels[20:]), 16)
    np.testing.assert_array_equal(profile.items[:, :3].sum(axis=1), np.diff(limits.astype(int)))


@pytest.mark.parametrize("n_labels", [1, 6, 81])
def test_grades_count_the_labels_that_are_shared(n_labels):
    rng = np.random.default_rng(n_labels)
    q, x = random_items(rng, 5, 12, n_labels), random_items(rng, 90, 12, n_labels)
    distances, _ = naive(q[0], x[0], q[1], x[1])
    shared = q[1].astype(int) @ x[1].T.astype(int)
    most = int(q[1].sum(axis=1).max())
    one_hot = shared[:, :, None] == np.arange(most + 1)
    at_distance = distances[:, None] == np.arange(13)[:, None]
    arrays = packed(q[0], x[0], q[1], x[1])
    graded, plain = hamming_profile(*arrays, 12, most), hamming_profile(*arrays, 12)
    np.testing.assert_array_equal(graded.grades, at_distance.astype(int) @ one_hot)
    np.testing.assert_array_equal(graded.items, plain.items)
    np.testing.assert_array_equal(graded.relevant, plain.relevant)
    assert plain.grades is None
    order = np.argsort(distances, axis=1, kind="stable")
    ranked = index_profile(*arrays, 12, most)
    expected = np.take_along_axis(one_hot, order[:, :, None], axis=1)
    np.testing.assert_array_equal(ranked.grades, expected)
    np.testing.assert_array_equal(ranked.relevant, index_profile(*arrays, 12).relevant)
