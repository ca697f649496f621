"""Additive codebooks against loops over all code words, dense products and least squares."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from methods.algebra.codebooks import (
    Codebooks,
    icm_codes,
    initial_codebooks,
    metric_factor,
    sweep_order,
    update_codebooks,
)
from methods.quantizer import codebook_bits


@pytest.fixture(scope="module")
def items() -> np.ndarray:
    """Correlated items, read-only, shape (600, 12)."""
    rng = np.random.default_rng(3)
    R = np.tanh(rng.standard_normal((600, 5)) @ rng.standard_normal((5, 12)))
    R += 0.1 * rng.standard_normal(R.shape)
    R.setflags(write=False)
    return R


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Vectors that errors are measured through, shape (40, 12), of very different lengths."""
    rng = np.random.default_rng(4)
    return rng.standard_normal((40, 12)) * np.geomspace(0.1, 3, 12)


def sizes_of(n_bits):
    return tuple(2**bits for bits in codebook_bits(n_bits))


def errors(R, V, codebooks, codes):
    """``||r - x||_G^2`` of each item, through the inner products that define it."""
    return (((R - codebooks.reconstruct(codes)) @ V.T) ** 2).sum(axis=1)


def naive_icm(R, V, codebooks, order):
    """The same updates as loops over items and code words."""
    words = np.split(codebooks.words, codebooks.starts[1:-1])
    codes = np.zeros((len(R), len(words)), dtype=int)
    for i, r in enumerate(R):
        parts = [np.zeros_like(r) for _ in words]
        for m in order:
            others = sum(part for k, part in enumerate(parts) if k != m)
            losses = [np.sum((V @ (r - others - c)) ** 2) for c in words[m]]
            codes[i, m] = int(np.argmin(losses))
            parts[m] = words[m][codes[i, m]]
    return codes


@pytest.mark.parametrize("n_vectors", [40, 7])
def test_the_factor_turns_the_metric_into_euclidean_distance(vectors, n_vectors):
    V = vectors[:n_vectors]
    F = metric_factor(V)
    assert F.shape == (12, min(12, n_vectors))
    np.testing.assert_allclose(F @ F.T, V.T @ V, atol=1e-12)
    x = np.arange(12.0)
    assert ((x @ F) ** 2).sum() == pytest.approx(((V @ x) ** 2).sum())


def test_the_factor_is_the_cholesky_factor_up_to_signs(vectors):
    L = np.linalg.cholesky(vectors.T @ vectors)
    assert np.abs(metric_factor(vectors)) == pytest.approx(np.abs(L))


@pytest.mark.parametrize("n_bits", [3, 12, 20])
def test_codes_are_those_of_a_loop_over_all_code_words(items, vectors, n_bits):
    R = items[:8]
    rng = np.random.default_rng(n_bits)
    sizes = sizes_of(n_bits)
    codebooks = Codebooks(0.5 * rng.standard_normal((sum(sizes), 12)), sizes)
    order = sweep_order(len(sizes), 3, 0)
    codes = icm_codes(R, codebooks, metric_factor(vectors), order)
    assert (codes == naive_icm(R, vectors, codebooks, order)).all()


def test_an_update_never_raises_the_error_of_any_item(items, vectors):
    codebooks = initial_codebooks(items, (16, 16, 16, 16), 0)
    factor, order = metric_factor(vectors), sweep_order(4, 3, 1)
    # In the first sweep codebooks come in one after the other.
    after = [
        errors(items, vectors, codebooks, icm_codes(items, codebooks, factor, order[:updates]))
        for updates in range(4, len(order) + 1)
    ]
    changes = np.diff(after, axis=0)
    assert (changes <= 1e-9 * after[0].max()).all()
    assert changes.sum() < 0


def test_codes_do_not_depend_on_the_other_items(items, vectors):
    codebooks = initial_codebooks(items, (64, 64), 0)
    arguments = codebooks, metric_factor(vectors), sweep_order(2, 3, 0)
    many = np.tile(items, (9, 1))
    codes = icm_codes(many, *arguments)
    assert codes.dtype == np.uint8
    assert (codes == np.tile(codes[:600], (9, 1))).all()
    assert (icm_codes(items[5:6], *arguments) == codes[5]).all()


def test_every_sweep_looks_at_every_codebook_in_an_order_of_its_own():
    order = sweep_order(6, 3, 0).reshape(3, 6)
    assert (np.sort(order, axis=1) == np.arange(6)).all()
    assert len({tuple(sweep) for sweep in order}) == 3
    assert (sweep_order(6, 3, 0) == order.ravel()).all()


def test_the_update_is_the_ridge_solution_and_lowers_the_squared_error(items, vectors):
    codebooks = initial_codebooks(items, (8, 8, 4), 0)
    codes = icm_codes(items, codebooks, metric_factor(vectors), sweep_order(3, 3, 0))
    updated = update_codebooks(codebooks, items, codes)
    before = ((items - codebooks.reconstruct(codes)) ** 2).sum()
    after = ((items - updated.reconstruct(codes)) ** 2).sum()
    assert after < 0.9 * before
    # Ridge regression as least squares with one more row for each code word.
    H = np.zeros((600, 20))
    for m in range(3):
        H[np.arange(600), codebooks.starts[m] + codes[:, m]] = 1
    rows = np.vstack([H, np.sqrt(0.001) * np.eye(20)])
    expected = np.linalg.lstsq(rows, np.vstack([items, np.zeros((20, 12))]), rcond=None)[0]
    used = H.any(axis=0)
    assert updated.words[used] == pytest.approx(expected[used], abs=1e-9)


def test_unused_code_words_keep_their_value(items):
    codebooks = Codebooks(np.random.default_rng(0).standard_normal((8, 12)), (4, 4))
    codes = np.random.default_rng(1).integers(0, 3, (600, 2))
    updated = update_codebooks(codebooks, items, codes)
    assert (updated.words[[3, 7]] == codebooks.words[[3, 7]]).all()
    assert (np.delete(updated.words != codebooks.words, [3, 7], axis=0)).all()


def test_tables_hold_the_scores_of_dense_inner_products(items, vectors):
    codebooks = initial_codebooks(items, (16, 8, 4), 0)
    codes = icm_codes(items, codebooks, metric_factor(vectors), sweep_order(3, 3, 0))
    tables = codebooks.tables(items[:30])
    assert tables.shape == (30, 3, 16) and tables.dtype == np.float32
    assert not tables[:, 1, 8:].any() and not tables[:, 2, 4:].any()
    scores = tables[:, np.arange(3), codes].sum(axis=2)
    assert scores == pytest.approx(items[:30] @ codebooks.reconstruct(codes).T, abs=1e-4)


def test_a_code_is_one_word_of_each_codebook(items):
    codebooks = initial_codebooks(items, (8, 8, 4), 0)
    codes = icm_codes(items, codebooks, np.eye(12), sweep_order(3, 3, 0))
    H = codebooks.one_hot(codes).toarray()
    expected = 0
    for m, (start, end) in enumerate(pairwise(codebooks.starts)):
        assert (H[:, start:end].sum(axis=1) == 1).all()
        expected = expected + codebooks.words[start:end][codes[:, m]]
    assert codebooks.reconstruct(codes) == pytest.approx(expected)


def test_the_error_falls_with_more_codebooks_and_with_an_update(items, vectors):
    factor = metric_factor(vectors)
    totals = []
    for n_codebooks in (1, 2, 3, 4):
        codebooks = initial_codebooks(items, (32,) * n_codebooks, 0)
        order = sweep_order(n_codebooks, 3, 0)
        codes = icm_codes(items, codebooks, factor, order)
        totals.append(errors(items, vectors, codebooks, codes).sum())
        codebooks = update_codebooks(codebooks, items, codes)
        codes = icm_codes(items, codebooks, factor, order)
        assert errors(items, vectors, codebooks, codes).sum() < 0.85 * totals[-1]
    assert (np.diff(totals) < -0.3 * np.array(totals[:-1])).all()


def test_codebooks_start_on_disjoint_blocks_of_dimensions(items):
    codebooks = initial_codebooks(items, (16, 16, 8, 8, 8), 0)
    blocks = np.split(codebooks.words, codebooks.starts[1:-1])
    for m, words in enumerate(blocks):
        assert (words[:, 2 * m : 2 * m + 2] != 0).any(axis=1).all()
    # 12 dimensions make five blocks of two; the last two are left at zero.
    assert (codebooks.words != 0).sum() == 2 * len(codebooks.words)
    assert not codebooks.words[:, 10:].any()


def test_fewer_distinct_items_than_code_words_are_kept_exactly(items):
    R = np.tile(items[:5], (20, 1))
    codebooks = initial_codebooks(R, (64, 64), 0)
    codes = icm_codes(R, codebooks, np.eye(12), sweep_order(2, 3, 0))
    assert codebooks.reconstruct(codes) == pytest.approx(R)
    few = items[:3]
    codebooks = initial_codebooks(few, (64, 64), 0)
    codes = icm_codes(few, codebooks, np.eye(12), sweep_order(2, 3, 0))
    assert codebooks.reconstruct(codes) == pytest.approx(few)


def test_more_codebooks_than_dimensions_are_refused(items):
    with pytest.raises(ValueError, match="12 dimensions"):
        initial_codebooks(items, (2,) * 13)


def test_twelve_bits_make_two_codebooks_of_64_words(items, vectors):
    sizes = sizes_of(12)
    assert sizes == (64, 64)
    codebooks = initial_codebooks(items, sizes, 0)
    codes = icm_codes(items, codebooks, metric_factor(vectors), sweep_order(2, 3, 0))
    assert codes.shape == (600, 2) and codes.max() < 64
    zero = ((items @ vectors.T) ** 2).sum()
    assert errors(items, vectors, codebooks, codes).sum() < 0.2 * zero
