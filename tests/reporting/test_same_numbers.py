"""Page, terminal, Markdown, LaTeX and CSV print the same numbers, to the last digit."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest
from rendered import to_csv, to_latex, to_markdown, to_text
from test_page import make_run, parsed

from benchmark.protocol.catalogue import format_value
from benchmark.reporting.outputs import terminal_text
from benchmark.reporting.page.page import write_page
from benchmark.reporting.page.view import view_of

NAMES = {"ITQ (itq)": "itq", "LSH (lsh[x=<b>])": "lsh[x=<b>]", "WDHT (wdht)": "wdht"}


def by_row(lines):
    """Numbers of four decimals in each line that begins with a method's name."""
    found = {}
    for line in lines:
        plain = line.replace("\\", "").replace("{[}", "[").replace("{]}", "]")
        plain = plain.replace("textless{}", "<").replace("textgreater{}", ">")
        plain = re.sub(r"^[| ]*", "", plain)
        for name, method in NAMES.items():
            if plain.startswith(name):
                found[method] = re.findall(r"\d\.\d{4}", plain)
    return found


@pytest.mark.parametrize("metric", ["mAP@all", "P@r2"])
def test_every_format_prints_the_same(tmp_path, metric):
    report = make_run(tmp_path)
    table = report.tables[metric]
    expected = {}
    for row in table.rows:
        pairs = [(entry.mean, entry.deviation) for entry in row.entries]
        expected[row.method] = [format_value(metric, v) for pair in pairs for v in pair]
    assert len(expected) == 3 and len({n for numbers in expected.values() for n in numbers}) > 4
    for render in (to_text, to_markdown, to_latex):
        assert by_row(render(table).splitlines()) == expected, render.__name__
    frame = pd.read_csv(io.StringIO(to_csv(table)), index_col="method")
    columns = [f"{bits} bits{part}" for bits in table.bits for part in ("", " deviation")]
    rows = {m: [format_value(metric, frame.loc[m, c]) for c in columns] for m in expected}
    assert rows == expected
    shown = view_of(report)["values"][metric]
    assert {m: [t for e in es for t in (e["t"], e["d"])] for m, es in shown.items()} == expected
    page = parsed(write_page(report, tmp_path)).entries
    means = {method: numbers[::2] for method, numbers in expected.items()}
    assert {m: [page[m, bits, metric] for bits in table.bits] for m in means} == means
    terminal = terminal_text(report, colour=False, width=200)
    part = next(p for p in terminal.split("\n\n\n") for p in p.split(f"{metric} on ")[1:])
    assert by_row(part.splitlines()[:10]) == expected
    narrow = terminal_text(report, colour=False, width=50).split(f"{metric} on ")[1]
    assert by_row(narrow.splitlines()[:10]) == means
