"""Every method with little training, for tests that ask of all of them whether something holds."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.sparse import csr_array

from benchmark.registry import methods
from features.tags import TagMatrix
from methods.supervision import handed_over

#: Parameters that make a training short, where a method has them.
BRIEF = {"steps": 20, "n_rounds": 1, "n_iter": 3, "n_steps": 5, "max_iter": 5, "n_anchors": 60}

#: The methods that take under a second each with them on a few hundred items.
FAST = (
    *("agh", "agh2", "binary-tag", "cca-itq", "cca-itq-labels", "deep-dsh", "deepbit", "dgh"),
    *("dh", "dih", "dsh", "itq", "ksh", "ksh-gradient", "lsh", "pcah", "ridge-itq", "selve"),
    *("sh", "sph", "wdht", "wmh", "wsdhq"),
)


def brief(name: str, n_bits: int = 8):
    """An untrained method with seed 0 and little training."""
    hasher = methods.find(name).load()(n_bits=n_bits, random_state=0)
    known = hasher.get_params()
    return hasher.set_params(**{key: value for key, value in BRIEF.items() if key in known})


def fit(hasher, X, tags, labels):
    """Fit a registered method, given what it is registered for."""
    given = {"tags": tags, "labels": labels, "copies": None}
    supervision = methods.find(hasher.id).facts["supervision"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hasher.fit(X, **handed_over(hasher, supervision, given))


def supervision(n: int, n_tags: int = 24, n_labels: int = 5) -> tuple[TagMatrix, np.ndarray]:
    """Tags with word vectors, two or three an item, and labels that they go with."""
    rng = np.random.default_rng(1)
    classes = np.arange(n) % n_labels
    hot = np.zeros((n, n_tags), dtype=bool)
    hot[np.arange(n), classes] = True
    for _ in range(2):
        hot[np.arange(n), rng.integers(n_labels, n_tags, n)] = True
    words = [f"tag{t}" for t in range(n_tags)]
    vectors = rng.standard_normal((n_tags, 40)).astype(np.float32)
    return tag_matrix(hot, words, vectors), classes[:, None] == np.arange(n_labels)


def tag_matrix(hot: np.ndarray, words: list[str], vectors: np.ndarray) -> TagMatrix:
    """Tags from an array of bool."""
    return TagMatrix(csr_array(hot), words=words, vectors=vectors)
