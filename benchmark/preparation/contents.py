"""What goes into a bundle, and what identifies it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.digests import code_digest

if TYPE_CHECKING:
    from benchmark.datasets.base import Dataset, Split
    from benchmark.preparation.tags import TagSource
    from features.cache import FeatureFile


@dataclass(frozen=True)
class FeatureRows:
    """Where the feature vectors of a data set's items are.

    Attributes
    ----------
    name : str
        What tables call the features.
    path : Path
        A ``.npy`` file.
    rows : (n,) array of int64
        Row of each item; -1 for an item without features (its image cannot be read).
    n_features : int
    identity : dict
        What determines the vectors.
    l2 : bool
        Whether vectors are scaled to unit length.
    """

    name: str
    path: Path
    rows: np.ndarray
    n_features: int
    identity: dict
    l2: bool = False


@dataclass(frozen=True)
class ImageFile:
    """Where the pixels of a data set's images are, and the network that is to look at them.

    Attributes
    ----------
    path : Path
        A ``.npy`` file of :class:`features.pixels.Pixels`; row i belongs to item i.
    backbone : str
    weights : Path or None
        See :class:`features.pixels.ImageArray`.
    identity : dict
        What determines the pixels.
    """

    path: Path
    backbone: str
    weights: Path | None
    identity: dict


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle.

    Attributes
    ----------
    dataset : Dataset
    split : Split
        Every item of it has features.
    features : FeatureRows
    tags : TagSource
    images : ImageFile or None
        For methods that are trained end to end.
    copies : FeatureFile or None
        Features of rotated images of some training items.
    """

    dataset: Dataset
    split: Split
    features: FeatureRows
    tags: TagSource
    images: ImageFile | None = None
    copies: FeatureFile | None = None

    def identity(self) -> dict[str, Any]:
        """Everything that determines the files, as plain values."""
        images, copies = self.images, self.copies
        return {
            "features": str(self.features.path.resolve()),
            "identity": self.features.identity,
            "l2": self.features.l2,
            "dataset": self.dataset.fingerprint,
            "split": self.split.checksum,
            "tags": self.tags.identity,
            "tag_code": code_digest("features.tags"),
            "copies": copies and str(copies.path.resolve()),
            "images": images
            and {
                "pixels": str(images.path.resolve()),
                "backbone": images.backbone,
                "weights": images.weights and str(images.weights.resolve()),
            },
        }
