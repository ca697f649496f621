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

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.digests import checksum
from benchmark.files import check_writable, move_folder
from benchmark.protocol.evaluation import Curve
from benchmark.store.record import CellResult, Measure, Tuning


class Store:
    """The cells below a results folder.

    Parameters
    ----------
    root : Path
        The folder that ``--results`` names.

    Raises
    ------
    InputError
        If nothing can be written there.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        check_writable(self.root, "--results")

    def write(
        self,
        folder: str,
        result: CellResult,
        run: Mapping[str, Any],
        arrays: Mapping[str, Mapping[str, np.ndarray]],
        error: str = "",
    ) -> None:
        """Store a finished or failed cell.

        Parameters
        ----------
        folder : str
            Relative to ``cells/``.
        result : CellResult
        run : mapping
            What else belongs in ``run.json``: specification, timings, versions.
        arrays : mapping of str to mapping of str to array
            File stem (``profile``, ``codes``) to its arrays.
        error : str
            Traceback of a failed cell.
        """
        target = self.root / "cells" / folder
        # Beside the target, so that the rename stays on one file system; the dot hides it from
        # readers, and a killed run leaves nothing else behind.
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for stem, contents in arrays.items():
            np.savez_compressed(temporary / f"{stem}.npz", **contents)  # type: ignore[arg-type]
        if error:
            (temporary / "error.txt").write_text(error, encoding="utf-8")
        checksums = {path.name: checksum(path) for path in sorted(temporary.iterdir())}
        record = {
            "dataset": result.dataset,
            "features": result.features,
            "method": result.method,
            "bits": result.bits,
            "seed": result.seed,
            "status": result.status,
            "reason": result.reason,
            "fidelity": result.fidelity,
            "tags": result.tags,
            "backbone": result.backbone,
            "tuned": result.tuned and result.tuned.record(),
            "metrics": {name: measure._asdict() for name, measure in result.metrics.items()},
            **run,
            "checksums": checksums,
        }
        record["checksum"] = _digest(record)
        text = json.dumps(record, indent=1, default=str)
        (temporary / "run.json").write_text(text, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        move_folder(temporary, target)

    def read(self, folder: str) -> CellResult | None:
        """The stored cell, or None if it is absent or damaged (then it is to be run again)."""
        target = self.root / "cells" / folder
        try:
            record = json.loads((target / "run.json").read_text(encoding="utf-8"))
            if record.pop("checksum") != _digest(record):
                return None
            for name, expected in record["checksums"].items():
                if checksum(target / name) != expected:
                    return None
            return CellResult(
                **{key: record[key] for key in _PLAIN_FIELDS},
                # Cells of methods without tags may come from a version that did not say so.
                tags=record.get("tags", ""),
                backbone=record.get("backbone", ""),
                tuned=Tuning.of_record(record["tuned"]) if record.get("tuned") else None,
                metrics={name: Measure(**m) for name, m in record["metrics"].items()},
                curves=_read_curves(target / "profile.npz"),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def per_query(self, folder: str) -> dict[str, np.ndarray]:
        """Metric name to the value of each query, NaN where it is left out; {} if not stored."""
        return self._profile_arrays(folder, "query:")

    def training_curves(self, folder: str) -> dict[str, np.ndarray]:
        """``training`` and ``validation`` loss of each epoch; {} where nothing was recorded."""
        return self._profile_arrays(folder, "history:")

    def _profile_arrays(self, folder: str, prefix: str) -> dict[str, np.ndarray]:
        path = self.root / "cells" / folder / "profile.npz"
        if not path.exists():
            return {}
        with np.load(path, allow_pickle=False) as arrays:
            names = [name for name in arrays if name.startswith(prefix)]
            return {name.removeprefix(prefix): arrays[name] for name in names}

    def has_codes(self, folder: str) -> bool:
        """Whether a cell was stored with its codes."""
        return (self.root / "cells" / folder / "codes.npz").exists()

    def codes(self, folder: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Query and database codes as :mod:`benchmark.protocol.search` stores them, or None."""
        if not self.has_codes(folder):
            return None
        with np.load(self.root / "cells" / folder / "codes.npz", allow_pickle=False) as arrays:
            return arrays["query"], arrays["database"]

    def records(self, dataset: str) -> Iterator[dict[str, Any]]:
        """The ``run.json`` of every readable cell of a data set, whatever its key."""
        for path in sorted((self.root / "cells" / dataset).glob("*/*/run.json")):
            try:
                yield json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue


_PLAIN_FIELDS = (
    "dataset",
    "features",
    "method",
    "bits",
    "seed",
    "status",
    "reason",
    "fidelity",
)


def _read_curves(path: Path) -> dict[str, Curve]:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        names = [name.removeprefix("x:") for name in arrays if name.startswith("x:")]
        return {name: Curve(arrays[f"x:{name}"], arrays[f"y:{name}"]) for name in names}


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).hexdigest()
