from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from methods.algebra.products import ProductCodebooks, drawn_items, product_codebooks
from methods.unsupervised.pq import PQ

faiss = pytest.importorskip("faiss", reason="faiss-cpu is the reference of product quantisation")


@pytest.fixture(scope="module")
def items():
    """Correlated features, shape (3000, 16)."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 16)) * np.linspace(3, 0.3, 16)
    return (X @ np.linalg.qr(rng.standard_normal((16, 16)))[0]).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(items):
    return PQ(16, random_state=0).fit(items)


def error(X, Y):
    return ((X - Y) ** 2).sum(axis=1).mean()


def test_the_error_is_that_of_faiss(items, fitted):
    theirs = faiss.ProductQuantizer(16, 2, 8)
    theirs.train(items)
    reference = error(items, theirs.decode(theirs.compute_codes(items)))
    assert error(items, fitted.codebooks_.reconstruct(fitted.encode(items))) < 1.01 * reference


def test_neighbours_by_score_are_those_of_faiss_about_as_often(items, fitted):
    queries, database = items[:50], items[50:]
    truth = cdist(queries, database).argmin(axis=1)
    tables, codes = fitted.encode_queries(queries), fitted.encode(database)
    scores = sum(tables[:, m][:, codes[:, m]] for m in range(2))
    found = (np.argsort(-scores, axis=1)[:, :20] == truth[:, None]).any(axis=1).mean()
    index = faiss.IndexPQ(16, 2, 8)
    index.train(database)
    index.add(database)
    theirs = (index.search(queries, 20)[1] == truth[:, None]).any(axis=1).mean()
    assert found >= theirs - 0.1 and found > 0.5


def test_a_score_is_the_distance_from_the_reconstruction(items, fitted):
    queries, codes = items[:5].astype(np.float64), fitted.encode(items[5:40])
    tables = fitted.tables(queries)
    scores = sum(tables[:, m][:, codes[:, m]] for m in range(2))
    far = cdist(queries, fitted.codebooks_.reconstruct(codes), "sqeuclidean")
    assert -scores == pytest.approx(far, rel=1e-4)


def test_each_item_gets_its_nearest_words(items, fitted):
    codes = fitted.encode(items[:30])
    for m, words in enumerate(fitted.codebooks_.words):
        block = items[:30, 8 * m : 8 * m + 8]
        assert (codes[:, m] == cdist(block, words).argmin(axis=1)).all()


def test_words_move_to_the_mean_of_their_items_and_unused_ones_stay():
    books = ProductCodebooks((np.array([[0.0], [9.0]]), np.array([[1.0], [2.0]])))
    Z = np.array([[1.0, 1.0], [2.0, 3.0]])
    moved = books.moved(Z, np.array([[0, 0], [0, 1]]))
    assert moved.words[0].tolist() == [[1.5], [9.0]]
    assert moved.words[1].tolist() == [[1.0], [3.0]]


def test_few_distinct_items_are_the_words_themselves():
    Z = np.repeat(np.eye(4)[:3], 5, axis=0)
    books = product_codebooks(Z, (4, 4), 5, 0)
    assert books.reconstruct(books.assign(Z)) == pytest.approx(Z)


def test_at_most_256_items_a_word_are_learnt_from():
    assert (drawn_items(100, (2, 4), 0) == np.arange(100)).all()
    rows = drawn_items(5000, (2, 4), 0)
    assert len(np.unique(rows)) == 4 * 256 and rows.max() > 1024
