"""From a data set and the features the user asked for to the arrays that cells work on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.datasets.base import Dataset, Split, check_relevance, check_split
from benchmark.datasets.given import load_given_features
from benchmark.errors import InputError
from benchmark.log import to_stderr
from benchmark.preparation.bundle import (
    FeatureRows,
    ImageFile,
    bundle_task,
    open_bundle,
    write_bundle,
)
from features.backbones import Backbone, check_device
from features.extractors import check_extractor_name
from features.pixels import Pixels, side_for
from features.rotations import RotatedImages, drawn_rows

if TYPE_CHECKING:
    from benchmark.preparation.tags import TagSource
    from features.cache import FeatureFile
    from features.tags import TagAccount
    from methods.base import Task

#: Unreadable images named in a message; the others are counted.
NAMED = 5


@dataclass(frozen=True)
class FeatureRequest:
    """What the user asked for.

    Attributes
    ----------
    name : str or None
        A feature file of the data set or an extractor; None for the data set's default.
    weights : Path or None
        State dict of the extractor's network.
    device : str
        ``cpu`` or ``cuda``.
    on_bad_image : {"skip", "error"}
        Whether an image that cannot be read is left out or ends the run.
    l2 : bool
        Whether vectors are scaled to unit length.
    end_to_end : bool
        Whether networks are to be trained on the images, from this extractor's network.
    copies : bool
        Whether features of rotated images are wanted too.
    """

    name: str | None = None
    weights: Path | None = None
    device: str = "cpu"
    on_bad_image: str = "skip"
    l2: bool = False
    end_to_end: bool = False
    copies: bool = False


@dataclass(frozen=True)
class Prepared:
    """A data set ready to run on.

    Attributes
    ----------
    bundle : Path or None
        For :func:`benchmark.preparation.bundle.open_bundle`; None while features are not extracted.
    identity : dict
        What identifies the data in the key of a cell.
    parts : dict
        What identifies the parts that only some methods look at; see :meth:`Grid.cells`.
    task : Task
    split : Split
        Of the items that have features.
    tag_account : TagAccount or None
        What there is to learn from tags; None while features are not extracted.
    """

    bundle: Path | None
    identity: dict[str, Any]
    parts: dict[str, dict[str, Any]]
    task: Task
    split: Split
    tag_account: TagAccount | None = None


def check_features(dataset: Dataset, request: FeatureRequest) -> str:
    """The name of the features to use, after everything that can be checked at once.

    Raises
    ------
    InputError, FeatureError
        If there are no such features, the feature file is wrong, or weights are missing.
    """
    check_relevance(dataset)
    check_device(request.device)
    name = request.name or dataset.default_features
    if request.end_to_end and (name == "gist" or name in dataset.features):
        raise InputError(
            f"--end-to-end trains a network from images, and {name} is none: name one with "
            "--features, for instance alexnet-fc7"
        )
    if name in dataset.features:
        load_given_features(dataset, name)
        return name
    if dataset.images is None:
        known = ", ".join(dataset.features) or "none"
        raise InputError(
            f"data set {dataset.name} has no images to extract {name!r} from; "
            f"its own features are: {known}"
        )
    check_extractor_name(name, request.weights)
    return name


def check_tuning(dataset: Dataset, relevance: str | None) -> None:
    """InputError if ``--tune`` names what no training item has."""
    train = dataset.split.train
    if relevance == "labels" and not dataset.labels[train].any():
        raise InputError(f"--tune labels: no training item of data set {dataset.name} has a label")
    if relevance == "tags" and not any(dataset.tags[i] for i in train):
        raise InputError(f"--tune tags: no training item of data set {dataset.name} has a tag")


def prepare(
    dataset: Dataset,
    request: FeatureRequest,
    tags: TagSource,
    cache: Path,
    log: Callable[[str], None],
) -> Prepared:
    """Extract features if need be and write what workers open.

    Raises
    ------
    InputError, FeatureError
        As :func:`check_features`; also if an extractor cannot work here, or if images cannot be
        read and the user asked for an error.
    """
    from features.tags import account_tags

    name = check_features(dataset, request)
    if name in dataset.features:
        features = _given(dataset, name, request.l2)
    else:
        features = _extracted(dataset, name, request, cache, log)
    usable = _usable_split(dataset, features)
    images = _pixels(dataset, name, request, cache, log) if request.end_to_end else None
    wanted = request.copies and not request.end_to_end and name not in dataset.features
    copies = _copies(dataset, usable, name, request, cache, log) if wanted else None
    bundle = write_bundle(dataset, usable, features, tags, images, copies, cache / "bundles")
    identity = {
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "split": usable.checksum,
        "split_seed": dataset.split.seed,
        "features": features.name,
        "features_identity": features.identity,
        "l2": features.l2,
    }
    opened = open_bundle(bundle)
    task = bundle_task(opened, dataset.images is not None)
    account = account_tags(opened.train_tags, opened.train_tags.vectors)
    parts = {"tags": tags.identity}
    if images:
        parts["images"] = {"backbone": features.identity, "pixels": images.identity}
    if copies:
        parts["copies"] = {"file": copies.path.stem, "checksum": copies.checksum}
    return Prepared(bundle, identity, parts, task, usable, account)


def foresee(dataset: Dataset, request: FeatureRequest, tags: TagSource, cache: Path) -> Prepared:
    """What :func:`prepare` would give, without extracting anything, for ``--dry-run``.

    Where features are still to be extracted the identity lacks theirs, so that no stored cell
    fits it, and there is no bundle.
    """
    from features.cache import are_cached
    from features.extractors import make_extractor
    from methods.base import Task

    name = check_features(dataset, request)
    if name not in dataset.features:
        extractor = make_extractor(name, weights=request.weights, device=request.device)
        folder = cache / "features"
        if not are_cached(dataset.images, extractor, folder, dataset.fingerprint):
            n_train = len(dataset.split.train)
            task = Task(n_train, extractor.n_features, dataset.has_tags, True, True)
            identity = {"dataset": dataset.name, "features": name}
            parts = {"tags": tags.identity}
            return Prepared(None, identity, parts, task, dataset.split)
        if request.copies:
            # Without them the cells that need them count as still to run.
            copies = _rotated(dataset, dataset.split)
            fingerprint = copies.fingerprint(dataset.fingerprint)
            known = are_cached(copies, extractor, folder, fingerprint)
            request = replace(request, copies=known)
    return prepare(dataset, request, tags, cache, to_stderr)


def _given(dataset: Dataset, name: str, l2: bool) -> FeatureRows:
    path = dataset.features[name]
    rows = np.arange(len(dataset)) if dataset.rows is None else dataset.rows
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return FeatureRows(_label(name, l2), path, rows, {"file": name, "checksum": digest}, l2)


def _extracted(
    dataset: Dataset, name: str, request: FeatureRequest, cache: Path, log: Callable[[str], None]
) -> FeatureRows:
    from features.cache import cached_features
    from features.extractors import make_extractor

    extractor = make_extractor(name, weights=request.weights, device=request.device)
    stored = cached_features(
        dataset.images, extractor, cache / "features", dataset.fingerprint, log=log
    )
    rows = np.arange(len(dataset))
    if stored.unreadable:
        message = _bad_images(dataset, stored.unreadable)
        if request.on_bad_image == "error":
            raise InputError(f"{message}; mend them, or leave them out with --on-bad-image skip")
        log(f"warning: {message}; they are left out")
        rows[list(stored.unreadable)] = -1
    return FeatureRows(
        _label(name, request.l2), stored.path, rows, dict(stored.identity), request.l2
    )


def _pixels(
    dataset: Dataset, name: str, request: FeatureRequest, cache: Path, log: Callable[[str], None]
) -> ImageFile:
    """The images themselves, of which those without features are left out of the split."""
    from features.cache import cached_features

    pixels = Pixels(side_for(Backbone(name, weights=request.weights).crop_size))
    stored = cached_features(
        dataset.images, pixels, cache / "features", dataset.fingerprint, log=log
    )
    return ImageFile(stored.path, name, request.weights, dict(stored.identity))


def _copies(
    dataset: Dataset,
    split: Split,
    name: str,
    request: FeatureRequest,
    cache: Path,
    log: Callable[[str], None],
) -> FeatureFile:
    """Features of rotated images of some training items."""
    from features.cache import cached_features
    from features.extractors import make_extractor

    images = _rotated(dataset, split)
    extractor = make_extractor(name, weights=request.weights, device=request.device)
    fingerprint = images.fingerprint(dataset.fingerprint)
    return cached_features(images, extractor, cache / "features", fingerprint, log=log)


def _rotated(dataset: Dataset, split: Split) -> RotatedImages:
    return RotatedImages(dataset.images, split.train[drawn_rows(len(split.train))])


def _bad_images(dataset: Dataset, numbers: tuple[int, ...]) -> str:
    names = ", ".join(dataset.images.name(i) for i in numbers[:NAMED])
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    count = "1 image" if len(numbers) == 1 else f"{len(numbers)} images"
    return f"{count} of data set {dataset.name} cannot be read: {names}{more}"


def _usable_split(dataset: Dataset, features: FeatureRows) -> Split:
    """The split without the items that have no features."""
    split = dataset.split
    parts = (
        index[features.rows[index] >= 0] for index in (split.train, split.database, split.query)
    )
    usable = Split(*parts, seed=split.seed)
    check_split(dataset.name, usable)
    return usable


def _label(name: str, l2: bool) -> str:
    return f"{name}-l2" if l2 else name
