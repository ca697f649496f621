"""From a data set and the features the user asked for to the arrays that cells work on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.datasets.base import Dataset, Split, check_relevance, check_split
from benchmark.datasets.given import GivenFeatures, check_given_features
from benchmark.errors import InputError
from benchmark.log import to_stderr
from benchmark.preparation.bundle import write_bundle
from benchmark.preparation.contents import Contents, FeatureRows, ImageFile
from benchmark.preparation.tags import TagSource
from benchmark.registry import extractors
from features.networks import check_device
from features.pixels import Pixels, side_for
from features.rotations import RotatedImages, drawn_rows

if TYPE_CHECKING:
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
class CheckedFeatures:
    """The features to use, after everything that can be checked before work starts.

    Attributes
    ----------
    name : str
    given : GivenFeatures or None
        The file that came with the data; None for features that are extracted.
    """

    name: str
    given: GivenFeatures | None = None


@dataclass(frozen=True)
class OpenedData:
    """A data set with the features and tags that are to be used of it; all of it is checked.

    Attributes
    ----------
    dataset : Dataset
    request : FeatureRequest
    features : CheckedFeatures
    tags : TagSource
    source : str
        What opens the data set again, wherever the command stands.
    """

    dataset: Dataset
    request: FeatureRequest
    features: CheckedFeatures
    tags: TagSource
    source: str = ""


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


def check_features(dataset: Dataset, request: FeatureRequest) -> CheckedFeatures:
    """Choose the features and check everything that can be checked before work starts.

    Raises
    ------
    InputError
        If there are no such features, the feature file is wrong, or weights are missing.
    """
    check_relevance(dataset)
    check_device(request.device)
    name = request.name or dataset.default_features
    if name in dataset.features:
        if request.end_to_end:
            raise _no_network(name)
        return CheckedFeatures(name, check_given_features(dataset, name))
    if dataset.images is None:
        known = ", ".join(dataset.features) or "none"
        raise InputError(
            f"data set {dataset.name} has no images to extract {name!r} from; "
            f"its own features are: {known}"
        )
    extractor = extractors.check(name, request.weights)
    if request.end_to_end and not extractors.is_trainable(extractor.name):
        raise _no_network(str(extractor))
    return CheckedFeatures(str(extractor))


def _no_network(name: str) -> InputError:
    return InputError(
        f"--end-to-end needs a network, and {name} is not one; choose it with --features, "
        f"e.g. {extractors.trainable_names()[0]}"
    )


def check_tuning(dataset: Dataset, relevance: str | None) -> None:
    """InputError if ``--tune`` names what no training item has."""
    train = dataset.split.train
    if relevance == "labels" and not dataset.labels[train].any():
        raise InputError(f"--tune labels: no training item of data set {dataset.name} has a label")
    if relevance == "tags" and not any(dataset.tags[i] for i in train):
        raise InputError(f"--tune tags: no training item of data set {dataset.name} has a tag")


def prepare(data: OpenedData, cache: Path) -> Prepared:
    """Extract features if need be and write what workers open.

    Raises
    ------
    InputError
        If an extractor cannot work here, or if images cannot be read and the user asked for an
        error.
    """
    dataset, request = data.dataset, data.request
    given = data.features.given
    features = _given(given, request.l2) if given else _extracted(data, cache)
    usable = _usable_split(dataset, features)
    images = _pixels(data, cache) if request.end_to_end else None
    wanted = request.copies and not request.end_to_end and not given
    copies = _copies(data, usable, cache) if wanted else None
    contents = Contents(dataset, usable, features, data.tags, images, copies)
    bundle, account = write_bundle(contents, cache / "bundles")
    identity = {
        "dataset": dataset.name,
        "fingerprint": dataset.fingerprint,
        "split": usable.checksum,
        "split_seed": dataset.split.seed,
        "features": features.name,
        "features_identity": features.identity,
        "l2": features.l2,
    }
    parts = {"tags": data.tags.identity}
    if images:
        parts["images"] = {"backbone": features.identity, "pixels": images.identity}
    if copies:
        parts["copies"] = {"file": copies.path.stem, "checksum": copies.checksum}
    if request.device != "cpu":
        # Networks are trained in mixed precision there.
        parts["network"] = {"device": request.device}
    task = _task(dataset, usable, features.n_features, has_tags=account.assignments > 0)
    return Prepared(bundle, identity, parts, task, usable, account)


def foresee(data: OpenedData, cache: Path) -> Prepared:
    """What :func:`prepare` would give, without extracting anything, for ``--dry-run``.

    Where features are still to be extracted the identity lacks theirs, so that no stored cell
    fits it, and there is no bundle.
    """
    from features.cache import are_cached

    dataset, request, name = data.dataset, data.request, data.features.name
    if data.features.given:
        return prepare(data, cache)
    extractor = extractors.make(name, weights=request.weights, device=request.device)
    folder = cache / "features"
    if not are_cached(dataset.images, extractor, folder, dataset.fingerprint):
        task = _task(dataset, dataset.split, extractor.n_features, has_tags=dataset.has_tags)
        identity = {"dataset": dataset.name, "features": name}
        return Prepared(None, identity, {"tags": data.tags.identity}, task, dataset.split)
    if request.copies:
        # Without them the cells that need them count as still to run.
        copies = _rotated(dataset, dataset.split)
        fingerprint = copies.fingerprint(dataset.fingerprint)
        known = are_cached(copies, extractor, folder, fingerprint)
        data = replace(data, request=replace(request, copies=known))
    return prepare(data, cache)


def _task(dataset: Dataset, split: Split, n_features: int, *, has_tags: bool) -> Task:
    """What methods may know of the data before they start."""
    from methods.base import Task

    return Task(
        len(split.train),
        n_features,
        has_tags=has_tags,
        has_labels=bool(dataset.labels[split.train].any()),
        has_images=dataset.images is not None,
    )


def _given(given: GivenFeatures, l2: bool) -> FeatureRows:
    identity = {"file": given.name, "checksum": given.checksum}
    name = _label(given.name, l2)
    return FeatureRows(name, given.path, given.rows, given.n_features, identity, l2)


def _extracted(data: OpenedData, cache: Path) -> FeatureRows:
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


def _pixels(data: OpenedData, cache: Path) -> ImageFile:
    """The images themselves, of which those without features are left out of the split."""
    from features.cache import cached_features

    dataset, name, weights = data.dataset, data.features.name, data.request.weights
    pixels = Pixels(side_for(extractors.make(name, weights=weights).crop_size))
    stored = cached_features(dataset.images, pixels, cache / "features", dataset.fingerprint)
    return ImageFile(stored.path, name, weights, dict(stored.identity))


def _copies(data: OpenedData, split: Split, cache: Path) -> FeatureFile:
    """Features of rotated images of some training items."""
    from features.cache import cached_features

    request = data.request
    images = _rotated(data.dataset, split)
    extractor = extractors.make(data.features.name, weights=request.weights, device=request.device)
    fingerprint = images.fingerprint(data.dataset.fingerprint)
    return cached_features(images, extractor, cache / "features", fingerprint)


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
