"""The page: numbers as in summary.csv, no address outside the file, gaps that are said."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.datasets.base import Dataset, Split
from benchmark.protocol.catalogue import format_value
from benchmark.protocol.evaluation import Curve
from benchmark.protocol.protocol import PRESETS
from benchmark.reporting.audit import audit_cells
from benchmark.reporting.page.page import write_page
from benchmark.reporting.report import make_report
from benchmark.store.record import CellResult, Value
from benchmark.store.seeds import write_summary
from benchmark.store.store import Store

METHODS, BITS = ("itq", "lsh[x=<b>]", "wdht"), (12, 32)
N, Q = 40, 10


class Squares:
    """Images of one colour each."""

    def __len__(self):
        return N + Q

    def name(self, i):
        return f"{i}.png"

    def load(self, i):
        return Image.new("RGB", (120, 80), (5 * i, 90, 200 - 3 * i))


def dataset(images):
    labels = np.arange(N + Q)[:, None] % 4 == np.arange(4)
    split = Split(np.arange(N), np.arange(N), np.arange(N, N + Q))
    tags = [(f"tag{i % 4}", "<i>") for i in range(N + Q)]
    names = ["sky", "sea", "</script>", "tree"]
    return Dataset("squares", labels, names, tags, split, "f" * 32, images=images)


def make_run(folder, *, images=None, codes=True):
    store = Store(folder)
    rng = np.random.default_rng(0)
    cells = []
    for number, method in enumerate(METHODS):
        for bits in BITS:
            for seed in (0, 1):
                value = 0.1 * (2, 1, 3)[number] + bits / 1000 + seed * 0.00137
                names = ("mAP@all", "P@r2", "empty@r2", "P@100", "base_rate", "distinct_codes")
                metrics = {n: Value(value, value, value) for n in names}
                metrics["fit_seconds"] = Value(*[3.14159 * (number + 1)] * 3)
                recall = np.arange(1, 1001) / 1000
                cell = CellResult(
                    *("squares", "gist", method, bits, seed, "done"),
                    folder=f"squares/{number}/{bits}b-s{seed}",
                    metrics=metrics,
                    curves={"PR": Curve(recall, value * (1.2 - recall))},
                )
                arrays = {"profile": {}}
                if method == "wdht":
                    arrays["profile"] = {"history:training": np.array([3.0, 2.0, np.nan])}
                if codes:
                    shape = (N + Q, bits // 8)
                    stored = rng.integers(0, 256, shape, dtype=np.uint8)
                    arrays["codes"] = {"query": stored[N:], "database": stored[:N]}
                cells.append(cell)
                store.write(cell, {"versions": {"numpy": "9.9"}}, arrays)
    return make_report(cells, store, PRESETS["wdht"], dataset(images))


class Numbers(HTMLParser):
    """Printed entries of the table, by method, bits and metric."""

    def __init__(self):
        super().__init__()
        self.entries, self.row, self.metric, self.addresses = {}, None, None, []
        self.waiting = None

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.addresses += [given[k] for k in ("src", "href") if k in given]
        if tag == "tr" and "data-method" in given:
            self.row = given["data-method"], int(given["data-bits"])
        if tag == "td":
            self.waiting = given.get("data-metric")
        self.metric = self.waiting if given.get("class", "").startswith("number") else None

    def handle_endtag(self, tag):
        self.metric = None

    def handle_data(self, text):
        if self.metric:
            self.entries[(*self.row, self.metric)] = text.strip()


def parsed(path):
    parser = Numbers()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def test_numbers_equal_summary_to_the_last_printed_digit(tmp_path):
    run = make_run(tmp_path)
    write_summary(run.cells, tmp_path / "summary.csv")
    entries = parsed(write_page(run, tmp_path)).entries
    summary = pd.read_csv(tmp_path / "summary.csv")
    means = summary.groupby(["method", "bits", "metric"])["value"].mean()
    shown = {key: text for key, text in entries.items() if text != "–"}
    assert set(shown) == {key for key in means.index if key[2] != "base_rate"}
    for key, text in shown.items():
        assert text == format_value(key[2], means[key]), key


def test_page_is_one_file_that_names_no_other_place(tmp_path):
    path = write_page(make_run(tmp_path, images=Squares()), tmp_path)
    addresses = parsed(path).addresses
    assert any(address.startswith("data:image/jpeg") for address in addresses)
    assert all(address.startswith(("data:", "#")) for address in addresses)
    text = path.read_text()
    assert not re.search(r"@import|url\(|<script src|fetch\(", text)
    (embedded,) = re.findall(r'id="plot-data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(embedded)["training"][0]["training"] == [3.0, 2.0, None]
    # Names cannot break out of the page.
    assert "&lt;/script&gt;" in text and "[x=<b>]" not in text


def test_audit_and_tables_of_papers_are_on_the_page_once_they_are_there(tmp_path):
    run = make_run(tmp_path)
    labels = run.dataset.labels
    audit = audit_cells(run.cells[:1], run.store, labels[N:], labels[:N])
    text = write_page(run, tmp_path).read_text()
    assert 'id="papers"' not in text and 'id="audit"' not in text
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "paper-3.txt").write_text("WDHT, Table 3 <x>")
    text = write_page(replace(run, audit=audit), tmp_path / "gist").read_text()
    assert "WDHT, Table 3 &lt;x&gt;</pre>" in text
    assert 'id="audit"' in text and "Audit: mAP over the whole ranking" in text


def test_what_the_gallery_lacks_is_said(tmp_path):
    assert "has no images" in write_page(make_run(tmp_path / "a"), tmp_path).read_text()
    run = make_run(tmp_path / "b", images=Squares(), codes=False)
    assert "run again with --save-codes" in write_page(run, tmp_path).read_text()


@pytest.mark.parametrize("images", [None, Squares()])
def test_same_run_same_page(tmp_path, images):
    run = make_run(tmp_path, images=images)
    once = write_page(run, tmp_path).read_bytes()
    assert write_page(run, tmp_path).read_bytes() == once
