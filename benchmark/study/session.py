"""The options of a command, and what it does with the data sets that it opens."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark.datasets import datasets
from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.copies.tagfiles import with_tags
from benchmark.datasets.opening import open_dataset, whole_path
from benchmark.errors import InputError
from benchmark.execution.cell import Run
from benchmark.execution.grid import Cell, Grid
from benchmark.execution.options import RunOptions, Workers
from benchmark.execution.price import price_cells, price_text
from benchmark.execution.runner import run_cells
from benchmark.files import remove_leftovers
from benchmark.log import to_stderr
from benchmark.preparation.features import check_features, check_tuning, foresee, prepare
from benchmark.preparation.request import FeatureRequest, OpenedData
from benchmark.preparation.tags import TagRequest, TagSource, describe_tags, open_tags
from benchmark.store.store import Store
from benchmark.study import defaults
from benchmark.study.checks import check_folders, check_given, check_name, check_weights
from benchmark.study.defaults import CHOICES
from benchmark.study.results import Results
from features.tags import TagAccount

#: Options that a cell keeps, so that it can be made again.
SETTINGS = (
    *("l2_normalize", "end_to_end", "on_bad_image", "on_missing_image", "min_tag_count"),
    *("tune", "device"),
)
PATHS = ("data_root", "weights", "word_vectors", "tags")


@dataclass(frozen=True, kw_only=True)
class Session:
    """The options that hold for all data sets of a command, by their long names.

    Attributes
    ----------
    results : path
        Where cells, tables and figures go.
    cache : path, optional
        Where features, splits and shared results go; ``HASHBENCH_CACHE`` of the environment by
        default, or else ``cache/`` in the results folder.
    data_root : path
        Where the files of named data sets lie; ``HASHBENCH_DATA_ROOT`` of the environment by
        default, or else ``data``.
    features : str, optional
        A feature file of the data set or an extractor; the data set's own by default.
    weights : path, optional
        State dict of the extractor's network.
    l2_normalize : bool
        Whether feature vectors are scaled to unit length.
    end_to_end : bool
        Whether the deep methods are trained from the images on.
    on_bad_image : {"skip", "error"}
        What happens to images that cannot be read.
    on_missing_image : {"skip", "error"}
        What happens where a list names images that are not on disk.
    download : bool
        Whether the files of the data set are fetched first, where its reader can do that.
    tags : path, optional
        Tags of photos, which are joined by photo id; the data set's own by default.
    word_vectors : path, optional
        File of word vectors of the tags; skip-gram vectors of the training tags by default.
    min_tag_count : int
        Training images that must carry a tag.
    tune : {"labels", "tags"}, optional
        What makes items relevant to each other where methods choose their parameters on a
        validation part of the training items.
    plugin : sequence of paths
        Python files that register methods, data sets or extractors.
    jobs : int
        Cells at a time.
    backend : {"loky", "dask"}
        Processes on this machine, or a dask cluster.
    scheduler : str, optional
        Address of the dask scheduler.
    device : {"cpu", "cuda"}
        For networks.
    rerun : {"failed", "all"}
        Which stored cells are run again.
    save_codes : bool
        Whether the codes of every cell are stored.
    save_models : bool
        Whether the fitted method of every cell is stored, for :func:`benchmark.load_hasher`.
    audit : bool
        Whether the codes are measured under every convention too; codes are stored then.

    Raises
    ------
    InputError
        If an option has a value that it cannot have.
    """

    results: Path | str = Path("results")
    cache: Path | str | None = field(default_factory=defaults.cache)
    data_root: Path | str = field(default_factory=defaults.data_root)
    features: str | None = None
    weights: Path | str | None = None
    l2_normalize: bool = False
    end_to_end: bool = False
    on_bad_image: str = "skip"
    on_missing_image: str = "skip"
    download: bool = False
    tags: Path | str | None = None
    word_vectors: Path | str | None = None
    min_tag_count: int = 1
    tune: str | None = None
    plugin: Sequence[Path | str] = ()
    jobs: int = os.cpu_count() or 1
    backend: str = "loky"
    scheduler: str | None = None
    device: str = "cpu"
    rerun: str = "failed"
    save_codes: bool = False
    save_models: bool = False
    audit: bool = False

    def __post_init__(self) -> None:
        for option, words in CHOICES.items():
            value = getattr(self, option)
            if value not in words and not (option == "tune" and value is None):
                name = option.replace("_", "-")
                raise InputError(f"--{name} {value}: give one of {', '.join(words)}")
        if self.scheduler and self.backend != "dask":
            raise InputError("--scheduler needs --backend dask")
        check_given(self)

    @property
    def store(self) -> Store:
        """The cells below the results folder."""
        return Store(Path(self.results))

    @property
    def options(self) -> RunOptions:
        """How cells are run."""
        results = Path(self.results)
        return RunOptions(
            results=results,
            cache=Path(self.cache) if self.cache else results / "cache",
            plugins=tuple(Path(path) for path in self.plugin),
            again=self.rerun,
            save_codes=self.save_codes or self.audit,
            save_models=self.save_models,
            device=self.device,
            workers=Workers(self.jobs, self.backend, self.scheduler),
        )

    def open(
        self, text: str, features: str | None = None, *, split_seed: int | None = None
    ) -> OpenedData:
        """Open what ``--dataset`` names and check features and tags, before any work starts.

        Parameters
        ----------
        text : str
        features : str, optional
            What to use where the user names no features, for a data set with images.
        split_seed : int, optional
            Seed of the split in place of the data set's own.

        Raises
        ------
        InputError
            If anything is missing or wrong.
        """
        options = self.options
        check_folders(options, text)
        dataset = self.open_dataset(text, split_seed=split_seed)
        check_name(dataset.name, options.results)
        request = self._request(dataset, features)
        checked = check_features(dataset, request)
        check_weights(checked, request)
        for note in dataset.notes:
            to_stderr(f"{dataset.name}: {note}")
        check_tuning(dataset, self.tune)
        tags, source = self._tags(dataset), whole_path(text)
        return OpenedData(dataset, request, checked, tags, source, split_seed)

    def _download(self, text: str) -> None:
        """Fetch the files of a named data set, if it is one that can be fetched."""
        name = text.partition("[")[0].strip()
        reader = datasets.find(name).load()
        fetch = getattr(reader, "download", None)
        if fetch is None:
            raise InputError(f"--download: data set {name} cannot be fetched; get it by hand")
        fetch(Path(self.data_root))

    def open_dataset(self, text: str, *, split_seed: int | None = None) -> Dataset:
        """Open what ``--dataset`` names, with the tags that were given.

        Raises
        ------
        InputError
            If there is no such data set, or if images are missing where that is an error.
        """
        if self.download:
            self._download(text)
        splits = self.options.cache / "splits"
        dataset = open_dataset(text, Path(self.data_root), splits, split_seed=split_seed)
        if dataset.missing and self.on_missing_image == "error":
            raise InputError(
                f"data set {dataset.name}: {len(dataset.missing):,} images are missing, the first "
                f"is {dataset.missing[0]}; get them, or leave them out with --on-missing-image skip"
            )
        return with_tags(dataset, Path(self.tags)) if self.tags else dataset

    def with_dataset(self, data: OpenedData, dataset: Dataset) -> OpenedData:
        """The same items and features with another split; its tags are looked up again."""
        check_tuning(dataset, self.tune)
        return replace(data, dataset=dataset, tags=self._tags(dataset))

    def price_grid(self, data: OpenedData, grid: Grid) -> str:
        """What the cells that are not done yet will cost."""
        grid.check()
        foreseen = foresee(_with_copies(data, grid), self.options.cache)
        prices = price_cells(grid.cells(foreseen), self.options)
        text = price_text(prices, self.jobs)
        if not foreseen.has_features and not data.features.given:
            text += f"\nfeatures of {len(data.dataset):,} images are to be extracted first"
        return text

    def run_grid(self, data: OpenedData, grid: Grid) -> Results:
        """Extract features if need be and run the cells that are not done yet."""
        run, cells, split = self.plan_grid(data, grid)
        return Results(
            cells=tuple(run_cells(run, cells)),
            store=self.store,
            protocol=grid.protocol,
            dataset=replace(data.dataset, split=split),
            with_audit=self.audit,
        )

    def plan_grid(self, data: OpenedData, grid: Grid) -> tuple[Run, list[Cell], Split]:
        """Extract features if need be; what all cells have in common, the cells, and the split."""
        grid.check()
        options = self.options.resolved()
        home = options.results / "cells" / data.dataset.name
        for folder in (home, options.results / data.dataset.name, options.cache):
            remove_leftovers(folder)
        prepared = prepare(_with_copies(data, grid), options.cache)
        cells = grid.cells(prepared)
        _tell_of_tags(cells, data, prepared.tag_account)
        run = Run(
            options,
            prepared.bundle,
            prepared.identity,
            prepared.tag_account,
            grid.protocol,
            self._request_again(data),
        )
        return run, cells, prepared.split

    def _request_again(self, data: OpenedData) -> dict[str, Any]:
        """The options that give these data again, as plain values and with absolute paths."""
        paths = {name: str(Path(p).resolve()) for name in PATHS if (p := getattr(self, name))}
        kept = {name: getattr(self, name) for name in SETTINGS} | paths
        return {
            **kept,
            "cache": str(self.options.cache.resolve()),
            "plugin": [str(path) for path in self.options.resolved().plugins],
            "features": data.features.name,
            "dataset": data.source,
            "split_seed": data.split_seed,
        }

    def _request(self, dataset: Dataset, features: str | None) -> FeatureRequest:
        known = dataset.images is not None or features in dataset.features
        return FeatureRequest(
            name=self.features or (features if known else None),
            weights=Path(self.weights) if self.weights else None,
            device=self.device,
            on_bad_image=self.on_bad_image,
            l2=self.l2_normalize,
            end_to_end=self.end_to_end,
        )

    def _tags(self, dataset: Dataset) -> TagSource:
        vectors = Path(self.word_vectors) if self.word_vectors else dataset.word_vectors
        request = TagRequest(vectors, self.min_tag_count)
        return open_tags(dataset, request, self.options.cache, to_stderr)


def _with_copies(data: OpenedData, grid: Grid) -> OpenedData:
    """The data with features of rotated images, if some method looks at them."""
    return replace(data, request=replace(data.request, copies=grid.uses("copies")))


def _tell_of_tags(cells: Sequence[Cell], data: OpenedData, account: TagAccount) -> None:
    if any("tags" in cell.specification for cell in cells if not cell.skip):
        to_stderr(f"{data.dataset.name}: {describe_tags(data.tags.identity)}: {account}")
