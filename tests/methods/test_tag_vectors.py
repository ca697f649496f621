"""Tags as vectors, as the methods see them."""

import numpy as np
import pytest
from scipy import sparse

import methods.tag_vectors
from features.tags import TagMatrix, aggregate, skip_gram_vectors
from methods.sharing import sharing
from methods.tag_vectors import has_vector, image_vectors, word_vectors


@pytest.fixture
def tags():
    """60 images with three of eight tags, and one image that carries none."""
    rng = np.random.default_rng(0)
    rows = np.argsort(rng.random((60, 8)), axis=1)[:, :3]
    tags = np.zeros((61, 8), dtype=bool)
    np.put_along_axis(tags, np.vstack([rows, rows[:1]]), True, axis=1)
    tags[60] = False
    return sparse.csr_array(tags)


def test_vectors_that_came_with_the_tags_are_taken(tags):
    vectors = np.ones((8, 5), dtype=np.float32)
    assert word_vectors(TagMatrix(tags, vectors=vectors)) is vectors


def test_without_vectors_they_are_trained_on_the_tags(tags):
    expected = skip_gram_vectors(tags, size=300, seed=0)
    for same in (TagMatrix(tags), sparse.csr_matrix(tags), sparse.coo_array(tags.astype(int))):
        np.testing.assert_array_equal(word_vectors(same), expected)


def test_they_are_trained_once_for_all_methods(tags, tmp_path, monkeypatch):
    alone = word_vectors(tags)
    calls = []

    def train(*arguments, **options):
        calls.append(arguments)
        return skip_gram_vectors(*arguments, **options)

    monkeypatch.setattr(methods.tag_vectors, "skip_gram_vectors", train)
    with sharing(tmp_path):
        first, second = word_vectors(tags), word_vectors(TagMatrix(tags, words=tuple("abcdefgh")))
        other = word_vectors(tags[:30])
    assert len(calls) == 2
    np.testing.assert_array_equal(first, alone)
    np.testing.assert_array_equal(second, alone)
    assert not np.array_equal(other, alone)


def test_no_tags_at_all_give_no_vectors():
    empty = sparse.csr_array((5, 3), dtype=bool)
    assert not word_vectors(empty).any()
    assert not has_vector(image_vectors(empty)).any()


def test_image_vectors_are_the_aggregated_word_vectors(tags):
    vectors = np.random.default_rng(1).standard_normal((8, 4)).astype(np.float32)
    known = TagMatrix(tags, vectors=vectors)
    for how, base in (("mean", "assignments"), ("tf", "images"), ("itf", "assignments")):
        W = image_vectors(known, how, base)
        np.testing.assert_array_equal(W, aggregate(tags, vectors, how, base))
        assert W.dtype == np.float64


def test_normalised_vectors_have_length_one_or_zero(tags):
    known = TagMatrix(tags, vectors=np.eye(8, dtype=np.float32))
    W = image_vectors(known, form="unit")
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), [1] * 60 + [0])
    np.testing.assert_allclose(W, image_vectors(known) * np.sqrt(3), atol=1e-12)


def test_centred_vectors_are_those_of_unit_length_less_the_mean_of_known_images(tags):
    vectors = np.random.default_rng(2).standard_normal((8, 5)).astype(np.float32) + 3
    known = TagMatrix(tags, vectors=vectors)
    raw, centred = image_vectors(known), image_vectors(known, form="centred")
    expected = raw[:60] - raw[:60].mean(axis=0)
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(centred[:60], expected / lengths, atol=1e-12)
    # An image without a known tag stays one.
    assert has_vector(centred).tolist() == [True] * 60 + [False]
    assert (raw[:60] @ raw[:60].T > 0).all() and (centred @ centred.T).mean() < 0.1


def test_images_without_a_known_tag_are_told_apart(tags):
    vectors = np.eye(8, dtype=np.float32)
    vectors[:7] = 0
    W = image_vectors(TagMatrix(tags, vectors=vectors))
    np.testing.assert_array_equal(has_vector(W), tags[:, [7]].toarray().ravel())
