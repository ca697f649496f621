"""``--leaderboard``: a static site of the results of many folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import InputError
from benchmark.reporting.report import Report, make_report
from benchmark.reporting.site import write_site
from benchmark.store.store import Store
from benchmark.study.defaults import PROTOCOL
from benchmark.study.gathering import gather


def write_leaderboard(folders: Sequence[Path], site: Path) -> list[Path]:
    """Write a site of all reports of some results folders that stand on the default protocol.

    Parameters
    ----------
    folders : sequence of Path
        Results folders.  Where two have the same data set and features, merge them first.
    site : Path
        Where the pages go.

    Raises
    ------
    InputError
        If there is nothing to show, or two folders have the same data set and features.
    """
    reports: dict[tuple[str, str], tuple[Path, Report]] = {}
    for folder in folders:
        store = Store(folder)
        for dataset in store.datasets():
            for cells in gather(store, dataset):
                setting = cells[0].setting
                if setting.protocol.name != PROTOCOL:
                    continue
                place = setting.dataset, setting.features
                if place in reports:
                    raise InputError(
                        f"--leaderboard {folder}: {reports[place][0]} has {dataset} with "
                        f"{setting.features} features too; join them with --merge first"
                    )
                results = [cell.result for cell in cells]
                reports[place] = folder, make_report(results, store, setting.protocol, None)
    if not reports:
        names = ", ".join(map(str, folders))
        raise InputError(f"--leaderboard {names}: there are no cells of protocol {PROTOCOL}")
    return write_site([report for _, report in reports.values()], site)
