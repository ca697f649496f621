"""What the user asked for of a data set, and what of it has been checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.given import GivenFeatures
from benchmark.preparation.tags import TagSource


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
