"""Connected parts of an anchor graph."""

import numpy as np
import pytest
from scipy.linalg import eigh, null_space
from scipy.spatial.distance import cdist

from methods.algebra.anchors import link_training_set
from methods.algebra.parts import connected_parts, join_small_parts, part_contrasts

SIZES = (60, 90, 30)
CENTRES = np.array([[0.0, 0.0], [0.0, 100.0], [5.0, 0.0]])


def items(sizes=SIZES, centres=CENTRES):
    rng = np.random.default_rng(0)
    return np.repeat(centres, sizes, axis=0) + rng.uniform(-1, 1, (sum(sizes), 2))


def graph_of(X, sizes=SIZES):
    """Four items of each group are anchors."""
    starts = np.cumsum([0, *sizes[:-1]])
    return link_training_set(X, X[(starts[:, None] + np.arange(4)).ravel()], 2)


def test_parts_are_counted_in_items_and_sorted_by_size():
    parts = connected_parts(graph_of(items()))
    assert parts.sizes.tolist() == [90, 60, 30]
    assert parts.of_anchor.tolist() == [1] * 4 + [0] * 4 + [2] * 4


def test_parts_of_equal_size_come_in_the_order_of_their_anchors():
    sizes = (30, 30, 30)
    parts = connected_parts(graph_of(items(sizes), sizes))
    assert parts.of_anchor.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_contrasts_are_orthogonal_functions_of_the_part_with_mean_zero():
    graph = graph_of(items())
    C = part_contrasts(graph, connected_parts(graph))
    assert C.shape == (12, 2)
    assert (C[:4] == C[0]).all() and (C[4:8] == C[4]).all() and (C[8:] == C[8]).all()
    Y = graph.Z @ C
    np.testing.assert_allclose(Y.T @ Y, 180 * np.eye(2), atol=1e-9)
    np.testing.assert_allclose(Y.sum(axis=0), 0, atol=1e-9)


def test_contrasts_solve_the_eigenvalue_problem_of_the_parts():
    graph = graph_of(items())
    parts = connected_parts(graph)
    C = part_contrasts(graph, parts)[[4, 0, 8]]
    weighted = graph.mass[:, None] * graph.anchors
    centres = np.array([weighted[parts.of_anchor == p].sum(axis=0) for p in range(3)])
    distances = cdist(centres / parts.sizes[:, None], centres / parts.sizes[:, None])
    K = np.exp(-distances / distances[np.triu_indices(3, 1)].mean())
    N, free = np.diag(parts.sizes), null_space(parts.sizes[None].astype(float))
    inner, norm = free.T @ N @ K @ N @ free, free.T @ N @ free
    expected = np.sqrt(180) * free @ eigh(inner, norm)[1][:, ::-1]
    np.testing.assert_allclose(np.abs(C), np.abs(expected), rtol=1e-9)


def test_the_first_contrast_tells_the_far_part_from_those_that_lie_close():
    graph = graph_of(items())
    far, near, close = part_contrasts(graph, connected_parts(graph))[[4, 0, 8]]
    assert np.sign(near[0]) == np.sign(close[0]) != np.sign(far[0])
    assert np.sign(near[1]) != np.sign(close[1])


def test_one_part_has_no_contrasts():
    X = np.random.default_rng(0).uniform(-1, 1, (90, 2))
    graph = link_training_set(X, X[:5], 2)
    assert part_contrasts(graph, connected_parts(graph)).shape == (5, 0)


def test_items_of_small_parts_get_the_nearest_other_anchors():
    sizes = (300, 150, 5)
    X = items(sizes)
    graph = graph_of(X, sizes)
    with pytest.warns(UserWarning, match=r"1\.1 % of the training items lie in 1 small"):
        joined = join_small_parts(graph, X, 2)
    np.testing.assert_array_equal(joined.anchors, graph.anchors[:8])
    assert joined.sigma == graph.sigma
    # The five stray items are nearest to the first group.
    assert joined.neighbors[-5:].max() < 4
    np.testing.assert_allclose(joined.weights.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("sizes", "least"),
    [
        # Two percent of the largest part are not few.
        ((300, 150, 6), 2),
        # Too few anchors would be left.
        ((300, 150, 5), 9),
    ],
)
def test_other_parts_stay(sizes, least):
    X = items(sizes)
    graph = graph_of(X, sizes)
    assert join_small_parts(graph, X, least) is graph


def test_small_parts_stay_where_they_hold_a_third_of_all_items():
    rng = np.random.default_rng(1)
    for n_groups, stays in ((32, True), (20, False)):
        sizes = (300, *[5] * n_groups)
        X = items(sizes, 100 * rng.standard_normal((n_groups + 1, 2)))
        graph = graph_of(X, sizes)
        if stays:
            assert join_small_parts(graph, X, 2) is graph
        else:
            with pytest.warns(UserWarning, match="25.0 %"):
                assert len(join_small_parts(graph, X, 2).anchors) == 4
