"""Where features, pixels and features of rotated images come from: a file, or the images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.given import GivenFeatures, read_given_features
from benchmark.errors import InputError
from benchmark.log import to_stderr
from benchmark.preparation.contents import FeatureRows, ImageFile
from benchmark.preparation.request import OpenedData
from benchmark.registry import extractors
from features.pixels import Pixels, side_for
from features.rotations import RotatedImages, drawn_rows

if TYPE_CHECKING:
    from features.cache import FeatureFile

#: Unreadable images named in a message; the others are counted.
NAMED = 5


def given(file: GivenFeatures, l2: bool, cache: Path) -> FeatureRows:
    """Features that came with the data, which are read and checked."""
    identity = {"file": file.name, "checksum": read_given_features(file, cache)}
    name = _label(file.name, l2)
    return FeatureRows(name, file.path, file.rows, file.n_features, identity, l2)


def extracted(data: OpenedData, cache: Path) -> FeatureRows:
    """Features of the images, which are extracted where they are not in the cache."""
    from features.cache import cached_features

    dataset, request, name = data.dataset, data.request, data.features.name
    extractor = extractors.make(name, weights=request.weights, device=request.device)
    stored = cached_features(dataset.images, extractor, cache / "features", dataset.fingerprint)
    rows = np.arange(len(dataset))
    if stored.unreadable:
        message = _bad_images(dataset, stored.unreadable)
        if request.on_bad_image == "error":
            raise InputError(f"{message}; mend them, or leave them out with --on-bad-image skip")
        to_stderr(f"warning: {message}; they are left out")
        rows[list(stored.unreadable)] = -1
    return FeatureRows(
        _label(name, request.l2),
        stored.path,
        rows,
        stored.open().shape[1],
        dict(stored.identity),
        request.l2,
    )


def pixels(data: OpenedData, cache: Path) -> ImageFile:
    """The images themselves, of which those without features are left out of the split."""
    from features.cache import cached_features

    dataset, name, weights = data.dataset, data.features.name, data.request.weights
    pixels = Pixels(side_for(extractors.make(name, weights=weights).crop_size))
    stored = cached_features(dataset.images, pixels, cache / "features", dataset.fingerprint)
    return ImageFile(stored.path, name, weights, dict(stored.identity))


def copies(data: OpenedData, split: Split, cache: Path) -> FeatureFile:
    """Features of rotated images of some training items."""
    from features.cache import cached_features

    request = data.request
    images = rotated(data.dataset, split)
    extractor = extractors.make(data.features.name, weights=request.weights, device=request.device)
    fingerprint = images.fingerprint(data.dataset.fingerprint)
    return cached_features(images, extractor, cache / "features", fingerprint)


def rotated(dataset: Dataset, split: Split) -> RotatedImages:
    """Some training images, turned."""
    return RotatedImages(dataset.images, split.train[drawn_rows(len(split.train))])


def _bad_images(dataset: Dataset, numbers: tuple[int, ...]) -> str:
    names = ", ".join(dataset.images.name(i) for i in numbers[:NAMED])
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    count = "1 image" if len(numbers) == 1 else f"{len(numbers)} images"
    return f"{count} of data set {dataset.name} cannot be read: {names}{more}"


def _label(name: str, l2: bool) -> str:
    return f"{name}-l2" if l2 else name
