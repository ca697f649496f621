from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.decomposition import sparse_encode

from features.tags import TagMatrix
from methods.tags.wp.semantic_words import (
    correlation,
    laplacian,
    lasso,
    sem_space,
    sem_vectors,
    sem_words,
)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Sixty word vectors in ten groups of related words, (60, 12)."""
    rng = np.random.default_rng(0)
    topics = rng.standard_normal((10, 12))
    return np.repeat(topics, 6, axis=0) + 0.5 * rng.standard_normal((60, 12))


@pytest.fixture(scope="module")
def z() -> np.ndarray:
    """Sparse sem-vectors, (200, 9), the last of which is nowhere present."""
    rng = np.random.default_rng(1)
    z = rng.standard_normal((200, 9)) * (rng.random((200, 9)) < 0.3)
    z[:, 8] = 0
    return z


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_objective_never_increases_and_the_atoms_stay_short(vectors):
    learnt = sem_words(vectors, n_words=20, penalty=0.2)
    assert len(learnt.losses) > 3
    assert (np.diff(learnt.losses) <= 1e-9).all()
    assert learnt.losses[-1] < 0.95 * learnt.losses[0]
    assert np.linalg.norm(learnt.dictionary, axis=1).max() <= 1 + 1e-12


def test_the_last_loss_is_the_objective_of_the_result(vectors):
    learnt = sem_words(vectors, n_words=20, penalty=0.2)
    residuals = unit(vectors) - learnt.codes @ learnt.dictionary
    expected = (residuals**2).sum() + 0.2 * np.abs(learnt.codes).sum()
    assert learnt.losses[-1] == pytest.approx(expected)


@pytest.mark.parametrize("penalty", [0.05, 0.2, 0.6])
def test_codes_are_those_of_the_homotopy_method(vectors, penalty):
    T, B = unit(vectors), unit(vectors[::4] + vectors[1::4])
    codes = lasso(T, B, penalty, np.zeros((len(T), len(B))))
    lars = sparse_encode(T, B, algorithm="lasso_lars", alpha=penalty / 2, max_iter=10_000)
    assert codes == pytest.approx(lars, abs=1e-3)
    assert 0 < np.count_nonzero(codes) < codes.size


def test_a_code_is_the_soft_thresholded_product_on_an_orthonormal_dictionary():
    t = np.array([[0.8, -0.3, 0.1]])
    codes = lasso(t, np.eye(3), 0.4, np.zeros((1, 3)))
    assert codes == pytest.approx(np.array([[0.6, -0.1, 0]]))


def test_codes_get_sparser_with_the_penalty(vectors):
    codes = [sem_words(vectors, n_words=20, penalty=p).codes for p in (0.02, 0.1, 0.4, 1.0)]
    shares = [np.mean(np.abs(u) > 1e-8) for u in codes]
    assert (np.diff(shares) < 0).all()


def test_with_as_many_atoms_as_tags_each_tag_is_its_own_sem_word(vectors):
    learnt = sem_words(vectors, n_words=80, penalty=0.1)
    # No code of l1 norm u leaves less than (1 - u)^2, which the tag itself as an atom attains.
    assert learnt.losses[-1] == pytest.approx(60 * (0.1 - 0.1**2 / 4), rel=1e-3)
    assert len(set(np.abs(learnt.codes).argmax(axis=1))) == 60


def test_identical_tags_get_identical_codes_and_tags_without_a_vector_none(vectors):
    vectors = np.vstack([vectors, vectors[3], 2 * vectors[5], np.zeros(12)])
    codes = sem_words(vectors, n_words=15, penalty=0.1).codes
    assert (codes[60] == codes[3]).all()
    assert codes[61] == pytest.approx(codes[5], abs=1e-6)
    assert not codes[62].any()


def test_every_atom_is_used(vectors):
    codes = sem_words(vectors, n_words=30, penalty=0.1).codes
    assert np.abs(codes).max(axis=0).min() > 1e-8


def test_an_atom_that_no_tag_uses_moves_to_a_tag_that_is_badly_reconstructed():
    # Found by trial: here one of nine atoms falls out of use on the way.
    angles = np.radians([-148, -91, -89, -71, -64, 114, 118, 129, 133, 144, 177])
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    codes = sem_words(directions, n_words=9, penalty=0.4).codes
    assert np.abs(codes).max(axis=0).min() > 1e-8


def test_a_tag_counts_as_often_as_its_vector_comes():
    a, b = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    learnt = sem_words(np.array([a] * 9 + [b]), n_words=1, penalty=0.1)
    # The best atom by trial of all directions: u = t.b - penalty / 2 for an atom of length 1.
    directions = np.radians(np.linspace(0, 60, 601))
    atoms = np.column_stack([np.cos(directions), np.sin(directions)])
    losses = sum(
        count * (((t - u[:, None] * atoms) ** 2).sum(axis=1) + 0.1 * u)
        for count, t in ((9, a), (1, b))
        for u in [atoms @ t - 0.05]
    )
    assert learnt.losses[-1] == pytest.approx(losses.min(), rel=1e-3)
    assert learnt.dictionary[0] == pytest.approx(atoms[losses.argmin()], abs=0.01)


def test_vectors_are_coded_as_they_are_where_asked(vectors):
    scaled = vectors * np.linspace(1, 3, 60)[:, None]
    raw = sem_words(scaled, n_words=20, penalty=0.2, unit=False)
    residuals = scaled - raw.codes @ raw.dictionary
    expected = (residuals**2).sum() + 0.2 * np.abs(raw.codes).sum()
    assert raw.losses[-1] == pytest.approx(expected)
    assert (np.diff(raw.losses) <= 1e-9 * raw.losses[0]).all()
    assert np.linalg.norm(raw.dictionary, axis=1).max() <= 1 + 1e-12
    # The longer the vectors, the less the penalty weighs.
    one = sem_words(scaled, n_words=20, penalty=0.2)
    assert np.mean(np.abs(one.codes) > 1e-8) < np.mean(np.abs(raw.codes) > 1e-8)


def test_seeds_decide_the_dictionary(vectors):
    first, again = (sem_words(vectors, n_words=10, penalty=0.2, seed=0) for _ in range(2))
    other = sem_words(vectors, n_words=10, penalty=0.2, seed=1)
    assert (first.dictionary == again.dictionary).all()
    assert np.abs(first.dictionary - other.dictionary).max() > 0.1


def test_a_sem_vector_is_the_mean_over_the_tags_that_have_a_code():
    codes = np.array([[1.0, 0, 0], [0, 0.5, 0], [0, 0, 0]])
    tags = csr_array(np.array([[1, 1, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]]))
    expected = [[0.5, 0.25, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert sem_vectors(tags, codes) == pytest.approx(np.array(expected))


def test_the_correlation_is_the_jaccard_index_of_two_sets_of_images(z):
    R = correlation(z)
    present = [set(np.flatnonzero(column)) for column in z.T]
    for k in range(8):
        for q in range(8):
            expected = len(present[k] & present[q]) / len(present[k] | present[q])
            assert R[k, q] == pytest.approx(expected)
    assert not R[8].any()
    assert not R[:, 8].any()


def test_the_laplacian_is_symmetric_and_positive_with_zero_row_sums(z):
    L = laplacian(correlation(z))
    assert (L == L.T).all()
    assert L.sum(axis=1) == pytest.approx(0, abs=1e-12)
    assert (L - np.diag(L.diagonal()) <= 0).all()
    assert np.linalg.eigvalsh(L).min() > -1e-12


def test_the_laplacian_form_is_half_the_double_sum(z):
    R = correlation(z)
    v = np.random.default_rng(2).standard_normal(9)
    double_sum = (R * (v[:, None] - v) ** 2).sum() / 2
    assert v @ laplacian(R) @ v == pytest.approx(double_sum)


def test_synonyms_bring_images_closer_than_one_hot_tags_do():
    rng = np.random.default_rng(3)
    topics = rng.standard_normal((12, 20))
    words = np.vstack([topics, topics[0] + 0.2 * rng.standard_normal(20)])
    # Tags 0 and 12 are synonyms; the images that carry them share nothing else.
    tags = np.zeros((3, 13))
    tags[0, [0, 4]], tags[1, [12, 5]], tags[2, [7, 8]] = 1, 1, 1
    z, _ = sem_space(TagMatrix(tags, vectors=words), n_words=12, penalty=0.2)
    cosine = z[0] @ z[1] / np.linalg.norm(z[0]) / np.linalg.norm(z[1])
    assert tags[0] @ tags[1] == 0
    assert cosine > 0.3
    assert abs(z[0] @ z[2]) < 0.1 * z[0] @ z[1]


def test_by_default_there_are_half_as_many_sem_words_as_tags_with_a_vector(vectors):
    words = np.vstack([vectors, np.zeros((5, 12))])
    z, L = sem_space(TagMatrix(np.eye(65), vectors=words), n_words=None, penalty=0.2)
    assert z.shape == (65, 30)
    assert L.shape == (30, 30)
