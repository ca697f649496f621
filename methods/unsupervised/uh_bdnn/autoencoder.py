"""Encoder, decoder and losses of the binary autoencoder that UH-BDNN trains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh, solve
from scipy.optimize import minimize
from scipy.special import expit

from methods.algebra.pca import fix_signs

#: Hidden units of the authors' networks by code length; other lengths follow the lines between.
LENGTHS, FIRST, SECOND = (8, 16, 24, 32, 48), (90, 90, 100, 120, 140), (20, 30, 40, 50, 70)

#: Deviations of inputs below this share of the largest one count as that share.
LEAST_DEVIATION = 1e-3


class Penalties(NamedTuple):
    """Weights of the terms of J other than the reconstruction."""

    decay: float
    binary: float
    independence: float
    balance: float


class Weights(NamedTuple):
    """The encoder: matrices (D, h1), (h1, h2), (h2, b) and biases (h1,), (h2,), (b,)."""

    W1: np.ndarray
    W2: np.ndarray
    W3: np.ndarray
    c1: np.ndarray
    c2: np.ndarray
    c3: np.ndarray

    def outputs(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the three layers, (n, h1), (n, h2) and (n, b)."""
        first = expit(X @ self.W1 + self.c1)
        second = expit(first @ self.W2 + self.c2)
        return first, second, second @ self.W3 + self.c3

    def flat(self) -> np.ndarray:
        """All numbers as one vector."""
        return np.concatenate([part.ravel() for part in self])

    def filled(self, flat: np.ndarray) -> Weights:
        """Arrays of the same shapes with the numbers of such a vector."""
        ends = np.cumsum([part.size for part in self])[:-1]
        parts = zip(np.split(flat, ends), self, strict=True)
        return Weights(*(numbers.reshape(part.shape) for numbers, part in parts))


class Decoder(NamedTuple):
    """Reconstructs inputs from codes as ``B W4 + 1 c4'``: arrays (b, D) and (D,)."""

    W4: np.ndarray
    c4: np.ndarray


def hidden_units(n_bits: int, n_inputs: int) -> tuple[int, int]:
    """Widths of the hidden layers: as the authors', at least b and at most the layer before."""
    first = max(int(np.interp(n_bits, LENGTHS, FIRST)), n_bits)
    second = max(int(np.interp(n_bits, LENGTHS, SECOND)), n_bits)
    return min(first, n_inputs), min(second, first, n_inputs)


def initial_weights(X: np.ndarray, B: np.ndarray, penalties: Penalties) -> Weights:
    """Leading eigenvectors for the hidden layers, the ridge regression of B for the last one."""
    h1, h2 = hidden_units(B.shape[1], X.shape[1])
    W1 = _leading_eigenvectors(X, h1)
    first = expit(X @ W1)
    W2 = _leading_eigenvectors(first, h2)
    W3, c3 = ridge(expit(first @ W2), B, penalties.decay / penalties.binary)
    return Weights(W1, W2, W3, np.zeros(h1), np.zeros(h2), c3)


def ridge(A: np.ndarray, Y: np.ndarray, decay: float) -> Decoder:
    """The minimiser of ``1/(2n) ||Y - A W - 1 c'||_F^2 + decay/2 ||W||_F^2``."""
    mean_A, mean_Y = A.mean(axis=0), Y.mean(axis=0)
    centred = A - mean_A
    gram = centred.T @ centred / len(A) + decay * np.eye(A.shape[1])
    W = solve(gram, centred.T @ (Y - mean_Y) / len(A), assume_a="pos")
    return Decoder(W, mean_Y - mean_A @ W)


def reconstruction_loss(X: np.ndarray, B: np.ndarray, decoder: Decoder, decay: float) -> float:
    """``1/(2n) ||X - B W4 - 1 c4'||_F^2 + decay/2 ||W4||_F^2``: the part of J with the decoder."""
    error = X - B @ decoder.W4 - decoder.c4
    return np.sum(error**2) / (2 * len(X)) + decay / 2 * np.sum(decoder.W4**2)


def encoder_loss(
    weights: Weights, X: np.ndarray, B: np.ndarray, penalties: Penalties
) -> tuple[float, Weights]:
    """The part of J with the encoder, and its gradient with respect to the weights.

    ``decay/2 sum_l ||W_l||^2 + binary/(2n) ||H - B||^2 + independence/2 ||H'H/n - I||^2
    + balance/(2n) ||1'H||^2`` over the three layers of the encoder.
    """
    (n, b), (decay, binary, independence, balance) = B.shape, penalties
    first, second, H = weights.outputs(X)
    error, dependence, total = H - B, H.T @ H / n - np.eye(b), H.sum(axis=0)
    loss = decay / 2 * sum(np.sum(W**2) for W in weights[:3])
    loss += (binary * np.sum(error**2) + balance * np.sum(total**2)) / (2 * n)
    loss += independence / 2 * np.sum(dependence**2)

    slope3 = (binary * error + 2 * independence * H @ dependence + balance * total) / n
    slope2 = slope3 @ weights.W3.T * second * (1 - second)
    slope1 = slope2 @ weights.W2.T * first * (1 - first)
    inputs, slopes = (X, first, second), (slope1, slope2, slope3)
    gradients = [
        A.T @ slope + decay * W for A, slope, W in zip(inputs, slopes, weights[:3], strict=True)
    ]
    return loss, Weights(*gradients, *(slope.sum(axis=0) for slope in slopes))


def train_encoder(
    weights: Weights, X: np.ndarray, B: np.ndarray, penalties: Penalties, n_steps: int
) -> Weights:
    """Lower :func:`encoder_loss` by L-BFGS, at most `n_steps` iterations."""
    # The axes' deviations differ a hundredfold; in units of them the descent is many times faster.
    deviations = X.std(axis=0)
    deviations = np.maximum(deviations / (deviations.max() or 1.0), LEAST_DEVIATION)
    ones = Weights(*map(np.ones_like, weights))
    units = ones._replace(W1=ones.W1 / deviations[:, None]).flat()

    def loss_and_gradient(variables: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = encoder_loss(weights.filled(variables * units), X, B, penalties)
        return loss, gradient.flat() * units

    start = weights.flat() / units
    options = {"maxiter": n_steps, "maxfun": 2 * n_steps + 20, "ftol": 1e-10, "gtol": 1e-8}
    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    return weights.filled(found.x * units)


def _leading_eigenvectors(A: np.ndarray, count: int) -> np.ndarray:
    """Of the second-moment matrix ``A'A``, shape (., count)."""
    size = A.shape[1]
    vectors = eigh(A.T @ A, subset_by_index=(size - count, size - 1))[1]
    return fix_signs(vectors[:, ::-1])
