"""What can be said of the options of a command before a data set is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import InputError
from benchmark.files import check_free, check_writable, is_folder

if TYPE_CHECKING:
    from benchmark.execution.options import RunOptions
    from benchmark.preparation.request import CheckedFeatures, FeatureRequest

#: Folders of the results that no data set may take.
RESERVED = ("cells", "cache", "site")
#: Folders of the cache.
IN_CACHE = ("bundles", "features", "shared", "splits", "word-vectors")
#: Cells at a time on this machine, for each core.
JOBS_PER_CORE = 8
#: Cells at a time on a cluster.
MOST_JOBS = 4096


def check_given(session: Any) -> None:
    """InputError if a number of a :class:`~benchmark.study.session.Session` is out of range.

    Also if a name is empty, or what must be a list is a text.
    """
    cores = os.cpu_count() or 1
    most = MOST_JOBS if session.backend == "dask" else JOBS_PER_CORE * cores
    for option, number, largest in (
        ("jobs", session.jobs, most),
        ("min-tag-count", session.min_tag_count, 2**31 - 1),
    ):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= largest:
            where = f" on {cores} cores" if option == "jobs" and largest != MOST_JOBS else ""
            raise InputError(
                f"--{option} {number!r}: give a whole number from 1 to {largest}{where}"
            )
    for option in ("results", "cache", "data_root", "features", "weights", "word_vectors", "tags"):
        value = getattr(session, option)
        if isinstance(value, str) and (not value.strip() or "\0" in value):
            name = option.replace("_", "-")
            raise InputError(f"--{name} {value!r}: give a name, or leave the option out")
    if isinstance(session.plugin, str | Path):
        raise InputError(f"--plugin {str(session.plugin)!r}: give a list of files")


def check_folders(options: RunOptions, dataset: str) -> None:
    """InputError if results and cache cannot be written, or hold the data set.

    Results of an earlier run can be looked at on a disk that cannot be written.
    """
    if not is_folder(options.results / "cells"):
        check_writable(options.results, "--results")
        check_writable(options.cache, "--cache")
    _check_apart(options.results, dataset)
    check_free([options.cache / name for name in IN_CACHE])


def check_name(dataset: str, results: Path) -> None:
    """InputError if the results of a data set of that name have no place."""
    if dataset in RESERVED:
        raise InputError(f"a data set cannot be called {dataset}: rename its folder")
    place, cells = results / dataset, results / "cells"
    check_free(
        [place, place / "tables", place / "figures", cells, cells / dataset],
        [place / "summary.csv", place / "report.html"],
    )


def check_weights(features: CheckedFeatures, request: FeatureRequest) -> None:
    """InputError if weights are named for features that came with the data."""
    if features.given and request.weights is not None:
        raise InputError(
            f"features {features.name} came with the data and need no weights: leave out "
            f"--weights {request.weights}"
        )


def _check_apart(results: Path, dataset: str) -> None:
    """Refuse a results folder in which the files of a data set lie."""
    data = Path(dataset)
    if not is_folder(data):
        return
    if results.resolve() in (data.resolve(), *data.resolve().parents):
        raise InputError(
            f"--results {results}: the data set {dataset} lies in it; name a folder of its own"
        )
