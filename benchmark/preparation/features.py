"""From a data set and the features the user asked for to the arrays that cells work on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.datasets.base import Dataset, Split, check_relevance, check_split
from benchmark.datasets.given import (
    check_given_features,
    has_been_read,
    read_given_features,
)
from benchmark.errors import InputError
from benchmark.preparation import sources
from benchmark.preparation.bundle import write_bundle
from benchmark.preparation.contents import Contents, FeatureRows
from benchmark.preparation.request import CheckedFeatures, FeatureRequest, OpenedData
from benchmark.registry import extractors
from features.networks import check_device

if TYPE_CHECKING:
    from features.tags import TagAccount
    from methods.base import Task

#: Feature files up to this size are read for a dry run too.
SMALL_BYTES = 100_000_000


@dataclass(frozen=True)
class Prepared:
    """A data set ready to run on.

    Attributes
    ----------
    bundle : Path or None
        For :func:`benchmark.preparation.bundle.open_bundle`; None where it is only foreseen.
    identity : dict
        What identifies the data in the key of a cell.
    parts : dict
        What identifies the parts that only some methods look at; see :meth:`Grid.cells`.
    task : Task
    split : Split
        Of the items that have features.
    tag_account : TagAccount or None
        What there is to learn from tags; None where the bundle is only foreseen.
    """

    bundle: Path | None
    identity: dict[str, Any]
    parts: dict[str, dict[str, Any]]
    task: Task
    split: Split
    tag_account: TagAccount | None = None

    @property
    def has_features(self) -> bool:
        """Whether the features have been extracted, or read where they came with the data."""
        return "features_identity" in self.identity


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


def read_features(data: OpenedData, cache: Path) -> None:
    """Read the features that came with the data; InputError if a value is not finite."""
    if data.features.given:
        read_given_features(data.features.given, cache)


def prepare(data: OpenedData, cache: Path) -> Prepared:
    """Extract features if need be and write what workers open.

    Raises
    ------
    InputError
        If an extractor cannot work here, if features are not finite, or if images cannot be read
        and the user asked for an error.
    """
    contents = _contents(data, cache)
    bundle, account = write_bundle(contents, cache / "bundles")
    described = _described(data, contents)
    task = replace(described.task, has_tags=account.assignments > 0)
    return replace(described, bundle=bundle, tag_account=account, task=task)


def foresee(data: OpenedData, cache: Path) -> Prepared:
    """What :func:`prepare` would give, without anything large, for ``--dry-run``.

    Nothing is extracted, no large file is read and no bundle is written.  Where features are still
    to be extracted or read the identity lacks theirs, so that no stored cell fits it.
    """
    from features.cache import are_cached

    dataset, request, given = data.dataset, data.request, data.features.given
    if given:
        small = given.path.stat().st_size <= SMALL_BYTES
        if not small and not has_been_read(given, cache):
            return _unknown(data, given.n_features)
        return _described(data, _contents(data, cache))
    name = data.features.name
    extractor = extractors.make(name, weights=request.weights, device=request.device)
    folder = cache / "features"
    if not are_cached(dataset.images, extractor, folder, dataset.fingerprint):
        return _unknown(data, extractor.n_features)
    if request.copies:
        # Without them the cells that need them count as still to run.
        copies = sources.rotated(dataset, dataset.split)
        fingerprint = copies.fingerprint(dataset.fingerprint)
        known = are_cached(copies, extractor, folder, fingerprint)
        data = replace(data, request=replace(request, copies=known))
    return _described(data, _contents(data, cache))


def _contents(data: OpenedData, cache: Path) -> Contents:
    """What the bundle of the data holds; features are extracted or read where they are not yet."""
    dataset, request, given = data.dataset, data.request, data.features.given
    features = sources.given(given, request.l2, cache) if given else sources.extracted(data, cache)
    usable = _usable_split(dataset, features)
    images = sources.pixels(data, cache) if request.end_to_end else None
    wanted = request.copies and not request.end_to_end and not given
    copies = sources.copies(data, usable, cache) if wanted else None
    return Contents(dataset, usable, features, data.tags, images, copies)


def _described(data: OpenedData, contents: Contents) -> Prepared:
    """What identifies contents, and the task that they set."""
    dataset, features, usable = data.dataset, contents.features, contents.split
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
    if contents.images:
        images = contents.images
        parts["images"] = {"backbone": features.identity, "pixels": images.identity}
    if contents.copies:
        copies = contents.copies
        parts["copies"] = {"file": copies.path.stem, "checksum": copies.checksum}
    if data.request.device != "cpu":
        # Networks are trained in mixed precision there.
        parts["network"] = {"device": data.request.device}
    task = _task(dataset, usable, features.n_features, has_tags=bool(data.tags.words))
    return Prepared(None, identity, parts, task, usable)


def _unknown(data: OpenedData, n_features: int) -> Prepared:
    """What is known of data whose features are still to be extracted or read."""
    dataset = data.dataset
    task = _task(dataset, dataset.split, n_features, has_tags=dataset.has_tags)
    identity = {"dataset": dataset.name, "features": data.features.name}
    return Prepared(None, identity, {"tags": data.tags.identity}, task, dataset.split)


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


def _usable_split(dataset: Dataset, features: FeatureRows) -> Split:
    """The split without the items that have no features."""
    split = dataset.split
    parts = (
        index[features.rows[index] >= 0] for index in (split.train, split.database, split.query)
    )
    usable = Split(*parts, seed=split.seed)
    check_split(dataset.name, usable)
    return usable
