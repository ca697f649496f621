"""What a command does with data sets: open them, check everything, price or run cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.datasets.base import Dataset, Split
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError
from benchmark.execution.cell import Run
from benchmark.execution.grid import Grid
from benchmark.execution.price import price_cells, price_text
from benchmark.execution.runner import run_cells, shared_folder
from benchmark.execution.workers import Workers
from benchmark.files import check_writable
from benchmark.log import to_stderr
from benchmark.preparation.features import (
    FeatureRequest,
    check_features,
    check_tuning,
    foresee,
    prepare,
)
from benchmark.preparation.tags import TagRequest, TagSource, describe_tags, open_tags
from benchmark.store.record import CellResult
from benchmark.store.store import Store

#: Folders of the results that no data set may take.
RESERVED = ("cells", "cache")


@dataclass(frozen=True)
class Opened:
    """A data set with the features and tags that are to be used of it; all of it is checked.

    Attributes
    ----------
    dataset : Dataset
    request : FeatureRequest
    tags : TagSource
    """

    dataset: Dataset
    request: FeatureRequest
    tags: TagSource


@dataclass(frozen=True)
class Outcome:
    """The cells of one data set after a run.

    Attributes
    ----------
    results : list of CellResult
        In the order of the grid.
    folders : list of str
        Where each is stored.
    bundle : Path
        For :func:`benchmark.preparation.bundle.open_bundle`.
    split : Split
        Of the items that have features.
    """

    results: list[CellResult]
    folders: list[str]
    bundle: Path
    split: Split


@dataclass(frozen=True)
class Session:
    """The options that hold for all data sets of a command.

    Attributes
    ----------
    results, cache, data_root : Path
    request : FeatureRequest
    tags : TagRequest
    workers : Workers
    again : {"failed", "all"}
        Which stored cells are run again.
    plugins : tuple of Path
    save_codes : bool
    tune : str or None
        What makes items relevant where methods choose their parameters; None if they do not.
    log : callable
        Where messages about the work go.
    """

    results: Path
    cache: Path
    data_root: Path
    request: FeatureRequest
    tags: TagRequest
    workers: Workers
    again: str = "failed"
    plugins: tuple[Path, ...] = ()
    save_codes: bool = False
    tune: str | None = None
    log: Callable[[str], None] = to_stderr

    @property
    def store(self) -> Store:
        """The cells below the results folder."""
        return Store(self.results)

    def open(self, text: str, features: str | None = None) -> Opened:
        """Open what ``--dataset`` names and check features and tags, before any work starts.

        Parameters
        ----------
        text : str
        features : str, optional
            What to use where the user names no features, for a data set with images.

        Raises
        ------
        InputError, FeatureError
            If anything is missing or wrong.
        """
        check_writable(self.cache, "--cache")
        dataset = open_dataset(text, self.data_root, self.cache / "splits")
        if dataset.name in RESERVED:
            raise InputError(f"a data set cannot be called {dataset.name}: rename its folder")
        return self.prepare_to_use(dataset, features)

    def prepare_to_use(self, dataset: Dataset, features: str | None = None) -> Opened:
        """As :meth:`open`, for a data set that is at hand."""
        request = self.request
        known = dataset.images is not None or features in dataset.features
        if request.name is None and known:
            request = replace(request, name=features)
        check_features(dataset, request)
        for note in dataset.notes:
            self.log(f"{dataset.name}: {note}")
        tags = open_tags(dataset, self.tags, self.cache, self.log)
        check_tuning(dataset, self.tune)
        return Opened(dataset, request, tags)

    def price(self, data: Opened, grid: Grid) -> str:
        """What the cells that are not done yet will cost."""
        request = replace(data.request, copies=grid.uses("copies"))
        foreseen = foresee(data.dataset, request, data.tags, self.cache)
        cells = grid.cells(foreseen.identity, foreseen.task, foreseen.parts)
        prices = price_cells(cells, self.store, again=self.again, codes=self.save_codes)
        text = price_text(prices, self.workers.jobs)
        if foreseen.bundle is None:
            text += f"\nfeatures of {len(data.dataset):,} images are to be extracted first"
        return text

    def run(self, data: Opened, grid: Grid) -> Outcome:
        """Extract features if need be and run the cells that are not done yet."""
        request = replace(data.request, copies=grid.uses("copies"))
        prepared = prepare(data.dataset, request, data.tags, self.cache, self.log)
        cells = grid.cells(prepared.identity, prepared.task, prepared.parts)
        if any("tags" in cell.specification for cell in cells if not cell.skip):
            about = describe_tags(data.tags.identity)
            self.log(f"{data.dataset.name}: {about}: {prepared.tag_account}")
        run = Run(
            results=self.results.resolve(),
            bundle=prepared.bundle.resolve(),
            shared=shared_folder(self.cache.resolve(), prepared.identity),
            protocol=grid.protocol,
            plugins=tuple(path.resolve() for path in self.plugins),
            save_codes=self.save_codes,
            checkpoints=(self.cache / "checkpoints").resolve(),
            device=data.request.device,
            progress=self.workers.jobs == 1,
        )
        results = run_cells(run, cells, self.workers, again=self.again)
        folders = [cell.folder for cell in cells]
        return Outcome(results, folders, prepared.bundle, prepared.split)


def failure_text(results: Sequence[CellResult], root: Path) -> str:
    """How many cells failed, and the first of them; empty if none did."""
    failed = [result for result in results if result.status == "failed"]
    if not failed:
        return ""
    first = failed[0]
    return (
        f"{len(failed)} of {len(results)} cells failed, the first: {first.method} at "
        f"{first.bits} bits: {first.reason} (error.txt below {root / 'cells'})"
    )
