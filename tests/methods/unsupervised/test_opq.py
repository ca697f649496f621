from __future__ import annotations

import numpy as np
import pytest

from methods import Task
from methods.unsupervised.opq import OPQ, dealt_axes
from methods.unsupervised.pq import PQ

faiss = pytest.importorskip("faiss", reason="faiss-cpu is the reference of product quantisation")


@pytest.fixture(scope="module")
def items():
    """Correlated features, shape (2000, 16)."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((2000, 16)) * np.linspace(4, 0.2, 16)
    return (X @ np.linalg.qr(rng.standard_normal((16, 16)))[0] + 3).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(items):
    return OPQ(16, random_state=0).fit(items)


def error(hasher, X):
    Z = (X - hasher.mean_) @ hasher.W_
    return ((Z - hasher.codebooks_.reconstruct(hasher.encode(X))) ** 2).sum(axis=1).mean()


def test_the_objective_never_rises(fitted):
    assert (np.diff(fitted.losses_) <= 1e-9 * fitted.losses_[0]).all()
    assert fitted.losses_[-1] < 0.997 * fitted.losses_[0]


def test_the_error_is_no_larger_than_that_of_faiss(items, fitted):
    matrix, books = faiss.OPQMatrix(16, 2), faiss.ProductQuantizer(16, 2, 8)
    matrix.train(items)
    turned = matrix.apply(items)
    books.train(turned)
    theirs = ((turned - books.decode(books.compute_codes(turned))) ** 2).sum(axis=1).mean()
    assert error(fitted, items) < 1.01 * theirs


def test_the_error_is_smaller_than_without_the_rotation(items, fitted):
    plain = PQ(16, random_state=0).fit(items)
    codes = plain.codebooks_.reconstruct(plain.encode(items))
    assert error(fitted, items) < 0.95 * ((items - codes) ** 2).sum(axis=1).mean()


def test_the_rotation_keeps_lengths(items, fitted):
    assert pytest.approx(np.eye(16), abs=1e-9) == fitted.W_.T @ fitted.W_


def test_axes_are_dealt_out_by_the_product_of_variances():
    # 8 | 4 first; then 2 to the block of 4, 1 fills the other.
    assert dealt_axes(np.array([8.0, 4.0, 2.0, 1.0]), 2).tolist() == [0, 3, 1, 2]
    assert sorted(dealt_axes(np.ones(7), 3).tolist()) == list(range(7))


def test_too_few_axes_are_a_reason_to_skip():
    method = OPQ(16, n_components=1)
    assert "d >= 2" in method.skip(Task(1000, 50))
