from __future__ import annotations

import numpy as np
import pytest

from methods import Task
from methods.algebra.anchors import kmeans
from methods.unsupervised.dsh import DSH, bisectors, neighbor_pairs


def test_pairs_of_points_on_a_line():
    points = np.array([[0.0], [1.0], [3.0], [3.5]])
    assert neighbor_pairs(points, 1).tolist() == [[0, 1], [2, 3]]
    # 0 is no neighbour of 2, but 3's second neighbour is 1, and 1's are 0 and 2.
    assert neighbor_pairs(points, 2).tolist() == [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]


def test_pairs_are_never_repeated_and_never_of_one_point(features):
    pairs = neighbor_pairs(features[:40], 5)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert 40 * 5 / 2 <= len(pairs) <= 40 * 5


def test_equal_distances_do_not_confuse_the_pairs():
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert neighbor_pairs(corners, 2).tolist() == [[0, 1], [0, 2], [1, 3], [2, 3]]


def test_a_bisector_is_as_far_from_one_centre_as_from_the_other():
    centers = np.array([[1.0, 2.0], [4.0, -2.0], [0.0, 0.0]])
    W, t = bisectors(centers, np.array([[0, 1], [1, 2]]))
    assert W.T.tolist() == [[-3.0, 4.0], [4.0, -2.0]]
    assert t == pytest.approx([-7.5, 10.0])
    assert (centers @ W - t)[[0, 1], 0] == pytest.approx([12.5, -12.5])


def test_the_planes_are_those_of_highest_entropy(features):
    n_bits, seed = 8, 3
    hasher = DSH(n_bits, random_state=seed).fit(features)
    groups = kmeans(features, 12, 3, seed)
    shares = np.bincount(groups.assignment) / len(features)
    entropies = {}
    for i, a in enumerate(groups.centres):
        for j, b in enumerate(groups.centres[:i]):
            ranks = [np.argsort(np.linalg.norm(groups.centres - c, axis=1)) for c in (a, b)]
            if j in ranks[0][1:4] or i in ranks[1][1:4]:
                P = shares[
                    np.linalg.norm(groups.centres - b, axis=1)
                    < np.linalg.norm(groups.centres - a, axis=1)
                ].sum()
                entropies[j, i] = -P * np.log(P) - (1 - P) * np.log(1 - P)
    P = hasher.balances_
    chosen = -P * np.log(P) - (1 - P) * np.log(1 - P)
    assert chosen == pytest.approx(sorted(entropies.values(), reverse=True)[:n_bits])
    assert [entropies[tuple(pair)] for pair in hasher.pairs_.tolist()] == pytest.approx(chosen)


def test_a_bit_says_which_of_the_two_centres_is_nearer(features):
    hasher = DSH(6, random_state=0).fit(features)
    centers = kmeans(features, 9, 3, 0).centres
    first, second = centers[hasher.pairs_[:, 0]], centers[hasher.pairs_[:, 1]]
    nearer = np.linalg.norm(features[:, None] - first, axis=2) < np.linalg.norm(
        features[:, None] - second, axis=2
    )
    assert (hasher.encode(features) == nearer).all()


def test_one_bit_separates_two_groups(two_groups):
    hasher = DSH(1, random_state=0).fit(two_groups)
    codes = hasher.encode(two_groups)[:, 0]
    assert hasher.n_groups == 2
    assert len(set(codes[:30])) == len(set(codes[30:])) == 1
    assert codes[0] != codes[-1]
    assert hasher.balances_ == pytest.approx([0.5])


def test_a_common_shift_changes_no_code(features):
    shifted = features + 64
    codes = DSH(16, random_state=0).fit(features).encode(features)
    assert (DSH(16, random_state=0).fit(shifted).encode(shifted) == codes).all()


def test_more_neighbors_are_taken_where_pairs_are_few(features):
    hasher = DSH(16, alpha=0.5, n_neighbors=1, random_state=0).fit(features)
    assert hasher.n_groups == 8
    assert len(np.unique(hasher.pairs_, axis=0)) == 16


@pytest.mark.parametrize(("n_bits", "groups"), [(1, 2), (3, 5), (12, 18), (48, 72)])
def test_half_a_group_is_rounded_up(n_bits, groups):
    assert DSH(n_bits).n_groups == groups


def test_what_gives_too_few_planes_is_refused():
    assert "18" in DSH(12).skip(Task(17, 5))
    assert DSH(12).skip(Task(18, 5)) is None
    assert "fewer than bits" in DSH(12, alpha=0.3).skip(Task(100, 5))
    with pytest.raises(ValueError, match="2 distinct groups"):
        DSH(4, random_state=0).fit(np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0))
