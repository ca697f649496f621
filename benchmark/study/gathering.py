"""Which stored cells belong to one report, whoever ran them and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from benchmark.digests import value_digest
from benchmark.errors import InputError
from benchmark.protocol.protocol import Protocol
from benchmark.store.record import CellResult
from benchmark.store.store import Store
from benchmark.study.defaults import PROTOCOL

#: What a specification says of the data beside their names.
DATA = ("fingerprint", "split", "features_identity", "l2")
#: What differs between cells of one method; of the parameters, what the grid sets.
OF_CELL, OF_GRID = ("bits", "seed"), ("n_bits", "random_state")


@dataclass(frozen=True)
class Setting:
    """What the cells of one report share.

    Attributes
    ----------
    dataset, features : str
    protocol : Protocol
    data : str
        Digest of the items, the split and the features.
    fingerprint, split : str
        Of the data set, as the specification of a cell has them.
    """

    dataset: str
    features: str
    protocol: Protocol
    data: str = ""
    fingerprint: str = ""
    split: str = ""

    @property
    def folder(self) -> str:
        """Where the report goes, below the results folder."""
        return report_folder(self.dataset, self.features, self.protocol)


@dataclass(frozen=True)
class StoredCell:
    """A stored cell with what it shares with others.

    Attributes
    ----------
    result : CellResult
    setting : Setting
    making : str
        Digest of everything that made it but its code length and seed: the same method in another
        version, or with another tuning, has another one.
    finished : str
        When, in ISO format.
    """

    result: CellResult
    setting: Setting
    making: str
    finished: str


def report_folder(dataset: str, features: str, protocol: Protocol) -> str:
    """Data set and features as a path; the name of a protocol other than the default follows."""
    suffix = "" if protocol.name == PROTOCOL else f"-{protocol.name}"
    return f"{dataset}/{_plain(features + suffix)}"


def gather(store: Store, dataset: str, own: Sequence[CellResult] = ()) -> list[list[StoredCell]]:
    """The stored cells of a data set, in one list for each report that can be made of them.

    Of several makings of one method the one of a cell in `own` counts, otherwise that of its
    newest cell; of several states of the data those of `own`, otherwise the newest.  So a mean
    never mixes versions, and what is not run again stays.

    Parameters
    ----------
    store : Store
    dataset : str
    own : sequence of CellResult
        Cells of the run that is reported, if there is one.
    """
    mine = {cell.folder for cell in own}
    found: dict[str, list[StoredCell]] = {}
    for cell in _stored(store, dataset):
        found.setdefault(cell.setting.folder, []).append(cell)

    def recency(cell: StoredCell) -> tuple[bool, str, str]:
        return cell.result.folder in mine, cell.finished, cell.result.folder

    reports = []
    for cells in found.values():
        data = max(cells, key=recency).setting.data
        newest: dict[str, StoredCell] = {}
        cells = [cell for cell in cells if cell.setting.data == data]
        for cell in sorted(cells, key=recency):
            newest[cell.result.method] = cell
        reports.append([c for c in cells if c.making == newest[c.result.method].making])
    return reports


def with_stored(own: Sequence[CellResult], store: Store) -> list[CellResult]:
    """The cells of a run, and all stored ones that belong into the same report."""
    mine = {cell.folder for cell in own}
    for cells in gather(store, own[0].dataset, own):
        results = [cell.result for cell in cells]
        if mine & {result.folder for result in results}:
            there = {_place(result) for result in results}
            # What was skipped is not stored.
            return [*results, *(cell for cell in own if _place(cell) not in there)]
    return list(own)


def _place(cell: CellResult) -> tuple[str, int, int]:
    return cell.method, cell.bits, cell.seed


def _stored(store: Store, dataset: str) -> Iterable[StoredCell]:
    for result in store.cells(dataset):
        record = store.record(result.folder)
        specification = record.get("specification", {})
        try:
            yield StoredCell(
                result, _setting(specification), _making(specification), str(record["finished"])
            )
        except (KeyError, TypeError, InputError):
            # Written by a version that knew other fields: it is run again when it is wanted.
            continue


def _setting(specification: Mapping[str, Any]) -> Setting:
    known = {field.name for field in fields(Protocol)}
    given = {k: v for k, v in specification["protocol"].items() if k in known}
    protocol = Protocol(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})
    # A protocol whose conventions have changed is another one.
    data = {key: specification.get(key) for key in DATA} | {"protocol": given}
    return Setting(
        specification["dataset"],
        specification["features"],
        protocol,
        value_digest(data),
        specification.get("fingerprint", ""),
        specification.get("split", ""),
    )


def _making(specification: Mapping[str, Any]) -> str:
    made = {k: v for k, v in specification.items() if k not in OF_CELL}
    parameters = specification["parameters"]
    made["parameters"] = {k: v for k, v in parameters.items() if k not in OF_GRID}
    return value_digest(made)


def _plain(name: str) -> str:
    return re.sub(r"[/\\\0]", "_", name)
