"""What a method is told of a data set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What a method may know of a data set before it starts; see :meth:`methods.Hasher.skip`.

    Attributes
    ----------
    n_train, n_features : int
        Shape of the training features.
    has_tags, has_labels, has_images : bool
        What the data set offers besides features.
    """

    n_train: int
    n_features: int
    has_tags: bool = False
    has_labels: bool = False
    has_images: bool = False
