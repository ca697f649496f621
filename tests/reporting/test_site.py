"""The site of many reports: ranks within groups, links that lead somewhere."""

from __future__ import annotations

import re
from itertools import chain

from benchmark.protocol.protocol import PRESETS
from benchmark.reporting.report import make_report
from benchmark.reporting.site import standings, write_site
from benchmark.store.record import CellResult, Value
from benchmark.store.store import Store


def report(tmp_path, dataset, values):
    cells = [
        CellResult(dataset, "gist", method, bits, 0, "done", metrics={"mAP@all": Value(v, v, v)})
        for (method, bits), v in values.items()
    ]
    return make_report(cells, Store(tmp_path), PRESETS["wp-ijcai2018"], None)


def reports(tmp_path):
    one = {("itq", 8): 0.5, ("lsh", 8): 0.4, ("wdht", 8): 0.9, ("sh", 8): 0.3}
    one |= {("itq", 16): 0.5, ("lsh", 16): 0.6, ("wdht", 16): 0.9}
    other = {("itq", 8): 0.7, ("lsh", 8): 0.7, ("wdht", 8): 0.1, ("wmh[x=<b>]", 8): 0.2}
    return [report(tmp_path, "corel", one), report(tmp_path, "demo[n=5]", other)]


def test_ranks_are_among_the_methods_of_a_group(tmp_path):
    columns, groups = standings([r.main for r in reports(tmp_path)])
    assert [(c.dataset, c.bits) for c in columns] == [("corel", 8), ("corel", 16), ("demo[n=5]", 8)]
    assert list(groups) == ["unsupervised", "from tags"]
    found = {one.method.id: list(one.ranks.values()) for one in chain(*groups.values())}
    assert found == {"itq": [1, 2, 1], "lsh": [2, 1, 1], "sh": [3], "wdht": [1, 1, 2],
                     "wmh[x=<b>]": [1]}  # fmt: skip
    assert [one.method.id for one in groups["unsupervised"]] == ["itq", "lsh", "sh"]
    assert groups["unsupervised"][0].firsts == 2


def test_every_link_leads_to_a_page_and_nowhere_else(tmp_path):
    paths = write_site(reports(tmp_path), tmp_path / "site")
    names = {path.name for path in paths}
    assert len(names) == len(paths) == 1 + 2 + 5
    for path in paths:
        text = path.read_text()
        assert "default-src 'none'" in text and "<script" not in text and "<b>]" not in text
        for address in re.findall(r'(?:href|src)="([^"]*)"', text):
            assert address in names or address == "data:,", address
    assert "0.9000" in (tmp_path / "site" / "method-wdht.html").read_text()
    assert "corel" not in re.sub("<nav.*?</nav>", "", (
        tmp_path / "site" / "data-demo_n_5_-gist.html").read_text(), flags=re.DOTALL)  # fmt: skip
