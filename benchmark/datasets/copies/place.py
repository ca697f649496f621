"""A folder of a user's, and what was said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.splits import SplitRequest


@dataclass(frozen=True)
class FolderRequest:
    """What a user may say of a folder, as ``FOLDER[param=value,...]``.

    Attributes
    ----------
    layout : str, optional
        How to read it, where that can be done in several ways.
    lists : str, optional
        Which lists of images to read, where there are several.
    labels : int, optional
        Number of labels, where a copy has several lists of labels.
    n_query, n_train : int
        Sizes of a split that did not come with the data.
    split_seed : int
        Its seed.
    """

    layout: str | None = None
    lists: str | None = None
    labels: int | None = None
    n_query: int = 2000
    n_train: int = 10_000
    split_seed: int = 0

    @property
    def split(self) -> SplitRequest:
        """What is to be drawn."""
        return SplitRequest(self.n_query, self.n_train, self.split_seed, self.labels)


@dataclass(frozen=True)
class Place:
    """A folder to read, and what readers need besides.

    Attributes
    ----------
    path : Path
        The folder, or one file.
    name : str
        Name of the data set.
    request : FolderRequest
    root : Path
        Folder of named data sets, where photos and tags may lie.
    cache : Path
        Folder of splits and converted features.
    """

    path: Path
    name: str
    request: FolderRequest
    root: Path
    cache: Path
