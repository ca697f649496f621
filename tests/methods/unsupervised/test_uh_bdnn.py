from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from methods.algebra.pca import principal_axes
from methods.base import Task
from methods.conformance.trial import query_items, training_items
from methods.unsupervised.itq import ITQ
from methods.unsupervised.uh_bdnn.autoencoder import (
    Decoder,
    Penalties,
    encoder_loss,
    reconstruction_loss,
    ridge,
)
from methods.unsupervised.uh_bdnn.uh_bdnn import (
    UHBDNN,
    mean_average_precision,
    true_neighbors,
    update_codes,
)


@pytest.fixture(scope="module")
def fitted():
    return UHBDNN(8, n_rounds=4, n_steps=20, random_state=0).fit(training_items().X)


def test_the_objective_never_rises_in_any_step(fitted):
    losses = fitted.losses_
    assert len(losses) == 2 + 3 * (len(fitted.precisions_) - 1)
    assert len(losses) >= 5
    assert (np.diff(losses) <= 1e-12).all()
    assert losses[-1] < 0.95 * losses[0]


def test_the_last_objective_is_that_of_the_formula():
    X = training_items().X
    hasher = UHBDNN(8, n_rounds=0, n_steps=5, random_state=0).fit(X)
    inputs = (X[hasher.learnt_] - hasher.mean_) @ hasher.axes_
    expected = encoder_loss(
        hasher.weights_, inputs, hasher.codes_, Penalties(1e-5, 5e-2, 1e-2, 5e-7)
    )
    decoder = ridge(hasher.codes_, inputs, 1e-5)
    expected = expected[0] + reconstruction_loss(inputs, hasher.codes_, decoder, 1e-5)
    assert hasher.losses_[-1] == pytest.approx(expected)


def test_the_codes_start_from_itq():
    X = training_items().X
    hasher = UHBDNN(8, n_rounds=0, n_steps=1, random_state=0).fit(X)
    inputs = principal_axes(X, 24).scores(X[hasher.learnt_])
    codes = ITQ(8, random_state=0).fit(inputs).encode(inputs)
    assert (hasher.codes_ > 0).astype(int) == pytest.approx(codes.astype(int))


@pytest.mark.parametrize("binary", [0.0, 0.5])
def test_each_bit_becomes_the_better_one_and_the_objective_never_rises(binary):
    rng = np.random.default_rng(0)
    X, H = rng.standard_normal((30, 5)), rng.standard_normal((30, 4))
    decoder = Decoder(rng.standard_normal((4, 5)), rng.standard_normal(5))
    B = np.where(rng.standard_normal((30, 4)) > 0, 1.0, -1.0)

    def costs(B):
        fit = np.sum((X - B @ decoder.W4 - decoder.c4) ** 2, axis=1)
        return fit + binary * np.sum((H - B) ** 2, axis=1)

    one_by_one = B.copy()
    for k in range(4):
        flipped = one_by_one.copy()
        flipped[:, k] *= -1
        better = costs(flipped) < costs(one_by_one)
        one_by_one[better] = flipped[better]
    once = update_codes(B, H, X, decoder, binary, 1)
    assert (once == one_by_one).all()
    settled = update_codes(B, H, X, decoder, binary, 50)
    assert (costs(settled) <= costs(once) + 1e-12).all()
    assert (costs(once) <= costs(B) + 1e-12).all()
    for k in range(4):
        flipped = settled.copy()
        flipped[:, k] *= -1
        assert (costs(flipped) >= costs(settled)).all()


def test_a_bit_that_nothing_decides_stays():
    B = np.array([[1.0, -1.0], [-1.0, 1.0]])
    nothing = Decoder(np.zeros((2, 3)), np.zeros(3))
    assert (update_codes(B, np.zeros((2, 2)), np.ones((2, 3)), nothing, 0.5, 3) == B).all()


def test_the_network_with_the_best_precision_on_held_out_items_is_kept(fitted):
    X = training_items().X
    heldout = np.setdiff1d(np.arange(1200), fitted.learnt_)
    assert len(heldout) == 240
    inputs = [(X[rows] - fitted.mean_) @ fitted.axes_ for rows in (heldout, fitted.learnt_)]
    codes = [fitted.weights_.outputs(items)[-1] > 0 for items in inputs]
    precision = mean_average_precision(*codes, true_neighbors(*inputs))
    assert precision == pytest.approx(fitted.precisions_.max())


def test_a_bit_is_the_sign_of_the_code_layer(fitted):
    X = query_items().X
    H = fitted.weights_.outputs((X - fitted.mean_) @ fitted.axes_)[-1]
    assert (fitted.encode(X) == (H > 0)).all()


def test_large_training_sets_are_sampled_and_small_ones_skipped():
    X = training_items().X
    hasher = UHBDNN(4, max_items=150, n_rounds=1, n_steps=5, random_state=1).fit(X)
    assert len(hasher.learnt_) == len(np.unique(hasher.learnt_)) == 150
    assert UHBDNN(8).skip(Task(10, 50)) == "needs bits <= min(d, n - 1) = 7"
    assert UHBDNN(200).skip(Task(9999, 512)) == "needs bits <= min(d, n - 1) = 128"


def test_codes_do_not_depend_on_the_scale_of_the_features(fitted):
    X = training_items().X
    again = UHBDNN(8, n_rounds=4, n_steps=20, random_state=0).fit(1024 * X)
    assert (again.encode(1024 * X) == fitted.encode(X)).all()


def test_mean_average_precision_is_that_of_an_independent_implementation():
    rng = np.random.default_rng(0)
    X, queries = rng.standard_normal((300, 5)), rng.standard_normal((20, 5))
    truth = true_neighbors(queries, X)
    assert (truth.sum(axis=1) == 50).all()
    nearest = ((queries[:, None] - X) ** 2).sum(axis=2).argsort(axis=1)[:, :50]
    assert np.take_along_axis(truth, nearest, axis=1).all()
    codes, others = queries > 0, X > 0
    distances = (codes[:, None] != others).sum(axis=2)
    scores = [average_precision_score(t, -d) for t, d in zip(truth, distances, strict=True)]
    assert mean_average_precision(codes, others, truth) == pytest.approx(np.mean(scores))
