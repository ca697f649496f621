"""Canonical correlation analysis and iterative quantisation (CCA-ITQ)."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.sparse import csr_array

from methods import Hasher, Task, register
from methods.algebra.blocks import centred
from methods.algebra.pca import fix_signs, skip_pca
from methods.algebra.rotations import quantising_rotation


@register("cca-itq", paper="Gong et al., TPAMI 2013", supervision="tags")
class CCAITQ(Hasher):
    """The directions of the features that tags predict best, rotated as by ITQ.

    With the covariances Cxx of the features, Ctt of the tags and Cxt of both over the items that
    have tags, solves

        ``Cxt (Ctt + rt I)^-1 Ctx w = rho^2 (Cxx + rx I) w``

    and takes the b directions of the largest correlations rho, of variance 1 and times
    ``rho^power``: scores whose inner products say how alike two items' tags are expected to be.
    The rotation of :class:`~methods.unsupervised.itq.ITQ` then brings them close to their signs.
    Where there are fewer correlated directions than bits, the rotation spreads them over the bits.

    Measured on Corel5k with SqueezeNet features (mAP at 12, 24, 32, 48 bits, three seeds): .168
    .249 .262 .279 from tags, .227 .316 .341 .356 from labels; ITQ has .101 .128 .138 .154.

    Parameters
    ----------
    n_bits : int
        Code length b, at most min(d, n - 1).
    regularization, tag_regularization : float
        rx and rt, in units of the mean variance of a feature and of a tag.  The paper has a small
        constant; rare tags need more, or single photos decide the directions.  Chosen among 0.01
        to 10 and 0.1 to 1000 on held-out training items of Corel5k and the demo, 300 to 4,500 of
        them, by common tags.
    power : float
        How much stronger correlations count more; 0 for not at all.
    max_tags : int
        Most frequent tags that are used, of equal ones the first.
    n_iter : int
        Rounds of the rotation's alternation.
    random_state : int, optional
        Seed of the initial rotation.

    Attributes
    ----------
    mean_ : (d,) array
        Mean of the items learnt from.
    correlations_ : (b,) array
        rho, descending.
    rotation_ : (b, b) array
    W_ : (d, b) array
        Weighted directions times the rotation.

    References
    ----------
    Y. Gong, S. Lazebnik, A. Gordo, F. Perronnin, "Iterative quantization: a Procrustean approach
    to learning binary codes for large-scale image retrieval", IEEE TPAMI 35(12), 2013, section 4.
    """

    def __init__(
        self,
        n_bits: int = 32,
        *,
        regularization: float = 0.1,
        tag_regularization: float = 10.0,
        power: float = 1.0,
        max_tags: int = 2000,
        n_iter: int = 50,
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.regularization = regularization
        self.tag_regularization = tag_regularization
        self.power = power
        self.max_tags = max_tags
        self.n_iter = n_iter
        self.random_state = random_state

    def skip(self, task: Task) -> str | None:
        if self.regularization <= 0 or self.tag_regularization <= 0:
            return "needs regularization > 0 and tag_regularization > 0"
        return skip_pca(self.n_bits, task.n_train, task.n_features)

    def operations(self, task: Task) -> float:
        n, d, b = task.n_train, task.n_features, self.n_bits
        tags = self.max_tags**3 / 3 + 2 * self.max_tags * d**2 if self.uses == ("tags",) else 0
        return 2.0 * n * d * (d + b) + 9 * d**3 + tags + self.n_iter * 4 * n * b**2

    def fit(self, X: np.ndarray, *, tags: csr_array | None = None, labels: None = None) -> Self:
        return self._fit(X, tags, "tags")

    def project(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.W_

    def _fit(self, X: np.ndarray, words: csr_array | np.ndarray | None, name: str) -> Self:
        X = self.check_training_data(X)
        X, T = carried(X, words, self.max_tags, f"{type(self).__name__}: needs {name}")
        Xc = centred(X)
        axes, self.correlations_ = canonical_axes(
            Xc.scatter() / len(X),
            covariance(T),
            # Features without their means need no means of the tags.
            Xc.transposed_times(T) / len(X),
            (self.regularization, self.tag_regularization),
            self.n_bits,
        )
        axes = axes * self.correlations_**self.power
        self.rotation_ = quantising_rotation(Xc.times(axes), self.n_iter, self.random_state)[0]
        self.mean_, self.W_ = Xc.mean, axes @ self.rotation_
        return self


@register("cca-itq-labels", paper="Gong et al., TPAMI 2013", supervision="labels")
class LabelCCAITQ(CCAITQ):
    """CCA-ITQ with labels in the place of tags, as in the paper's supervised experiments."""

    def fit(self, X: np.ndarray, *, tags: None = None, labels: np.ndarray | None = None) -> Self:
        return self._fit(X, labels, "labels")


def carried(
    X: np.ndarray, words: csr_array | np.ndarray | None, most: int, missing: str
) -> tuple[np.ndarray, csr_array]:
    """The items that carry words and their multi-hot matrix over the most frequent words.

    Parameters
    ----------
    X : (n, d) array of float
    words : (n, V) array, dense or sparse
        Tags or labels.
    most : int
        Most words kept.
    missing : str
        What is said where there are no words.

    Returns
    -------
    X : (m, d) array of float
    hot : (m, v) sparse array of float64

    Raises
    ------
    ValueError
        If `words` is None, or fewer than two items carry one.
    """
    if words is None:
        raise ValueError(missing)
    hot = csr_array(csr_array(words) > 0).astype(np.float64)
    frequent = np.sort(np.argsort(-hot.sum(axis=0), kind="stable")[:most])
    hot = csr_array(hot[:, frequent])
    items = np.flatnonzero(hot.sum(axis=1))
    if len(items) < 2:
        raise ValueError(f"{missing}, but fewer than two items have any")
    return (X, hot) if len(items) == len(X) else (X[items], csr_array(hot[items]))


def covariance(T: csr_array) -> np.ndarray:
    """Covariance matrix (V, V) of the columns of a sparse matrix, normalised by n."""
    n, mean = T.shape[0], T.mean(axis=0)
    return (T.T @ T).toarray() / n - np.outer(mean, mean)


def canonical_axes(
    Cxx: np.ndarray,
    Ctt: np.ndarray,
    Cxt: np.ndarray,
    regularization: tuple[float, float],
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Directions of x whose best prediction from t correlates most with them.

    Parameters
    ----------
    Cxx, Ctt, Cxt : (d, d), (V, V) and (d, V) arrays
        Covariances.
    regularization : pair of float
        Added to the diagonals of Cxx and Ctt, in units of their means.
    count : int
        At most d.

    Returns
    -------
    axes : (d, count) array
        w with ``w'(Cxx + rx I) w = 1``; in each the entry of largest magnitude is positive.
    correlations : (count,) array
        Descending; 0 where nothing correlates.
    """
    Cxx, Ctt = (
        C + factor * (np.trace(C) / len(C) or 1.0) * np.eye(len(C))
        for C, factor in zip((Cxx, Ctt), regularization, strict=True)
    )
    M = Cxt @ cho_solve(cho_factor(Ctt), Cxt.T)
    d = len(M)
    squares, axes = eigh((M + M.T) / 2, Cxx, subset_by_index=(d - count, d - 1))
    squares, axes = squares[::-1], fix_signs(axes[:, ::-1])
    # Beyond the rank of Cxt rounding alone would choose the axes.
    correlates = squares > d * np.finfo(float).eps * max(squares[0], np.finfo(float).tiny)
    return axes * correlates, np.sqrt(np.maximum(squares, 0) * correlates)
