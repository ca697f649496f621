"""A method on trial: the made-up items that the conformance suite tries it on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from methods.base import Hasher, Task

#: Code lengths tried; where a method skips one, fitting it must fail for the same reason.
LENGTHS = (8, 12, 7)

# So many items, in clusters just close enough to touch, that a graph over 300 anchors hangs
# together: graph methods learn nothing across separate components.
N_TRAIN, N_QUERIES = 1200, 40
N_FEATURES, N_DIRECTIONS = 24, 8
N_CLUSTERS, SEPARATION = 5, 4.5


class Items(NamedTuple):
    """Made-up items: read-only features (n, d), sparse tags (n, V), labels and clusters."""

    X: np.ndarray
    tags: csr_array
    labels: np.ndarray
    clusters: np.ndarray


@dataclass(frozen=True)
class Trial:
    """A method and its parameters, to be tried on made-up clusters.

    Attributes
    ----------
    cls : type
        Subclass of Hasher.
    parameters : mapping of str to object
        Constructor arguments other than ``n_bits`` and ``random_state``.
    """

    cls: type[Hasher]
    parameters: Mapping[str, Any]
    _fitted: dict[int, Hasher] = field(default_factory=dict, init=False, repr=False)

    def make(self, n_bits: int | None = None) -> Hasher:
        """A new hasher with seed 0, by default at the first length that it does not skip."""
        n_bits = self.lengths[0] if n_bits is None else n_bits
        return self.cls(n_bits=n_bits, random_state=0, **self.parameters)

    def fit(self, hasher: Hasher, items: Items) -> Hasher:
        """What ``hasher.fit`` returns, given the supervision it declares and nothing more."""
        wanted = hasher.supervised_by(tags=items.tags, labels=items.labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return hasher.fit(items.X, **wanted)

    @cached_property
    def lengths(self) -> list[int]:
        """The lengths tried that the method does not skip."""
        reasons = [self.make(n_bits).skip(task_of(training_items())) for n_bits in LENGTHS]
        lengths = [b for b, reason in zip(LENGTHS, reasons, strict=True) if not reason]
        assert lengths, f"it skips all of {LENGTHS} bits on {N_TRAIN} items: {reasons[0]}"
        return lengths

    @property
    def fitted(self) -> Hasher:
        """A hasher fitted to the training items, at the first length that it does not skip."""
        return self.fitted_at(self.lengths[0])

    def fitted_at(self, n_bits: int) -> Hasher:
        """A hasher fitted to the training items; each length is fitted once."""
        if n_bits not in self._fitted:
            hasher = self.make(n_bits)
            self.fit(hasher, training_items())
            self._fitted[n_bits] = hasher
        return self._fitted[n_bits]


def training_items() -> Items:
    """The items that methods are fitted to."""
    return take(_all_items(), slice(N_TRAIN))


def query_items() -> Items:
    """Further items from the same clusters."""
    return take(_all_items(), slice(N_TRAIN, None))


def take(items: Items, rows: Any) -> Items:
    """Some of the items, with read-only arrays."""
    chosen = Items(*(part[rows] for part in items))
    for array in (chosen.X, chosen.labels, chosen.tags.data):
        array.setflags(write=False)
    return chosen


def task_of(items: Items) -> Task:
    """What a method may know of these items before it starts."""
    return Task(*items.X.shape, has_tags=True, has_labels=True)


@lru_cache(maxsize=1)
def _all_items() -> Items:
    """Gaussian clusters in a subspace, off the origin; two tags of the cluster, one at random.

    The centres are the corners of a regular simplex with edges of SEPARATION sqrt(2) deviations.
    """
    rng = np.random.default_rng(0)
    n = N_TRAIN + N_QUERIES
    clusters = np.arange(n) % N_CLUSTERS
    centers = SEPARATION * np.eye(N_CLUSTERS, N_DIRECTIONS)
    subspace = np.linalg.qr(rng.standard_normal((N_FEATURES, N_DIRECTIONS)))[0].T
    X = (centers[clusters] + rng.standard_normal((n, N_DIRECTIONS))) @ subspace
    X += 3 + 0.1 * rng.standard_normal((n, N_FEATURES))
    tags = np.zeros((n, 4 * N_CLUSTERS), dtype=np.uint8)
    for _ in range(2):
        tags[np.arange(n), 3 * clusters + rng.integers(0, 3, n)] = 1
    tags[np.arange(n), rng.integers(0, tags.shape[1], n)] = 1
    return Items(X, csr_array(tags), clusters[:, None] == np.arange(N_CLUSTERS), clusters)
