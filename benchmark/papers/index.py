"""The papers with their tables and figures: data, protocol, features, methods and code lengths.

``results/published/tables.toml`` says all of it; the README beside it explains the fields.  The
printed numbers are read by :mod:`benchmark.papers.published`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import InputError
from benchmark.papers.entries import PaperFigure, TableEntry
from benchmark.papers.fields import ENTRIES, NAMED_ENTRIES, read_fields
from benchmark.papers.parsing import parse_figure, parse_paper, parse_sizes, parse_table

#: The file that describes the papers.
INDEX = "tables.toml"
#: Its fields.
FIELDS = {"splits": NAMED_ENTRIES, "papers": NAMED_ENTRIES, "tables": ENTRIES, "figures": ENTRIES}


@dataclass(frozen=True)
class PaperIndex:
    """All tables and figures.

    Attributes
    ----------
    folder : Path
        Where the CSV files lie.
    tables : mapping of str to TableEntry
        By id, in the order of the file.
    figures : mapping of str to PaperFigure
        Likewise.
    """

    folder: Path
    tables: Mapping[str, TableEntry]
    figures: Mapping[str, PaperFigure]

    @property
    def sources(self) -> frozenset[str]:
        """Data sets of the papers, as ``--dataset`` takes them."""
        in_tables = (part.source for table in self.tables.values() for part in table.parts)
        in_figures = (source for f in self.figures.values() for source in f.blocks.values())
        return frozenset((*in_tables, *in_figures))

    def find_table(self, table_id: str) -> TableEntry:
        """The table of that id.

        Raises
        ------
        InputError
            If there is none.
        """
        if table_id not in self.tables:
            ids = ", ".join(self.tables)
            raise InputError(f"there is no published table {table_id!r}: give {ids}")
        return self.tables[table_id]

    def find_figure(self, figure_id: str) -> PaperFigure:
        """The figure of that id.

        Raises
        ------
        InputError
            If there is none.
        """
        if figure_id not in self.figures:
            raise InputError(f"there is no figure {figure_id!r}: give {', '.join(self.figures)}")
        return self.figures[figure_id]


def published_folder() -> Path:
    """Where the published numbers lie: inside an installed package, or in ``results/`` of a clone.

    Raises
    ------
    InputError
        If they are in neither.
    """
    package = Path(__file__).resolve().parent
    # setup.py installs the folder of the clone as the package benchmark.papers.data.
    for folder in (package / "data", package.parents[1] / "results" / "published"):
        if (folder / INDEX).is_file():
            return folder
    raise InputError("the published numbers (results/published/) are missing: reinstall hashbench")


def list_papers() -> list[tuple[str, str]]:
    """Tables and figures with one line each, for ``--list papers``."""
    index = read_index()
    tables = [(f"--table {t.id}", f"{t.name}: {t.caption}") for t in index.tables.values()]
    return tables + [(f"--figure {f.id}", f.about) for f in index.figures.values()]


def read_index(folder: Path | None = None) -> PaperIndex:
    """Read and check the description of the papers.

    Parameters
    ----------
    folder : Path, optional
        By default that of the published numbers.

    Raises
    ------
    InputError
        If the file cannot be read, or something in it is missing, unknown or contradictory.
    """
    folder = folder or published_folder()
    path = folder / INDEX
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    top = read_fields(content, str(path), FIELDS)
    splits = {s: parse_sizes(e, f"{path}: split {s}") for s, e in top["splits"].items()}
    papers = {key: parse_paper(e, f"{path}: paper {key}") for key, e in top["papers"].items()}
    tables = [parse_table(e, f"{path}: table", papers, splits) for e in top["tables"]]
    figures = [parse_figure(e, f"{path}: figure", papers) for e in top["figures"]]
    for kind, ids in (("table", [t.id for t in tables]), ("figure", [f.id for f in figures])):
        _check_ids(ids, f"{path}: {kind}")
    return PaperIndex(folder, {t.id: t for t in tables}, {f.id: f for f in figures})


def _check_ids(ids: Sequence[str], where: str) -> None:
    """Ids are unique, and parts of file names."""
    for table_id in ids:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", table_id):
            raise InputError(f"{where} {table_id}: use letters, digits, '-', '_' and '.' in an id")
        if ids.count(table_id) > 1:
            raise InputError(f"{where} {table_id}: two of them have this id")
