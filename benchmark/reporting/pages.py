"""The tables of a run as files: one of each metric in every format, and all on one page."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

from benchmark.files import write_file
from benchmark.protocol.catalogue import describe
from benchmark.reporting.render import markdown, write_grid
from benchmark.reporting.table import Table
from benchmark.reporting.wording import TIE_RULES, describe_seeds, describe_test
from benchmark.store.record import CellResult
from benchmark.store.seeds import chance_level, method_names


def write_tables(cells: Sequence[CellResult], tables: Sequence[Table], folder: Path) -> list[Path]:
    """Write every table in every format, and all of them on one page.

    Parameters
    ----------
    cells : sequence of CellResult
        What the tables were made from.
    tables : sequence of Table
        In the order of the page.
    folder : Path
        Made where it is missing.

    Returns
    -------
    list of Path
        The first is the page, ``all.md``.
    """
    paths = [Path(folder) / "all.md"]
    for table in tables:
        stem = re.sub(r"[^A-Za-z0-9@._-]", "_", table.metric)
        paths += write_grid(table.grid(), folder, stem)
        if table.tests:
            paths.append(write_tests(table, Path(folder) / f"{stem}-tests.csv"))
    write_file(paths[0], _page(cells, tables))
    return paths


def write_tests(table: Table, path: Path) -> Path:
    """Write every pair of methods with its difference and p-value, a line for each.

    ``p_value`` is corrected over all pairs of the code length, ``uncorrected`` is not, and
    ``better`` says whether the method is significantly better than the other.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("bits", "method", "other", "difference", "uncorrected", "p_value", "better"))
    for bits, tests in table.tests.items():
        raw = tests.p_values if tests.uncorrected is None else tests.uncorrected
        for i, j in permutations(range(len(tests.methods)), 2):
            one, other = tests.methods[i], tests.methods[j]
            numbers = (tests.differences[i, j], raw[i, j], tests.p_values[i, j])
            better = "yes" if tests.is_better(one, other) else "no"
            writer.writerow((bits, one, other, *map(float, numbers), better))
    write_file(path, stream.getvalue())
    return path


def _page(cells: Sequence[CellResult], tables: Sequence[Table]) -> str:
    """All tables of a run in Markdown; what holds for all of them is said once, at the top."""
    first = tables[0]
    counts = Counter(cell.status for cell in cells)
    states = [f"{counts[s]} {s}" for s in ("done", "skipped", "failed") if counts[s]]
    lengths = ", ".join(map(str, first.bits))
    lines = [
        f"# {markdown.escape(first.dataset)}, {markdown.escape(first.features)} features",
        "",
        f"- Methods: {len(method_names(cells))}; code lengths: {lengths} bits; "
        f"seeds: {', '.join(map(str, first.seeds))}.",
        f"- Cells: {', '.join(states)}.",
    ]
    chance = chance_level(cells)
    if chance is not None:
        lines.append(f"- Base rate, the level of a random ranking: {chance:.4f}.")
    sources = dict.fromkeys(cell.tags for cell in cells if cell.tags)
    if sources:
        lines.append(f"- Tags: {markdown.escape(' / '.join(sources))}.")
    lines += _page_tuning(cells)
    lines += [
        f"- Numbers: {describe_seeds(first.seeds)}; {TIE_RULES[first.ties]}.",
        *_page_marks(tables),
        "- A dash is a cell without a result, explained below its table.",
    ]
    for table in tables:
        lines += ["", f"## {markdown.escape(table.heading)}", ""]
        if table.heading == table.metric:
            lines += [f"{markdown.escape(describe(table.metric))}.", ""]
        if table.tests:
            lines += [" ".join(table.separations), ""]
        elif table.findings:
            lines += [table.findings, ""]
        lines.append(markdown.render_rows(table.grid()))
    return "\n".join(lines) + "\n"


def _page_tuning(cells: Sequence[CellResult]) -> list[str]:
    """Which methods chose their parameters, and by what; footnotes say what they chose."""
    methods = dict.fromkeys(cell.method for cell in cells if cell.tuned)
    if not methods:
        return []
    rules = dict.fromkeys(cell.tuned.relevance for cell in cells if cell.tuned)
    return [
        f"- Tuned on {' / '.join(rules)} of a validation part of the training items, without the "
        f"queries: {markdown.escape(', '.join(methods))}; footnotes say what was chosen."
    ]


def _page_marks(tables: Sequence[Table]) -> list[str]:
    """What the marks of all tables mean."""
    if not any(table.ranked for table in tables):
        return []
    levels = {test.level for table in tables for test in table.tests.values()}
    marks = markdown.legend(tested=bool(levels))
    return [f"- {' '.join([marks, *map(describe_test, levels)])}"]
