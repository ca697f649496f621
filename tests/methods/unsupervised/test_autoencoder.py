from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from methods.unsupervised.uh_bdnn.autoencoder import (
    Penalties,
    Weights,
    encoder_loss,
    hidden_units,
    initial_weights,
    reconstruction_loss,
    ridge,
    train_encoder,
)

PENALTIES = Penalties(1e-5, 5e-2, 1e-2, 5e-7)


@pytest.fixture(scope="module")
def problem():
    """Inputs (50, 6), codes (50, 3) and weights with 5 and 4 hidden units."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 6)) * [1, 0.8, 0.5, 0.3, 0.1, 0.01]
    B = np.where(rng.standard_normal((50, 3)) > 0, 1.0, -1.0)
    shapes = (6, 5), (5, 4), (4, 3), 5, 4, 3
    return X, B, Weights(*(rng.standard_normal(shape) for shape in shapes))


@pytest.mark.parametrize("term", ["decay", "binary", "independence", "balance"])
def test_the_gradient_of_each_term_of_the_encoder_is_right(problem, term):
    X, B, weights = problem
    penalties = Penalties(0.0, 0.0, 0.0, 0.0)._replace(**{term: 0.7})
    gradient = encoder_loss(weights, X, B, penalties)[1].flat()
    numeric = approx_fprime(
        weights.flat(), lambda w: encoder_loss(weights.filled(w), X, B, penalties)[0], 1e-7
    )
    assert np.abs(gradient).max() > 1e-3
    assert gradient == pytest.approx(numeric, abs=1e-5 * np.abs(gradient).max())


def test_the_loss_of_the_encoder_is_that_of_the_formula(problem):
    X, B, weights = problem
    H = weights.outputs(X)[-1].T
    expected = 0.1 / 2 * sum(np.linalg.norm(W) ** 2 for W in weights[:3])
    expected += 0.2 / 100 * np.linalg.norm(H - B.T) ** 2
    expected += 0.3 / 2 * np.linalg.norm(H @ H.T / 50 - np.eye(3)) ** 2
    expected += 0.4 / 100 * np.linalg.norm(H @ np.ones(50)) ** 2
    loss = encoder_loss(weights, X, B, Penalties(0.1, 0.2, 0.3, 0.4))[0]
    assert loss == pytest.approx(expected)


def test_the_layers_are_two_sigmoids_and_a_linear_one(problem):
    X, _, weights = problem
    first = 1 / (1 + np.exp(-X @ weights.W1 - weights.c1))
    second = 1 / (1 + np.exp(-first @ weights.W2 - weights.c2))
    H = weights.outputs(X)[-1]
    assert pytest.approx(second @ weights.W3 + weights.c3) == H


def test_the_decoder_is_where_the_gradient_of_the_reconstruction_vanishes(problem):
    X, B, _ = problem
    decoder = ridge(B, X, 0.1)
    flat = np.concatenate([decoder.W4.ravel(), decoder.c4])

    def loss(w):
        return reconstruction_loss(X, B, decoder._replace(W4=w[:18].reshape(3, 6), c4=w[18:]), 0.1)

    assert approx_fprime(flat, loss, 1e-7) == pytest.approx(np.zeros(24), abs=1e-6)
    error = X - B @ decoder.W4 - decoder.c4
    expected = (np.linalg.norm(error) ** 2 / 50 + 0.1 * np.linalg.norm(decoder.W4) ** 2) / 2
    assert loss(flat) == pytest.approx(expected)


def test_codes_that_are_the_inputs_are_reconstructed_by_the_identity(problem):
    B = problem[1]
    decoder = ridge(B, B, 0.0)
    W4 = decoder.W4
    assert pytest.approx(np.eye(3), abs=1e-12) == W4
    assert reconstruction_loss(B, B, decoder, 0.0) == pytest.approx(0, abs=1e-20)


def test_training_lowers_the_loss_to_a_stationary_point(problem):
    X, B, weights = problem
    losses = [
        encoder_loss(train_encoder(weights, X, B, PENALTIES, n), X, B, PENALTIES)[0]
        for n in (1, 10, 500)
    ]
    assert encoder_loss(weights, X, B, PENALTIES)[0] > losses[0] > losses[1] > losses[2]
    end = train_encoder(weights, X, B, PENALTIES, 3000)
    slopes = [np.linalg.norm(encoder_loss(w, X, B, PENALTIES)[1].flat()) for w in (weights, end)]
    assert slopes[1] < 1e-2 * slopes[0]


def test_layers_start_from_eigenvectors_of_their_inputs(problem):
    X, B, _ = problem
    weights = initial_weights(X, B, PENALTIES)
    first = 1 / (1 + np.exp(-X @ weights.W1))
    for inputs, W in ((X, weights.W1), (first, weights.W2)):
        moments = inputs.T @ inputs
        assert np.allclose(W.T @ W, np.eye(W.shape[1]))
        values = np.sort(np.linalg.eigvalsh(moments))[::-1][: W.shape[1]]
        assert np.allclose(W.T @ moments @ W, np.diag(values))


def test_hidden_layers_are_as_wide_as_the_authors():
    sizes = {8: (90, 20), 16: (90, 30), 24: (100, 40), 32: (120, 50)}
    assert {bits: hidden_units(bits, 784) for bits in sizes} == sizes
    assert hidden_units(12, 784) == (90, 25)
    assert hidden_units(48, 784) == (140, 70)
    assert hidden_units(100, 784) == (140, 100)
    assert hidden_units(16, 24) == (24, 24)
