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
    tagged_often,
)
from benchmark.datasets.copies.crossmodal import matrix_files, read_crossmodal
from benchmark.datasets.splits import SplitRequest
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
    layout : {"official", "matrices"}, optional
        Which files are read where both are there.
    n_train : int, optional
        Training items of a copy without photos and without a split; :attr:`usual_train` by
        default.
    """

    # Set by @register_dataset.
    id: ClassVar[str] = ""

    #: Folders below the data root that may hold the collection.
    homes: ClassVar[tuple[str, ...]] = ()
    #: Files and folders of which any marks the collection.
    signs: ClassVar[tuple[str, ...]] = ()
    #: A part of the names of its cross-modal files, in lower case.
    mark: ClassVar[str] = ""
    #: Training items that papers on cross-modal hashing draw.
    usual_train: ClassVar[int] = 10_000
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
        layout: str | None = None,
        n_train: int | None = None,
    ) -> None:
        self.labels = labels
        self.n_query = n_query
        self.n_database = n_database
        self.split_seed = split_seed
        self.setting = setting
        self.layout = layout
        self.n_train = n_train

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
        home = self._home(Path(root))
        if self._layout(home) == "matrices":
            return self._load_matrices(home, cache)
        return self.load_home(home, self.name, cache)

    def load_home(self, home: Path, name: str, cache: Path) -> Dataset:
        """Read the official files in a folder and draw the split, or read it.

        Raises
        ------
        InputError
            As for :meth:`load`.
        """
        check_setting(self.id, self.setting)
        n_labels = self.usual_labels if self.labels is None else self.labels
        if n_labels not in self.sizes:
            known = " or ".join(map(str, self.sizes))
            raise InputError(f"data set {self.id}: labels must be {known}, not {n_labels}")
        collection, sizes = self.read(home, n_labels), self.sizes[n_labels]
        if self.setting == "wmh":
            collection, sizes = tagged_often(collection, WMH.min_images), WMH.sizes
        return choose_items(
            collection,
            name,
            cache,
            n_query=sizes[0] if self.n_query is None else self.n_query,
            n_database=sizes[1] if self.n_database is None else self.n_database,
            seed=self.split_seed,
        )

    def _home(self, root: Path) -> Path:
        """The first of the folders with files of the collection; the first if none has any."""
        candidates = [root / folder for folder in self.homes]
        return next((home for home in candidates if self._ways(home)), candidates[0])

    def _ways(self, home: Path) -> dict[str, str]:
        """Each layout that can be read in a folder, and the files that show it."""
        official = [sign for sign in self.signs if (home / sign).exists()]
        matrices = [path.name for path in matrix_files(home) if self.mark in path.name.lower()]
        ways = {"official": ", ".join(official), "matrices": ", ".join(matrices)}
        return {layout: found for layout, found in ways.items() if found}

    def _layout(self, home: Path) -> str:
        """The layout to read.

        Raises
        ------
        InputError
            If both are there and none was chosen, or if the chosen one is not there.
        """
        ways = self._ways(home)
        if self.layout not in (None, "official", "matrices"):
            raise InputError(
                f"data set {self.id}: layout must be official or matrices, not {self.layout}"
            )
        if self.layout is None and len(ways) > 1:
            raise InputError(
                f"{home} can be read in two ways: as official files ({ways['official']}) and as "
                f"matrices ({ways['matrices']}); choose with {self.id}[layout=official] or "
                f"{self.id}[layout=matrices]"
            )
        if self.layout == "matrices" and "matrices" not in ways:
            raise InputError(f"{home}: there are no MATLAB or HDF5 files of {self.id}")
        return self.layout or next(iter(ways), "official")

    def _load_matrices(self, home: Path, cache: Path) -> Dataset:
        if self.setting != "default" or self.n_database is not None:
            raise InputError(
                f"data set {self.id}: setting and n_database need the official files; "
                f"{home} has MATLAB or HDF5 files"
            )
        request = SplitRequest(
            n_query=2000 if self.n_query is None else self.n_query,
            n_train=self.usual_train if self.n_train is None else self.n_train,
            seed=self.split_seed,
            labels=self.labels,
        )
        name = reader_name(type(self)(**vars(self) | {"layout": "matrices"}))
        files = [path for path in matrix_files(home) if self.mark in path.name.lower()]
        return read_crossmodal(files, name, cache, request)

    @property
    def name(self) -> str:
        """The name in tables; the usual number of labels is not part of it."""
        given = vars(self) | {"labels": None if self.labels == self.usual_labels else self.labels}
        return reader_name(type(self)(**given))
