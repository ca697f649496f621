"""A static site of many reports: all methods on all data sets, and a page for each method."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from benchmark.files import write_file
from benchmark.protocol.catalogue import format_value
from benchmark.reporting.look import look_of
from benchmark.reporting.method import GROUPS, Method
from benchmark.reporting.report import Report
from benchmark.reporting.table import Table, TableEntry


@dataclass(frozen=True)
class Column:
    """A data set with its features at one code length."""

    dataset: str
    features: str
    bits: int
    metric: str


@dataclass(frozen=True)
class Standing:
    """A method over all columns.

    Attributes
    ----------
    method : Method
    entries : mapping of Column to TableEntry
        Where it has a value.
    ranks : mapping of Column to int
        1 for the largest mean of its group.
    """

    method: Method
    entries: dict[Column, TableEntry] = field(default_factory=dict)
    ranks: dict[Column, int] = field(default_factory=dict)

    @property
    def mean_rank(self) -> float:
        """Over the columns in which it has a value."""
        return statistics.fmean(self.ranks.values())

    @property
    def firsts(self) -> int:
        """Columns in which it is the best of its group or not significantly worse."""
        return sum(entry.rank == 1 for entry in self.entries.values())

    @property
    def file(self) -> str:
        """The page of the method."""
        return f"method-{re.sub(r'[^A-Za-z0-9._-]', '_', self.method.id)}.html"

    @property
    def colour(self) -> str:
        """Of the method in every figure."""
        return look_of(self.method).colour

    def text(self, column: Column) -> str:
        """The mean as printed; a dash where there is none."""
        entry = self.entries.get(column)
        return "–" if entry is None else format_value(column.metric, entry.mean or 0.0)


def standings(tables: Sequence[Table]) -> tuple[list[Column], dict[str, list[Standing]]]:
    """Columns, and the methods of each group by mean rank.

    Parameters
    ----------
    tables : sequence of Table
        The main table of each report.
    """
    columns, found = [], {}
    for table in tables:
        for j, bits in enumerate(table.bits):
            column = Column(table.dataset, table.features, bits, table.metric)
            columns.append(column)
            for rows in table.groups.values():
                there = [(row, row.entries[j].mean) for row in rows]
                means = [mean for _, mean in there if mean is not None]
                for row, mean in there:
                    if mean is None:
                        continue
                    one = found.setdefault(row.method, Standing(row.about))
                    one.entries[column] = row.entries[j]
                    one.ranks[column] = 1 + sum(other > mean for other in means)
    ordered = sorted(found.values(), key=lambda one: (one.mean_rank, one.method.id))
    groups = {
        name: [one for one in ordered if one.method.group == name] for name in GROUPS.values()
    }
    return columns, {name: methods for name, methods in groups.items() if methods}


def write_site(reports: Sequence[Report], folder: Path) -> list[Path]:
    """Write ``index.html``, a page for each data set and features, and one for each method.

    Parameters
    ----------
    reports : sequence of Report
        One of each data set and features.
    folder : Path
        Made where it is missing.
    """
    here = Path(__file__).parent / "page"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    columns, groups = standings([report.main for report in reports])
    template = environment.get_template("site.html")
    style = (here / "page.css").read_text(encoding="utf-8")
    data_pages = {place: _file_of(*place) for place in _places(columns)}
    shared = {"style": style, "data_pages": data_pages}
    paths = []

    def page(name: str, title: str, **content: object) -> None:
        write_file(folder / name, template.render(title=title, **shared, **content))
        paths.append(folder / name)

    page("index.html", "Leaderboard", columns=columns, groups=groups, years=_by_year(groups))
    for place, name in data_pages.items():
        own = [column for column in columns if (column.dataset, column.features) == place]
        there = standings([r.main for r in reports if _place_of(r.main) == place])[1]
        title = f"{place[0]}, {place[1]} features"
        page(name, title, columns=own, groups=there, years=[])
    for methods in groups.values():
        for one in methods:
            own = [column for column in columns if column in one.entries]
            page(one.file, one.method.label, columns=own, groups={one.method.group: [one]},
                 years=[], method=one.method)  # fmt: skip
    return paths


def _by_year(groups: dict[str, list[Standing]]) -> list[tuple[str, list[Standing]]]:
    """Methods by the year of their paper, the oldest first."""
    found: dict[str, list[Standing]] = {}
    for methods in groups.values():
        for one in methods:
            if one.method.year:
                found.setdefault(one.method.year, []).append(one)
    return sorted(found.items())


def _places(columns: Sequence[Column]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((column.dataset, column.features) for column in columns))


def _place_of(table: Table) -> tuple[str, str]:
    return table.dataset, table.features


def _file_of(dataset: str, features: str) -> str:
    return f"data-{re.sub(r'[^A-Za-z0-9._-]', '_', f'{dataset}-{features}')}.html"
