"""Data from which little or nothing can be learnt."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from brief import supervision, tag_matrix

from features.tags import TagMatrix

#: Training items where there are enough of them.
N, N_FEATURES, N_TAGS = 150, 12, 24


class Data(NamedTuple):
    """Features (n, d), tags (n, V) and labels (n, c) of training items."""

    X: np.ndarray
    tags: TagMatrix
    labels: np.ndarray


def plain(n: int = N) -> Data:
    """Data with nothing wrong but their number."""
    X = np.random.default_rng(0).standard_normal((n, N_FEATURES)).astype(np.float32)
    return Data(X, *supervision(n, N_TAGS))


def with_features(change) -> Data:
    """Plain data with other features."""
    data = plain()
    return data._replace(X=np.ascontiguousarray(change(data.X), dtype=np.float32))


def with_tags(change) -> Data:
    """Plain data whose tags are written into an array of False."""
    data, hot = plain(), np.zeros((N, N_TAGS), dtype=bool)
    change(hot)
    return data._replace(tags=tag_matrix(hot, data.tags.words, data.tags.vectors))


def with_labels(change) -> Data:
    """The same for labels."""
    data = plain()
    labels = np.zeros_like(data.labels)
    change(labels)
    return data._replace(labels=labels)


def _set(hot: np.ndarray, rows, columns) -> None:
    hot[rows, columns] = True


CASES = {
    "one item": lambda: plain(1),
    "two items": lambda: plain(2),
    "three items": lambda: plain(3),
    "nine items": lambda: plain(9),
    "equal items": lambda: with_features(lambda X: np.repeat(X[:1], N, axis=0)),
    "items that are all zero": lambda: with_features(np.zeros_like),
    "two distinct items": lambda: with_features(lambda X: X[np.arange(N) % 2]),
    "five distinct items": lambda: with_features(lambda X: X[np.arange(N) % 5]),
    "one feature": lambda: with_features(lambda X: X[:, :1]),
    "one feature that varies": lambda: with_features(lambda X: X * (np.arange(N_FEATURES) == 3)),
    "a feature that is all but constant": lambda: with_features(
        lambda X: np.hstack([X, np.ones((N, 1)) + 1e-7 * (np.arange(N) == 0)[:, None]])
    ),
    "huge features": lambda: with_features(lambda X: X * 1e15),
    "tiny features": lambda: with_features(lambda X: X * 1e-15),
    "no tags": lambda: with_tags(lambda hot: None),
    "one tag for all items": lambda: with_tags(lambda hot: _set(hot, slice(None), 0)),
    "every tag for all items": lambda: with_tags(lambda hot: _set(hot, slice(None), slice(None))),
    "tags on one image": lambda: with_tags(lambda hot: _set(hot, 7, slice(0, 3))),
    "one tag on two images": lambda: with_tags(lambda hot: _set(hot, [7, 9], 0)),
    "two tags on two images": lambda: with_tags(lambda hot: _set(hot, [7, 9], [0, 1])),
    "tags without vectors": lambda: _without_vectors(),
    "no labels": lambda: with_labels(lambda labels: None),
    "one label for all items": lambda: with_labels(lambda labels: _set(labels, slice(None), 0)),
    "every label for all items": lambda: with_labels(
        lambda labels: _set(labels, slice(None), slice(None))
    ),
    "labels on one item": lambda: with_labels(lambda labels: _set(labels, 7, 0)),
    "labels on two items": lambda: with_labels(lambda labels: _set(labels, [7, 9], 0)),
}


def _without_vectors() -> Data:
    data = plain()
    return data._replace(
        tags=tag_matrix(data.tags.toarray(), data.tags.words, np.zeros_like(data.tags.vectors))
    )
