"""Binary deep neural network, unsupervised (UH-BDNN)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial.distance import cdist

from methods import Hasher, Task, register
from methods.algebra.pca import principal_axes, skip_pca
from methods.unsupervised.itq import ITQ
from methods.unsupervised.uh_bdnn.autoencoder import (
    Decoder,
    Penalties,
    encoder_loss,
    hidden_units,
    initial_weights,
    reconstruction_loss,
    ridge,
    train_encoder,
)

#: Nearest training items of a held-out item that count as its true neighbours.
TRUE_NEIGHBORS = 50


@register("uh-bdnn", paper="Do et al., ECCV 2016", supervision="none")
class UHBDNN(Hasher):
    """An autoencoder whose code layer is pulled to binary codes that reconstruct the features.

    Minimises over the encoder H, two sigmoid layers and a linear one, the linear
    decoder (W4, c4) and the codes B in {-1, +1}^(n x b), with items as rows::

        J = 1/(2n) ||X - B W4 - 1 c4'||_F^2 + decay/2 sum_l ||W_l||_F^2
            + binary/(2n) ||H - B||_F^2 + independence/2 ||H'H / n - I||_F^2
            + balance/(2n) ||1'H||^2

    B starts from the codes of ITQ, each layer from the leading eigenvectors of its inputs' second
    moments.  Then the encoder (L-BFGS), the decoder (exact) and B (bit by bit, exact) take turns;
    no step raises J.  It stops when mean average precision on held-out training items, with their
    Euclidean nearest neighbours as the truth, does not rise, and keeps the best network.

    What differs from the authors' code, to need seconds instead of hours: features are divided
    by the largest range of a dimension as there, but then become their scores on the first
    principal axes; the last layer starts from the ridge regression of B; the decoder is not
    left to L-BFGS; B goes on from its last values instead of 0; the variables of L-BFGS are the
    first layer's weights times the deviations of its inputs; a round has fewer steps.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(n_components, d, items learnt from - 1).
    n_components : int
        Principal axes D; at most d are used, and the hidden layers are no wider.
    decay, binary, independence, balance : float
        Weights of the terms above (lambda 1 to 4).
    n_rounds, n_steps, n_sweeps : int
        Most rounds after the first training of the encoder, L-BFGS iterations in each (the
        authors: 400), and passes over the bits in each.
    n_heldout : int
        Training items that are not learnt from, or a fifth of all if that is less.
    max_items : int
        Most items learnt from, drawn at random.
    random_state : int, optional
        Seed of the draw and of ITQ.

    Attributes
    ----------
    mean_, axes_ : (d,) array, (d, D) array
        Inputs of the network are ``(x - mean) axes``; the axes include the division.
    weights_ : Weights
        The encoder.
    learnt_ : array of int
        Rows of the training items learnt from.
    codes_ : array of float
        B when training ended.
    losses_ : array
        J at the start and after every step (encoder, then decoder, B and encoder in each round).
    precisions_ : array
        Mean average precision on the held-out items after each training of the encoder.

    References
    ----------
    T.-T. Do, A.-D. Doan, N.-M. Cheung, "Learning to hash with binary deep neural network",
    ECCV 2016.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        n_components: int = 128,
        decay: float = 1e-5,
        binary: float = 5e-2,
        independence: float = 1e-2,
        balance: float = 5e-7,
        n_rounds: int = 20,
        n_steps: int = 50,
        n_sweeps: int = 10,
        n_heldout: int = 500,
        max_items: int = 10_000,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.n_components = n_components
        self.decay = decay
        self.binary = binary
        self.independence = independence
        self.balance = balance
        self.n_rounds = n_rounds
        self.n_steps = n_steps
        self.n_sweeps = n_sweeps
        self.n_heldout = n_heldout
        self.max_items = max_items
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        learnt = min(task.n_train - self._heldout(task.n_train), self.max_items)
        return skip_pca(self.n_bits, learnt, min(task.n_features, self.n_components))

    def operations(self, task: Task) -> float:
        n, d = min(task.n_train, self.max_items), task.n_features
        inputs = min(d, self.n_components)
        widths = (inputs, *hidden_units(self.n_bits, inputs), self.n_bits)
        products = sum(a * b for a, b in pairwise(widths))
        # About five rounds: mean average precision soon stops rising.
        return 2.0 * task.n_train * d**2 + 9.0 * d**3 + 6 * self.n_steps * 6 * n * products

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> UHBDNN:
        X = self.check_training_data(X)
        n_heldout = self._heldout(len(X))
        rows = np.random.default_rng(self.random_state).permutation(len(X))
        self.learnt_ = np.sort(rows[n_heldout:][: self.max_items])
        pca = principal_axes(X, min(self.n_components, X.shape[1], len(self.learnt_) - 1))
        largest_range = float((X.max(axis=0) - X.min(axis=0)).max()) or 1.0
        self.mean_, self.axes_ = pca.mean, pca.axes / largest_range
        self._alternate(self._inputs(X[self.learnt_]), self._inputs(X[rows[:n_heldout]]))
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return self.weights_.outputs(self._inputs(X))[-1]

    def _heldout(self, n_train: int) -> int:
        return min(self.n_heldout, n_train // 5)

    def _inputs(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.axes_

    def _alternate(self, X: np.ndarray, heldout: np.ndarray) -> None:
        penalties = Penalties(self.decay, self.binary, self.independence, self.balance)
        itq = ITQ(self.n_bits, random_state=self.random_state).fit(X)
        B = np.where(itq.encode(X), 1.0, -1.0)
        weights, decoder = initial_weights(X, B, penalties), ridge(B, X, self.decay)
        truth, losses, precisions = true_neighbors(heldout, X), [], []

        def note_loss() -> None:
            loss = reconstruction_loss(X, B, decoder, self.decay)
            losses.append(loss + encoder_loss(weights, X, B, penalties)[0])

        note_loss()
        for n_done in range(self.n_rounds + 1):
            if n_done:
                decoder = ridge(B, X, self.decay)
                note_loss()
                H = weights.outputs(X)[-1]
                B = update_codes(B, H, X, decoder, self.binary, self.n_sweeps)
                note_loss()
            weights = train_encoder(weights, X, B, penalties, self.n_steps)
            note_loss()
            codes, others = (weights.outputs(items)[-1] > 0 for items in (heldout, X))
            precisions.append(mean_average_precision(codes, others, truth))
            if precisions[-1] < max(precisions):
                break
            self.weights_ = weights
        self.codes_, self.losses_, self.precisions_ = B, np.array(losses), np.array(precisions)


def update_codes(
    B: np.ndarray, H: np.ndarray, X: np.ndarray, decoder: Decoder, binary: float, n_sweeps: int
) -> np.ndarray:
    """Lower ``||X - B W4 - 1 c4'||_F^2 + binary ||H - B||_F^2`` over the codes, bit by bit.

    With the other bits fixed, bit k of all items is ``sgn(q_k - B_rest W_rest w_k)`` with
    ``Q = binary H + (X - 1 c4') W4'``, w_k row k of W4; a bit that this leaves open stays.

    Returns
    -------
    (n, b) array
        After `n_sweeps` passes over the bits, fewer if one changes nothing.
    """
    Q = binary * H + (X - decoder.c4) @ decoder.W4.T
    gram = decoder.W4 @ decoder.W4.T
    np.fill_diagonal(gram, 0)
    B = B.copy()
    for _ in range(n_sweeps):
        before = B.copy()
        for k in range(B.shape[1]):
            score = Q[:, k] - B @ gram[:, k]
            B[:, k] = np.where(score == 0, B[:, k], np.where(score > 0, 1.0, -1.0))
        if np.array_equal(B, before):
            break
    return B


def true_neighbors(queries: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Which items of X are among the Euclidean nearest of each query, (q, n) of bool."""
    distances = cdist(queries, X, "sqeuclidean")
    count = min(TRUE_NEIGHBORS, len(X))
    return distances <= np.partition(distances, count - 1, axis=1)[:, [count - 1]]


def mean_average_precision(codes: np.ndarray, others: np.ndarray, truth: np.ndarray) -> float:
    """Of the Hamming rankings of `others`, items at equal distance retrieved together.

    Parameters
    ----------
    codes, others : (q, b) and (n, b) arrays of bool
    truth : (q, n) array of bool
        At least one true item for each query.
    """
    b = codes.shape[1]
    signs, other_signs = 2.0 * codes - 1, 2.0 * others - 1
    distances = ((b - signs @ other_signs.T) / 2).astype(int)
    cells = distances + (b + 1) * np.arange(len(codes))[:, None]
    size = len(codes) * (b + 1)
    hits = np.bincount(cells[truth], minlength=size).reshape(-1, b + 1)
    items = np.bincount(cells.ravel(), minlength=size).reshape(-1, b + 1)
    precision = hits.cumsum(axis=1) / np.maximum(items.cumsum(axis=1), 1)
    return float(np.mean((hits * precision).sum(axis=1) / hits.sum(axis=1)))
