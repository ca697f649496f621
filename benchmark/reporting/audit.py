"""The same codes under every convention: how far the conventions alone move the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmark.protocol.evaluation import Evaluation
from benchmark.protocol.protocol import PRESETS, Protocol
from benchmark.protocol.search import search_of_stored
from benchmark.store.record import CellResult
from benchmark.store.store import Store

#: Columns of ``audit.csv``.
COLUMNS = ("dataset", "features", "method", "bits", "seeds", "convention", "metric", "value")

#: The preset that single changes and tie bounds start from.
DEFAULT = PRESETS["wdht"]
#: Conventions of known code that no preset has, each a change of one field of the default.
CHANGES = ({"normalizer": "min"}, {"normalizer": "all"}, {"empty": "skip"})
#: What the bounds over the orders of tied items are called.
BOUNDS = {"low": "ties in the worst order", "high": "ties in the best order"}


@dataclass(frozen=True)
class Convention:
    """A way to measure, with the metrics that it reports.

    Attributes
    ----------
    name : str
        Presets that measure alike, or what is changed of the default.
    protocol : Protocol
    metrics : tuple of str
    bounds : bool
        Whether the bounds over the orders of tied items are shown too.
    """

    name: str
    protocol: Protocol
    metrics: tuple[str, ...]
    bounds: bool = False


def conventions() -> list[Convention]:
    """Every preset, those that measure alike together, then the single changes of the default."""
    groups: dict[str, list[Protocol]] = {}
    for preset in PRESETS.values():
        # P@N is not audited, and takes long in rankings without ties.
        preset = replace(preset, precision_at=())
        groups.setdefault(repr({**preset.specification(), "name": ""}), []).append(preset)
    found = [
        Convention(
            ", ".join(preset.name for preset in group),
            group[0],
            (*group[0].map_names, _ball(group[0])),
            bounds=DEFAULT.name in {preset.name for preset in group},
        )
        for group in groups.values()
    ]
    for change in CHANGES:
        ((key, value),) = change.items()
        protocol = replace(DEFAULT, map_at=DEFAULT.map_at[:1], precision_at=(), **change)
        # Over the whole ranking all normalisers are the number of relevant items.
        metrics = (_ball(protocol),) if key == "empty" else protocol.map_names[:1]
        found.append(Convention(f"{DEFAULT.name}, {key}={value}", protocol, metrics))
    return found


def audit_cells(
    cells: Sequence[CellResult],
    store: Store,
    query_labels: np.ndarray,
    database_labels: np.ndarray,
) -> pd.DataFrame:
    """Measure the stored codes of all cells under every convention; means over seeds.

    Parameters
    ----------
    cells : sequence of CellResult
        One data set and one feature kind.
    store : Store
        Where they are stored with their codes.
    query_labels, database_labels : (q, c), (n, c) arrays of bool

    Returns
    -------
    DataFrame
        With the columns ``COLUMNS``.  Cells without codes are left out, and so are the Hamming
        balls of quantisers.
    """
    from tqdm import tqdm

    lines = []
    for cell in tqdm(cells, desc="audit", unit="cell", disable=None):
        stored = store.codes(cell.folder) if cell.status == "done" else None
        if stored is None:
            continue
        search = search_of_stored(stored[0])
        codes = [search.restored(array, cell.bits) for array in stored]
        head = (cell.dataset, cell.features, cell.method, cell.bits)
        for convention in conventions():
            evaluation = search.evaluate(*codes, query_labels, database_labels, convention.protocol)
            lines += [(*head, cell.seed, *line) for line in _readings(convention, evaluation)]
    keys = [name for name in COLUMNS if name not in ("seeds", "value")]
    frame = pd.DataFrame(lines, columns=[*keys[:4], "seeds", *keys[4:], "value"])
    groups = frame.groupby(keys, sort=False, as_index=False)
    return groups.agg(seeds=("seeds", "size"), value=("value", "mean"))[list(COLUMNS)]


def _readings(convention: Convention, evaluation: Evaluation) -> Iterator[tuple[str, str, float]]:
    """Convention, metric and value, one after the other."""
    for metric in convention.metrics:
        # A ranking by score has no Hamming balls.
        if metric in evaluation:
            yield convention.name, metric, evaluation[metric]
    if convention.bounds:
        for metric in (convention.metrics[0], "mAP@all"):
            bounds = evaluation.bounds[metric]._asdict()
            for side, name in BOUNDS.items():
                yield f"{convention.name}, {name}", metric, bounds[side]


def _ball(protocol: Protocol) -> str:
    return f"P@r{protocol.radius}"
