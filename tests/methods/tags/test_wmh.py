from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from scipy.spatial.distance import cdist

from methods.algebra.pca import fix_signs
from methods.conformance.trial import training_items
from methods.tags.wmh import WMH, graph_laplacian, local_laplacian, neighbours, unit_rows
from methods.unsupervised.itq import ITQ
from methods.unsupervised.pcah import PCAH

NO_TAGS = csr_array((400, 3))


def random_tags(n=400, n_tags=12):
    return csr_array(np.random.default_rng(5).random((n, n_tags)) < 0.2)


def test_the_projections_are_orthonormal_and_solve_the_eigenvalue_problem(features):
    hasher = WMH(6, rotation="none", random_state=0).fit(features, tags=random_tags())
    W, M = hasher.W_, hasher.objective_
    gram, values = W.T @ W, W.T @ M @ W
    assert gram == pytest.approx(np.eye(6), abs=1e-12)
    assert (M == M.T).all()
    largest = np.sort(np.linalg.eigvalsh(M))[::-1][:6]
    assert values == pytest.approx(np.diag(largest), abs=1e-9 * largest[0])


def test_the_objective_is_the_formula_written_with_full_matrices(features):
    X, n, k = features[:60], 60, 4
    tags = random_tags(60)
    hasher = WMH(3, n_neighbors=k, eta=0.7, alpha=0.3, beta=0.2, random_state=0)
    hasher.fit(X, tags=tags)
    T = tags.toarray().astype(float)
    norms = np.sqrt(T.sum(axis=1))
    S = np.divide(T @ T.T, np.outer(norms, norms), where=np.outer(norms, norms) > 0, out=T @ T.T)
    distances = cdist(X, X)
    A, L_D = np.zeros((n, n)), np.zeros((n, n))
    nearest = np.argsort(distances, axis=1)[:, 1 : k + 1]
    width = np.take_along_axis(distances, nearest, axis=1).mean()
    C = np.eye(k + 1) - 1 / (k + 1)
    for i in range(n):
        for j in nearest[i]:
            A[i, j] = A[j, i] = np.exp(-((distances[i, j] / width) ** 2))
        members = np.append(i, nearest[i])
        inner = C @ X[members] @ X[members].T @ C + np.eye(k + 1)
        L_D[np.ix_(members, members)] += C @ np.linalg.inv(inner) @ C
    degree = A.sum(axis=1)
    L_G = np.eye(n) - A / np.sqrt(np.outer(degree, degree))
    Xc = X - X.mean(axis=0)
    expected = Xc.T @ (S + 0.7 * np.eye(n) - 0.3 * L_D - 0.2 * L_G) @ Xc / n
    assert hasher.objective_ == pytest.approx(expected)


def test_without_tags_and_graphs_it_is_pcah(features):
    hasher = WMH(5, alpha=0.0, beta=0.0, rotation="none").fit(features, tags=NO_TAGS)
    assert hasher.project(features) == pytest.approx(PCAH(5).fit(features).project(features))


def test_tags_that_name_two_classes_make_the_first_projection_tell_them_apart():
    rng = np.random.default_rng(0)
    classes = np.arange(2000) % 2
    # The classes differ along a direction that has less variance than others.
    X = rng.standard_normal((2000, 6)) * [2, 1.9, 1.8, 1.7, 1.6, 0.3]
    X[:, 5] += 2 * classes - 1
    tags = csr_array(classes[:, None] == [0, 1])
    agreement = [
        np.mean(hasher.encode(X)[:, 0] == classes)
        for hasher in (WMH(1, random_state=0).fit(X, tags=tags), PCAH(1).fit(X))
    ]
    assert max(agreement[0], 1 - agreement[0]) > 0.98
    assert max(agreement[1], 1 - agreement[1]) < 0.7


def test_both_laplacians_are_positive_semidefinite_and_blind_to_constants(features):
    X = features[:80]
    distances, index = neighbours(X, 5)
    local = local_laplacian(X, index, 1.0).toarray()
    assert local == pytest.approx(local.T)
    assert np.linalg.eigvalsh(local).min() > -1e-12
    assert local @ np.ones(80) == pytest.approx(np.zeros(80), abs=1e-12)
    graph = graph_laplacian(distances, index).toarray()
    eigenvalues = np.linalg.eigvalsh(graph)
    assert eigenvalues.min() == pytest.approx(0, abs=1e-12)
    assert eigenvalues.max() <= 2


def test_equal_items_and_far_ones_leave_the_laplacians_finite():
    X = np.vstack([np.zeros((5, 3)), np.ones((5, 3)), [[1e9, 0, 0]]])
    distances, index = neighbours(X, 3)
    assert (index != np.arange(11)[:, None]).all()
    assert np.isfinite(graph_laplacian(distances, index).toarray()).all()
    assert np.isfinite(local_laplacian(X, index, 1.0).toarray()).all()


def test_the_graph_of_a_part_estimates_that_of_all_items():
    items = training_items()
    whole = WMH(4, random_state=0).fit(items.X, tags=items.tags)
    part = WMH(4, max_graph_items=600, random_state=0).fit(items.X, tags=items.tags)
    difference = np.abs(whole.objective_ - part.objective_).max()
    assert 0 < difference < 0.05 * np.abs(whole.objective_).max()


@pytest.mark.parametrize("rotation", ["itq", "random"])
def test_a_rotation_changes_the_bits_but_not_what_they_span(features, rotation):
    parameters = {"tags": random_tags()}
    plain = WMH(4, rotation="none", random_state=0).fit(features, **parameters).W_
    rotated = WMH(4, rotation=rotation, random_state=0).fit(features, **parameters).W_
    assert rotated @ rotated.T == pytest.approx(plain @ plain.T)
    assert np.abs(fix_signs(rotated) - fix_signs(plain)).max() > 0.1


def test_without_tags_and_graphs_the_rotation_makes_it_itq(features):
    hasher = WMH(5, alpha=0.0, beta=0.0, random_state=0).fit(features, tags=NO_TAGS)
    itq = ITQ(5, random_state=0).fit(features)
    assert hasher.project(features) == pytest.approx(itq.project(features))


def test_the_paper_has_no_rotation(features):
    tags = random_tags()
    paper = WMH(4, preset="paper", random_state=0).fit(features, tags=tags).W_
    plain = WMH(4, rotation="none", random_state=0).fit(features, tags=tags).W_
    assert np.array_equal(paper, plain)


def test_rows_of_the_tag_matrix_have_length_one_or_zero():
    tags = csr_matrix([[3, 0, 1], [0, 0, 0], [0, 1, 0]])
    expected = [[0.5**0.5, 0, 0.5**0.5], [0, 0, 0], [0, 1, 0]]
    assert unit_rows(tags).toarray() == pytest.approx(np.array(expected))


def test_it_sees_tags_only_and_names_them_where_they_are_missing(features):
    hasher = WMH(4, random_state=0)
    assert set(hasher.supervised_by(tags=1, labels=2)) == {"tags"}
    with pytest.raises(ValueError, match="needs tags"):
        hasher.fit(features, labels=np.ones((400, 1), bool))
    with pytest.raises(ValueError, match="n_neighbors <= min"):
        WMH(4, n_neighbors=400).fit(features, tags=NO_TAGS)
