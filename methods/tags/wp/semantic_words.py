"""Semantic words: a sparse-coding dictionary of word vectors, and images described by them."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from scipy import sparse
from sklearn.utils import gen_batches

from methods.sharing import shared
from methods.tag_vectors import word_vectors

#: An entry this small counts as zero: the sem-word is not present.
PRESENT = 1e-8

#: A lasso solution ends when a sweep moves no coefficient by more than that, or after MAX_SWEEPS.
SWEEP_TOL, MAX_SWEEPS = 1e-5, 1000

#: Sweeps of one round: codes need not be exact while the dictionary still moves.
ROUND_SWEEPS = 6

#: Passes over the atoms in one update of the dictionary.
ATOM_PASSES = 2

#: Sem-words of the paper.
MOST_WORDS = 512

#: Images handled at once when sem-words are counted.
ROWS_AT_ONCE = 8192


class SemWords(NamedTuple):
    """What :func:`sem_words` learns.

    Attributes
    ----------
    dictionary : (M, e) array
        B, one atom b_k a row, of length at most 1.
    codes : (V, M) array
        U; all zero for a tag without a vector.
    losses : (rounds + 1,) array
        ``sum_j ||t_j - B u_j||^2 + lambda ||u_j||_1`` after each round and at the end.
    """

    dictionary: np.ndarray
    codes: np.ndarray
    losses: np.ndarray


@shared
def sem_words(
    vectors: np.ndarray,
    *,
    n_words: int,
    penalty: float,
    unit: bool = True,
    max_iter: int = 30,
    tol: float = 1e-4,
    seed: int = 0,
) -> SemWords:
    """Sparse coding of word vectors (eq. 1 of Guan et al., IJCAI 2018).

    Minimises ``sum_j ||t_j - B u_j||^2 + lambda ||u_j||_1`` over codes and dictionary in turn.
    The paper prints no bound on B, without which the penalty could be made as small as one likes;
    here ``||b_k|| <= 1``.

    Parameters
    ----------
    vectors : (V, e) array
        Word vectors t_j; zero rows are tags without one.
    n_words : int
        Atoms M, at least 1.
    penalty : float
        lambda, above 0.
    unit : bool
        Whether the vectors are scaled to unit length first; the penalty depends on their length.
    max_iter : int
        Rounds at most.
    tol : float
        Relative decrease of the objective below which the rounds end.
    seed : int
        Of the tags that atoms start from.

    Returns
    -------
    SemWords
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    known = np.flatnonzero(norms > 0)
    codes = np.zeros((len(vectors), n_words))
    if not len(known):
        return SemWords(np.zeros((n_words, vectors.shape[1])), codes, np.zeros(0))
    lengths = norms[known, None] if unit else 1.0
    T, tag = np.unique(vectors[known] / lengths, axis=0, return_inverse=True)
    counts = np.bincount(tag.ravel()).astype(np.float64)
    B = _first_atoms(T, n_words, np.random.default_rng(seed))
    U = np.zeros((len(T), n_words))
    losses: list[float] = []
    for _ in range(max_iter):
        U = lasso(T, B, penalty, U, max_sweeps=ROUND_SWEEPS)
        losses.append(_objective(T, B, U, penalty, counts))
        if len(losses) > 1 and losses[-2] - losses[-1] < tol * losses[-2]:
            break
        _update_atoms(B, T * counts[:, None], U, counts)
        _seed_dead_atoms(B, T, U)
    U = lasso(T, B, penalty, U)
    losses.append(_objective(T, B, U, penalty, counts))
    codes[known] = U[tag.ravel()]
    return SemWords(B, codes, np.array(losses))


def lasso(
    T: np.ndarray,
    B: np.ndarray,
    penalty: float,
    start: np.ndarray,
    *,
    max_sweeps: int = MAX_SWEEPS,
) -> np.ndarray:
    """Codes u that minimise ``||t - B'u||^2 + lambda ||u||_1`` for each row t.

    By coordinate descent on the Gram matrix; the solution is the one to which the homotopy method
    of the paper leads.

    Parameters
    ----------
    T : (V, e) array
    B : (M, e) array
    penalty : float
    start : (V, M) array
        Codes to start from.
    max_sweeps : int
        Sweeps over the coefficients of a code at most.

    Returns
    -------
    (V, M) array
    """
    U = start.copy()
    _descend(U, B @ B.T, T @ B.T, penalty / 2, SWEEP_TOL, max_sweeps)
    return U


def sem_vectors(tags: sparse.sparray, codes: np.ndarray) -> np.ndarray:
    """Observed sem-vectors: the mean of the codes of an image's tags (eq. 2).

    Parameters
    ----------
    tags : (n, V) sparse matrix
    codes : (V, M) array
        A tag whose code is zero, such as one without a word vector, does not count.

    Returns
    -------
    (n, M) array of float32
        z; all zero for an image without any such tag.
    """
    known = np.flatnonzero(np.abs(codes).max(axis=1, initial=0) > PRESENT)
    carried = sparse.csr_array(tags != 0).astype(np.float32)[:, known]
    z = carried @ codes[known].astype(np.float32)
    return z / np.maximum(carried.sum(axis=1), 1)[:, None]


def correlation(z: np.ndarray) -> np.ndarray:
    """Jaccard index of the sets of images where two sem-words are present (eq. 4).

    Parameters
    ----------
    z : (n, M) array

    Returns
    -------
    (M, M) array
        R; 1 on the diagonal, but 0 in rows and columns of sem-words that are nowhere present.
    """
    both = np.zeros((z.shape[1], z.shape[1]))
    for rows in gen_batches(len(z), ROWS_AT_ONCE):
        present = (np.abs(z[rows]) > PRESENT).astype(np.float32)
        both += present.T @ present
    f = both.diagonal()
    either = f[:, None] + f - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def laplacian(R: np.ndarray) -> np.ndarray:
    """``L = diag(R 1) - R``; then ``z'Lz = 1/2 sum_kq R_kq (z_k - z_q)^2`` (eq. 5)."""
    return np.diag(R.sum(axis=1)) - R


def sem_space(
    tags: sparse.sparray, *, n_words: int | None, penalty: float, unit: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Observed sem-vectors z (n, M) of the images, and the Laplacian L (M, M) of the sem-words."""
    vectors = word_vectors(tags)
    if n_words is None:
        n_words = max(1, min(MOST_WORDS, np.any(vectors, axis=1).sum() // 2))
    words = sem_words(vectors, n_words=int(n_words), penalty=penalty, unit=unit)
    z = sem_vectors(tags, words.codes)
    return z, laplacian(correlation(z))


def _objective(
    T: np.ndarray, B: np.ndarray, U: np.ndarray, penalty: float, counts: np.ndarray
) -> float:
    residuals = ((T - U @ B) ** 2).sum(axis=1)
    return float(counts @ (residuals + penalty * np.abs(U).sum(axis=1)))


def _first_atoms(T: np.ndarray, n_words: int, rng: np.random.Generator) -> np.ndarray:
    """Random tags; once all are in use, normal directions."""
    chosen = rng.permutation(len(T))[:n_words]
    more = rng.standard_normal((n_words - len(chosen), T.shape[1]))
    return np.concatenate([_short(T[chosen]), more / np.linalg.norm(more, axis=1, keepdims=True)])


def _short(atoms: np.ndarray) -> np.ndarray:
    """Atoms cut back to length 1 where they are longer."""
    return atoms / np.maximum(np.linalg.norm(atoms, axis=1, keepdims=True), 1.0)


def _update_atoms(B: np.ndarray, weighted: np.ndarray, U: np.ndarray, counts: np.ndarray) -> None:
    """Block coordinate descent on the atoms in place: each to its minimum, cut back to length 1."""
    A, C = U.T @ (U * counts[:, None]), U.T @ weighted
    for _ in range(ATOM_PASSES):
        for k in np.flatnonzero(A.diagonal() > 0):
            b = B[k] + (C[k] - A[k] @ B) / A[k, k]
            B[k] = b / max(np.linalg.norm(b), 1.0)


def _seed_dead_atoms(B: np.ndarray, T: np.ndarray, U: np.ndarray) -> None:
    """Move atoms that no tag uses to the tags that are worst reconstructed."""
    dead = np.flatnonzero(np.abs(U).max(axis=0) <= PRESENT)
    errors = ((T - U @ B) ** 2).sum(axis=1)
    worst = np.argsort(-errors, kind="stable")[: len(dead)]
    B[dead[: len(worst)]] = _short(T[worst])


@numba.njit(cache=True)
def _descend(
    U: np.ndarray, G: np.ndarray, Q: np.ndarray, a: float, tol: float, max_sweeps: int
) -> None:
    """Minimise ``1/2 u'Gu - q'u + a ||u||_1`` for each row in place.

    Sweeps over all coordinates alternate with sweeps over those that are not zero.
    """
    n_words = len(G)
    for row in range(len(U)):
        u, r = U[row], Q[row] - U[row] @ G
        active_only = False
        for _ in range(max_sweeps):
            largest = 0.0
            for k in range(n_words):
                if G[k, k] == 0 or (active_only and u[k] == 0):
                    continue
                c = r[k] + G[k, k] * u[k]
                new = np.sign(c) * max(abs(c) - a, 0.0) / G[k, k]
                step = new - u[k]
                if step != 0:
                    u[k] = new
                    for q in range(n_words):
                        r[q] -= step * G[k, q]
                    largest = max(largest, abs(step))
            if largest <= tol:
                if not active_only:
                    break
                active_only = False
            else:
                active_only = True
