"""Entries of ``tables.toml`` become papers, tables and figures, each checked by itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from benchmark.errors import InputError
from benchmark.papers.entries import (
    KINDS,
    OF_ONE_DATASET,
    OF_ONE_LENGTH,
    Paper,
    PaperFigure,
    Sizes,
    TableEntry,
    TablePart,
    Validation,
)
from benchmark.papers.fields import (
    COUNT,
    COUNTS,
    ENTRIES,
    ENTRY,
    NAMES,
    NUMBER_LISTS,
    TEXT,
    TEXTS,
    read_fields,
)
from benchmark.protocol.protocol import find_protocol

SIZES = {"query": COUNT, "train": COUNT, "database": COUNT}
VALIDATION = {"train": COUNT, "query": COUNT}
PAPER = {"name": TEXT, "features": TEXT, "protocol": TEXT, "methods": NAMES}
#: Fields of a paper in whose place a part of a table or a figure may have its own.
INHERITED = {"features": TEXT, "protocol": TEXT}
COMMON = {"id": TEXT, "paper": TEXT, "title": TEXT, "caption": TEXT, "parts": ENTRIES}
TABLE = {**COMMON, "file": TEXT}
TABLE_PART = {"dataset": TEXT, "source": TEXT, "setting": TEXT}
FIGURE = {**COMMON, "kind": TEXT, "bits": COUNTS, "rows": TEXTS}
FIGURE_PART = {"dataset": TEXT, "source": TEXT}


def parse_sizes(entry: Mapping[str, Any], where: str) -> Sizes:
    """Sizes of a split.

    Parameters
    ----------
    entry : mapping
        As :mod:`tomllib` reads it; likewise below.
    where : str
        File and place in it, for messages; likewise below.

    Raises
    ------
    InputError
        If a field is missing or wrong; likewise below.
    """
    return Sizes(**read_fields(entry, where, SIZES))


def parse_paper(entry: Mapping[str, Any], where: str) -> Paper:
    """A paper."""
    paper = Paper(**read_fields(entry, where, PAPER))
    _check_protocol(paper.protocol, where)
    return paper


def parse_table(
    entry: Mapping[str, Any],
    where: str,
    papers: Mapping[str, Paper],
    splits: Mapping[str, Sizes],
) -> TableEntry:
    """A table without its numbers; papers and sizes of splits are given by name."""
    where = f"{where} {entry.get('id', 'without an id')}"
    read_fields(entry, where, TABLE)
    paper = _paper_of(entry, papers, where)
    if PurePath(entry["file"]).name != entry["file"]:
        raise InputError(f"{where}: file must be a file name without a folder")
    parts = [_part(part, paper, splits, f"{where}: parts") for part in entry["parts"]]
    places = {(part.dataset, part.setting) for part in parts}
    if len(places) < len(parts) or len({part.source for part in parts}) < len(parts):
        raise InputError(f"{where}: each of its parts needs a source and a setting of its own")
    return TableEntry(
        id=entry["id"],
        name=f"{paper.name}, {entry['title']}",
        caption=entry["caption"],
        file=entry["file"],
        methods=paper.methods,
        parts=tuple(parts),
    )


def parse_figure(entry: Mapping[str, Any], where: str, papers: Mapping[str, Paper]) -> PaperFigure:
    """A figure; papers are given by name."""
    where = f"{where} {entry.get('id', 'without an id')}"
    read_fields(entry, where, FIGURE, {**INHERITED, "grid": NUMBER_LISTS, "validation": ENTRY})
    paper = _paper_of(entry, papers, where)
    parts = [read_fields(part, f"{where}: parts", FIGURE_PART) for part in entry["parts"]]
    if len({part["dataset"] for part in parts}) < len(parts):
        raise InputError(f"{where}: each of its parts needs a data set of its own")
    rows = _methods_of(entry["rows"], paper.methods, where)
    grid = _grid(rows, entry.get("grid", {}))
    validation = None
    if "validation" in entry:
        fields = read_fields(entry["validation"], f"{where}: validation", VALIDATION)
        validation = Validation(**fields)
    figure = PaperFigure(
        id=entry["id"],
        name=f"{paper.name}, {entry['title']}",
        caption=entry["caption"],
        kind=entry["kind"],
        blocks={part["dataset"]: part["source"] for part in parts},
        features=entry.get("features", paper.features),
        protocol=entry.get("protocol", paper.protocol),
        bits=tuple(entry["bits"]),
        # In a grid each setting is a row of its own.
        rows={variant: variant for variant in grid} or rows,
        grid=grid,
        validation=validation,
    )
    _check_protocol(figure.protocol, where)
    _check_kind(figure, where)
    return figure


def _part(
    entry: Mapping[str, Any], paper: Paper, splits: Mapping[str, Sizes], where: str
) -> TablePart:
    read_fields(entry, where, TABLE_PART, {**INHERITED, "about": TEXT})
    own = {"features": paper.features, "protocol": paper.protocol} | dict(entry)
    _check_protocol(own["protocol"], where)
    return TablePart(**own, sizes=splits.get(own["source"]))


def _paper_of(entry: Mapping[str, Any], papers: Mapping[str, Paper], where: str) -> Paper:
    key = entry["paper"]
    if key not in papers:
        raise InputError(f"{where}: there is no paper {key!r}: give {', '.join(papers)}")
    return papers[key]


def _check_protocol(name: str, where: str) -> None:
    try:
        find_protocol(name)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _methods_of(names: Sequence[str], methods: Mapping[str, str], where: str) -> dict[str, str]:
    for name in names:
        if not methods.get(name):
            raise InputError(f"{where}: the methods of the paper do not say what {name!r} is")
    return {name: methods[name] for name in names}


def _grid(
    rows: Mapping[str, str], values: Mapping[str, Sequence[float]]
) -> dict[str, dict[str, float]]:
    """Each combination of the values as a variant of each method; empty without values."""
    grid = {}
    for variant in rows.values() if values else ():
        name, _, inside = variant.rstrip("]").partition("[")
        for combination in itertools.product(*values.values()):
            setting = dict(zip(values, combination, strict=True))
            texts = (*filter(None, [inside]), *(f"{key}={v}" for key, v in setting.items()))
            grid[f"{name}[{','.join(texts)}]"] = setting
    return grid


def _check_kind(figure: PaperFigure, where: str) -> None:
    """A kind of drawing shows what the figure has."""
    kind, parameters = figure.kind, next(iter(figure.grid.values()), {})
    if kind not in KINDS:
        raise InputError(f"{where}: kind must be {' or '.join(KINDS)}, not {kind!r}")
    if kind == "grid" and len(parameters) != 2:
        raise InputError(f"{where}: the kind grid needs two parameters in the field 'grid'")
    if kind != "grid" and parameters:
        raise InputError(f"{where}: the field 'grid' goes with the kind grid, not {kind}")
    if kind in OF_ONE_DATASET and len(figure.blocks) > 1:
        raise InputError(f"{where}: the kind {kind} shows one data set, not {len(figure.blocks)}")
    if kind in OF_ONE_LENGTH and len(figure.bits) > 1:
        raise InputError(f"{where}: the kind {kind} shows one code length, not {len(figure.bits)}")
