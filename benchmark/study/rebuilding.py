"""``--report``: tables, figures and pages from all stored cells, without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.opening import open_dataset
from benchmark.errors import InputError
from benchmark.log import to_stderr
from benchmark.registry import load_plugins
from benchmark.reporting.answer import write_index
from benchmark.study.gathering import Setting, gather
from benchmark.study.results import Results
from benchmark.study.session import Session
from features.errors import FeatureError


def rebuild_reports(session: Session, names: Sequence[str]) -> Iterator[Results]:
    """Write every report that the stored cells make, and the list of all reports.

    Data sets are opened for their data sheet and pictures; where one is not there, its report is
    made without them.

    Parameters
    ----------
    session : Session
        Of its options those on files count.
    names : sequence of str
        Data sets as ``--dataset`` takes them; all that have stored cells where none is named.

    Yields
    ------
    Results
        Of each report, once it is written.

    Raises
    ------
    InputError
        If a data set has no stored cell, before anything is written.
    """
    load_plugins(session.options.plugins)
    store = session.store
    known = store.datasets()
    wanted = {_stored_name(name): name for name in names} or {name: name for name in known}
    for name in wanted:
        if name not in known:
            there = ", ".join(known) or "none"
            raise InputError(f"--report {name}: {store.root} has no cells of it, only of: {there}")
    if not wanted:
        raise InputError(f"--report: {store.root} has no cells; run the benchmark first")
    for name, text in wanted.items():
        opened = _opened(text, session)
        for cells in gather(store, name):
            setting = cells[0].setting
            results = Results(
                cells=tuple(cell.result for cell in cells),
                store=store,
                protocol=setting.protocol,
                dataset=_fitting(opened, setting),
                with_audit=session.audit,
            )
            results.write()
            yield results
    write_index(store.root)


def _stored_name(text: str) -> str:
    """What the cells of a data set are stored under: a folder's own name, and other names as is."""
    return Path(text).resolve().name if Path(text).is_dir() else text


def _opened(text: str, session: Session) -> Dataset | None:
    try:
        return open_dataset(text, Path(session.data_root), session.options.cache / "splits")
    except (InputError, FeatureError) as error:
        to_stderr(f"{text}: reported without pictures and data sheet: {error}")
        return None


def _fitting(dataset: Dataset | None, setting: Setting) -> Dataset | None:
    """The data set, if its items and split are those that the cells were measured on."""
    if dataset is None:
        return None
    same = dataset.fingerprint == setting.fingerprint and dataset.split.checksum == setting.split
    if not same:
        to_stderr(
            f"{setting.dataset}: reported without pictures and data sheet: its cells were measured "
            "on another version of the data, or without some of its images"
        )
    return dataset if same else None
