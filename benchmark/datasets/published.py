"""What the readers of NUS-WIDE and MIRFLICKR-25K have in common: parameters, sizes and a split."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from benchmark.datasets.base import Dataset, reader_name
from benchmark.datasets.collection import (
    WMH,
    Collection,
    check_setting,
    choose_items,
    find_home,
    tagged_often,
)
from benchmark.errors import InputError


class Published:
    """A collection of photos with labels, of which papers use a part.

    A subclass says where its files lie, which sizes were published, and reads the whole
    collection in :meth:`read`.

    Parameters
    ----------
    labels : int, optional
        Number of labels; :attr:`usual_labels` by default.
    n_query, n_database : int, optional
        Sizes other than the published ones.
    split_seed : int
        Seed of the split.
    setting : {"default", "wmh"}
        The paper that decides sizes and choice of images.
    """

    # Set by @register_dataset.
    id: ClassVar[str] = ""

    #: Folders below the data root that may hold the collection.
    homes: ClassVar[tuple[str, ...]] = ()
    #: Files and folders of which any marks the collection.
    signs: ClassVar[tuple[str, ...]] = ()
    #: Labels by default.
    usual_labels: ClassVar[int] = 0
    #: Queries and database items of the published splits, by number of labels.
    sizes: ClassVar[dict[int, tuple[int, int]]] = {}

    def __init__(
        self,
        labels: int | None = None,
        n_query: int | None = None,
        n_database: int | None = None,
        split_seed: int = 0,
        setting: str = "default",
    ) -> None:
        self.labels = labels
        self.n_query = n_query
        self.n_database = n_database
        self.split_seed = split_seed
        self.setting = setting

    def read(self, home: Path, n_labels: int) -> Collection:
        """The whole collection from the files below `home`."""
        raise NotImplementedError(f"{type(self).__name__} does not define read")

    def load(self, root: Path, cache: Path) -> Dataset:
        """Read the files below the first of :attr:`homes` and draw the split, or read it.

        Raises
        ------
        InputError
            If a parameter cannot have its value, or if files are missing or wrong.
        """
        n_labels = self.usual_labels if self.labels is None else self.labels
        if n_labels not in self.sizes:
            known = " or ".join(map(str, self.sizes))
            raise InputError(f"data set {self.id}: labels must be {known}, not {n_labels}")
        check_setting(self.id, self.setting)
        home = find_home(root, self.homes, self.signs)
        collection, sizes = self.read(home, n_labels), self.sizes[n_labels]
        if self.setting == "wmh":
            collection, sizes = tagged_often(collection, WMH.min_images), WMH.sizes
        return choose_items(
            collection,
            self.name,
            cache,
            n_query=sizes[0] if self.n_query is None else self.n_query,
            n_database=sizes[1] if self.n_database is None else self.n_database,
            seed=self.split_seed,
        )

    @property
    def name(self) -> str:
        """The name in tables; the usual number of labels is not part of it."""
        given = vars(self) | {"labels": None if self.labels == self.usual_labels else self.labels}
        return reader_name(type(self)(**given))
