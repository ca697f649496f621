"""Cells on disk: one folder each, written whole or not at all.

``<root>/cells/<dataset>/<method>/<bits>b-s<seed>-<key>/`` holds ``run.json`` (specification,
status, metrics, timings, versions, checksums), ``profile.npz`` (items and relevant items at every
distance, per-query values, curves and training losses), ``codes.npz`` if asked for, and
``error.txt`` for a failed cell.  Tables and figures are made from these alone.

A quantiser ranks by score, and the counts of its rankings would take as much room as the rankings
themselves: its ``profile.npz`` has per-query values and curves only.  Other metrics can be made
from its ``codes.npz``, which holds the look-up tables of the queries (``query``, float32) and the
code words of the database (``database``, uint8); of binary codes it holds the packed bits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from benchmark.digests import checksum, value_digest
from benchmark.files import written_folder
from benchmark.protocol.evaluation import Curve
from benchmark.store.record import CellResult, Tuning, Value
from benchmark.store.seeds import summary_frame

#: Fields of a result that ``run.json`` does not hold.
_ELSEWHERE = ("folder", "curves")
#: The file that says what a cell is.
RECORD = "run.json"
#: Version of ``run.json``; a cell of another version is run again.
FORMAT = 1
#: The fitted method of a cell, as :mod:`methods.state` writes it.
MODEL = "model.npz"

Found = TypeVar("Found")


class Store:
    """The cells below a results folder.

    Parameters
    ----------
    root : Path
        The folder that ``--results`` names.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def write(
        self,
        result: CellResult,
        run: Mapping[str, Any],
        arrays: Mapping[str, Mapping[str, np.ndarray]],
        error: str = "",
    ) -> None:
        """Store a finished or failed cell in its folder.

        Parameters
        ----------
        result : CellResult
        run : mapping
            What else belongs in ``run.json``: specification, timings, versions.
        arrays : mapping of str to mapping of str to array
            File stem (``profile``, ``codes``) to its arrays.
        error : str
            Traceback of a failed cell.
        """
        with written_folder(self._place(result.folder)) as folder:
            for stem, contents in arrays.items():
                np.savez_compressed(folder / f"{stem}.npz", **contents)  # type: ignore[arg-type]
            if error:
                (folder / "error.txt").write_text(error, encoding="utf-8")
            checksums = {path.name: checksum(path) for path in sorted(folder.iterdir())}
            record = {"format": FORMAT, **_as_plain(result), **run, "checksums": checksums}
            record["checksum"] = value_digest(record, 64)
            text = json.dumps(record, indent=1, default=str)
            (folder / RECORD).write_text(text, encoding="utf-8")

    def read(self, folder: str) -> CellResult | None:
        """The stored cell, or None if it is absent or damaged (then it is to be run again)."""
        return self._steadily(folder, lambda place: _read_cell(place, folder))

    def is_damaged(self, folder: str) -> bool:
        """Whether something is stored there that cannot be read."""
        return (self._place(folder) / RECORD).exists() and self.read(folder) is None

    def datasets(self) -> list[str]:
        """Names of the data sets that have cells."""
        found = {path.parts[-4] for path in (self.root / "cells").glob("*/*/*/run.json")}
        return sorted(found)

    def cells(self, dataset: str) -> Iterator[CellResult]:
        """Every readable cell of a data set, whatever its key, by method and code length."""
        root = self.root / "cells"
        for path in sorted((root / dataset).glob("*/*/run.json")):
            result = self.read(path.parent.relative_to(root).as_posix())
            if result is not None:
                yield result

    def frame(self, dataset: str) -> pd.DataFrame:
        """Every readable cell of a data set as one tidy frame, see :func:`summary_frame`."""
        return summary_frame(self.cells(dataset))

    def per_query(self, folder: str) -> dict[str, np.ndarray]:
        """Metric name to the value of each query, NaN where it is left out; {} if not stored."""
        return self._profile_arrays(folder, "query:")

    def database_size(self, folder: str) -> int | None:
        """Items of the database; None where it is not stored, as for quantisers."""
        items = self._profile_arrays(folder, "items").get("")
        return None if items is None or not len(items) else int(items[0].sum())

    def training_curves(self, folder: str) -> dict[str, np.ndarray]:
        """``training`` and ``validation`` loss of each epoch; {} where nothing was recorded."""
        return self._profile_arrays(folder, "history:")

    def has_codes(self, folder: str) -> bool:
        """Whether a cell was stored with its codes."""
        return (self._place(folder) / "codes.npz").exists()

    def has_model(self, folder: str) -> bool:
        """Whether a cell was stored with its fitted method."""
        return (self._place(folder) / MODEL).exists()

    def codes(self, folder: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Query and database codes as :mod:`benchmark.protocol.search` stores them, or None."""
        if not self.has_codes(folder):
            return None
        arrays = self._steadily(folder, lambda place: _load_arrays(place / "codes.npz"))
        return arrays["query"], arrays["database"]

    def record(self, folder: str) -> dict[str, Any]:
        """The ``run.json`` of a cell; {} where there is none that can be read."""
        return _load_record(self._place(folder) / RECORD)

    def records(self, dataset: str) -> Iterator[dict[str, Any]]:
        """The ``run.json`` of every readable cell of a data set, whatever its key."""
        for path in sorted((self.root / "cells" / dataset).glob("*/*/run.json")):
            if record := _load_record(path):
                yield record

    def _place(self, folder: str) -> Path:
        return self.root / "cells" / folder

    def _profile_arrays(self, folder: str, prefix: str) -> dict[str, np.ndarray]:
        arrays = self._steadily(folder, lambda place: _load_arrays(place / "profile.npz", prefix))
        return {name.removeprefix(prefix): values for name, values in arrays.items()}

    def _steadily(self, folder: str, read: Callable[[Path], Found]) -> Found:
        """What a function reads of a cell that another run may replace meanwhile."""
        place = self._place(folder)
        while True:
            before = _identity(place)
            try:
                found = read(place)
            except OSError:
                # Its files are gone because the folder was replaced, or for a reason of their own.
                if _identity(place) == before:
                    raise
                continue
            if _identity(place) == before:
                return found


def _identity(place: Path) -> tuple[int, ...]:
    """What tells a folder from one that replaces it."""
    try:
        about = place.stat()
    except OSError:
        return ()
    return about.st_dev, about.st_ino, about.st_mtime_ns


def _read_cell(target: Path, folder: str) -> CellResult | None:
    try:
        record = json.loads((target / RECORD).read_text(encoding="utf-8"))
        if record.pop("checksum") != value_digest(record, 64) or record["format"] != FORMAT:
            return None
        for name, expected in record["checksums"].items():
            if checksum(target / name) != expected:
                return None
        return _of_plain(record, folder, _read_curves(target / "profile.npz"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _load_arrays(path: Path, prefix: str = "") -> dict[str, np.ndarray]:
    """The arrays of a file whose names begin so; {} where there is no such file."""
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays if name.startswith(prefix)}


def _as_plain(result: CellResult) -> dict[str, Any]:
    """The fields of ``run.json``; curves are arrays, and the folder is where the file lies."""
    plain = {
        f.name: getattr(result, f.name) for f in fields(CellResult) if f.name not in _ELSEWHERE
    }
    plain["tuned"] = result.tuned and result.tuned.record()
    plain["metrics"] = {name: measure._asdict() for name, measure in result.metrics.items()}
    return plain


def _of_plain(record: Mapping[str, Any], folder: str, curves: Mapping[str, Curve]) -> CellResult:
    plain = {f.name: record[f.name] for f in fields(CellResult) if f.name not in _ELSEWHERE}
    plain["tuned"] = Tuning.of_record(record["tuned"]) if record["tuned"] else None
    plain["metrics"] = {name: Value(**m) for name, m in record["metrics"].items()}
    return CellResult(**plain, folder=folder, curves=curves)


def _load_record(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _read_curves(path: Path) -> dict[str, Curve]:
    xs, ys = _load_arrays(path, "x:"), _load_arrays(path, "y:")
    return {name.removeprefix("x:"): Curve(x, ys[f"y:{name[2:]}"]) for name, x in xs.items()}
