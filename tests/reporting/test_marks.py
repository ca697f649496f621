"""What stands out in a tested table, and how it is shown."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import to_csv, to_latex, to_markdown, to_text

from benchmark.reporting.comparison import comparison_table
from benchmark.reporting.marks import (
    best_is_separated,
    column_ranks,
    describe_separation,
)
from benchmark.reporting.pages import write_tables, write_tests
from benchmark.significance.bootstrap import bootstrap_interval
from benchmark.significance.evidence import Significance, significance_of
from benchmark.significance.pairwise import PairwiseTests
from benchmark.store.record import CellResult, Value
from benchmark.store.store import Store

METHODS = ("top", "near", "low", "gone")


def comparison(means, significant, methods=METHODS[:3]):
    """All pairs of (position, position) in `significant` differ, the others do not."""
    p = np.ones((len(means), len(means)))
    for i, j in significant:
        p[i, j] = p[j, i] = 0.001
    means = np.array(means)
    return PairwiseTests(methods, means, means[:, None] - means, p)


def test_what_is_not_significantly_worse_than_the_best_stands_beside_it():
    tested = comparison([0.5, 0.49, 0.3], [(0, 2), (1, 2)])
    assert column_ranks(METHODS, [0.5, 0.49, 0.3, None], tested) == [1, 1, 2, 0]


def test_second_is_underlined_only_where_it_is_significantly_worse():
    tested = comparison([0.5, 0.49, 0.3], [(0, 1), (0, 2)])
    assert column_ranks(METHODS[:3], [0.5, 0.49, 0.3], tested) == [1, 2, 0]


def test_only_methods_of_the_group_compete():
    """Without the best of all, the next is the best, and the tests are corrected for fewer."""
    p = np.array([[1, 0.001, 0.001], [0.001, 1, 0.04], [0.001, 0.04, 1]])
    means = np.array([0.5, 0.4, 0.3])
    differences = means[:, None] - means
    corrected = np.where(p < 0.04, 3 * p, np.minimum(3 * p, 1))
    tested = PairwiseTests(METHODS[:3], means, differences, corrected, uncorrected=p)
    assert not tested.is_better("near", "low")
    assert tested.among(["near", "low"]).is_better("near", "low")
    assert column_ranks(["near", "low"], [0.4, 0.3], tested) == [1, 2]
    assert column_ranks(["low"], [0.3], tested) == [1]


def test_equal_as_printed_but_significantly_worse_is_not_the_best():
    """A method may be worse in every query by less than is printed."""
    tested = comparison([0.50001, 0.5], [(0, 1)], METHODS[:2])
    assert column_ranks(METHODS[:2], [0.5, 0.5], tested) == [1, 2]


def test_method_without_values_per_query_is_compared_as_printed():
    tested = comparison([0.5, 0.3], [(0, 1)], ("top", "low"))
    assert column_ranks(("top", "near", "low"), [0.5, 0.49, 0.3], tested) == [1, 2, 0]
    assert column_ranks(("top", "near", "low"), [0.5, 0.51, 0.3], tested) == [2, 1, 0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_untested_columns_mark_what_prints_the_same(values):
    printed = [round(value, 1) for value in values]
    ranks = column_ranks([f"m{i}" for i in range(len(values))], printed, None)
    distinct = sorted(set(printed), reverse=True)
    assert ranks == [min(distinct.index(v) + 1, 3) % 3 for v in printed]


def test_gap_between_best_and_second():
    tested = comparison([0.5, 0.49, 0.3], [(0, 1), (0, 2)])
    assert best_is_separated(METHODS, [0.5, 0.49, 0.3, None], tested)
    tested = comparison([0.5, 0.49, 0.3], [(0, 2)])
    assert not best_is_separated(METHODS, [0.5, 0.49, 0.3, None], tested)


def test_gap_in_words():
    lengths = (12, 24, 32, 48)
    assert "at 12 and 24 bits, not at 32 and 48 bits." in describe_separation(lengths, (12, 24))
    assert "at 12, 24 and 32 bits, not at 48 bits." in describe_separation(lengths, (12, 24, 32))
    assert describe_separation(lengths, lengths).endswith("at every code length.")
    assert describe_separation(lengths, ()).startswith("At no code length")
    text = describe_separation(lengths, (12,), "from tags")
    assert text.startswith("The best from tags is significantly better than the second at 12 bits")


@pytest.fixture
def stored(tmp_path):
    """Three methods at two lengths and two seeds: near is like top at 12 bits, worse at 24."""
    rng = np.random.default_rng(0)
    hard = rng.random(200)
    store, cells = Store(tmp_path), []
    gains = {"top": (0.3, 0.3), "near": (0.299, 0.2), "low": (0.0, 0.1)}
    for method, by_length in gains.items():
        for bits, gain in zip((12, 24), by_length, strict=True):
            for seed in range(2):
                values = 0.5 * hard + gain + rng.normal(0, 0.05, 200)
                mean = Value(*[float(values.mean())] * 3)
                metrics = {"mAP@all": mean, "base_rate": mean._replace(value=0.1)}
                folder = f"d/{method}/{bits}b-s{seed}-x"
                place = ("d", "f", method, bits, seed, "done")
                cells.append(CellResult(*place, folder=folder, metrics=metrics))
                store.write(cells[-1], {}, {"profile": {"query:mAP@all": values}})
    return cells, store


@pytest.fixture
def table(stored):
    significance = significance_of(*stored, ["mAP@all"])["mAP@all"]
    return comparison_table(stored[0], "mAP@all", significance=significance)


def test_stored_values_of_each_query_are_read_back(stored):
    cells, store = stored
    values = store.per_query(cells[0].folder)
    assert list(values) == ["mAP@all"] and values["mAP@all"].shape == (200,)
    assert values["mAP@all"].mean() == cells[0].metrics["mAP@all"].value
    assert store.per_query("d/nothing/here") == {}


def test_every_column_is_compared(stored, table):
    assert sorted(table.tests) == [12, 24]
    assert table.tests[12].methods == ("top", "near", "low")
    assert [[e.rank for e in row.entries] for row in table.rows] == [[1, 1], [1, 2], [2, 0]]
    (sentence,) = table.separations
    assert "second at 24 bits, not at 12 bits." in sentence


def test_one_training_each_is_said_and_nothing_called_significant(stored):
    cells, store = stored
    once = [c for c in cells if c.seed == 0]
    significance = significance_of(once, store, ["mAP@all"])["mAP@all"]
    assert significance.tests == {} and set(significance.untested) == {12, 24}
    table = comparison_table(once, "mAP@all", significance=significance)
    for text in (to_text(table), to_markdown(table), to_latex(table)):
        assert "Not tested for significance: one training each." in " ".join(text.split())
    # A method that was trained once stands beside two that were trained twice, untested.
    kept = [c for c in cells if c.seed == 0 or c.method != "low"]
    found = significance_of(kept, store, ["mAP@all"])
    assert found["mAP@all"].tests[12].methods == ("top", "near")
    assert found["mAP@all"].untested == {} and ("low", 12) in found["mAP@all"].intervals


def test_cells_that_are_not_done_and_lone_methods_are_not_compared(stored):
    cells, store = stored
    kept = [c for c in cells if c.method == "top" or c.bits == 24]
    found = significance_of(kept, store, ["mAP@all"])
    assert list(found["mAP@all"].tests) == [24]
    assert set(found["mAP@all"].intervals) == {("top", 12), ("top", 24), ("near", 24), ("low", 24)}
    skipped = [CellResult("d", "f", m, 12, 0, "skipped") for m in "ab"]
    assert significance_of(skipped, store, ["mAP@all"]) == {"mAP@all": Significance()}


def test_markdown_shows_no_letters(table):
    text = to_markdown(table)
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    assert {len(row) for row in rows} == {3}
    assert [row[0] for row in rows[2:]] == ["top", "near", "low", "base rate"]
    assert re.fullmatch(r"\*\*0.\d{4}\*\* ± 0.\d{4}", rows[2][2])
    assert re.fullmatch(r"<ins>0.\d{4}</ins> ± 0.\d{4}", rows[3][2])
    assert "not significantly worse" in text and "level 0.05" in text
    assert "significantly better than the second at 24 bits, not at 12 bits." in text


def test_terminal_says_which_gap_is_significant(table):
    lines = to_text(table).splitlines()
    assert lines[4].split()[0] == "top" and lines[4].count("*") == 2
    assert lines[5].count("*") == 1 and lines[5].count("+") == 1
    assert "second at 24 bits, not at 12 bits." in " ".join(" ".join(lines).split())


def test_csv_has_the_ranks_and_a_file_of_its_own_every_pair(table, tmp_path):
    frame = pd.read_csv(io.StringIO(to_csv(table)), index_col="method", keep_default_na=False)
    assert frame["24 bits rank"].tolist() == ["1", "2", "", ""]
    assert frame.loc["base rate", "24 bits"] == pytest.approx(0.1)
    pairs = pd.read_csv(write_tests(table, tmp_path / "t.csv")).set_index(
        ["bits", "method", "other"]
    )
    assert len(pairs) == 2 * 3 * 2
    assert pairs.loc[(24, "top", "near"), "better"] == "yes"
    assert pairs.loc[(24, "near", "top"), "better"] == "no"
    assert pairs.loc[(12, "top", "near"), "better"] == "no"
    means = frame["24 bits"].astype(float)
    found = pairs.loc[(24, "top", "low"), "difference"]
    assert found == pytest.approx(means["top"] - means["low"])
    tests = table.tests[24]
    assert pairs.loc[(24, "low", "near"), "p_value"] == tests.p_values[2, 1]


def test_csv_has_the_interval_of_each_mean(table, stored):
    frame = pd.read_csv(io.StringIO(to_csv(table)), index_col="method")
    values = np.stack([stored[1].per_query(f"d/near/24b-s{seed}-x")["mAP@all"] for seed in (0, 1)])
    low, high = frame.loc["near", ["24 bits low", "24 bits high"]]
    assert (low, high) == pytest.approx(tuple(bootstrap_interval(values)))
    assert low < frame.loc["near", "24 bits"] < high
    assert frame.loc["base rate", ["24 bits low", "24 bits high"]].isna().all()
    assert "low" not in to_csv(comparison_table(stored[0], "mAP@all")).splitlines()[0]


def test_page_says_once_what_the_marks_mean(stored, table, tmp_path):
    page, *_ = write_tables(stored[0], [table], tmp_path / "tables")
    text = page.read_text(encoding="utf-8")
    assert text.count("paired bootstrap over queries and trainings") == 1
    assert "at 24 bits, not at 12 bits." in text


def test_without_tests_nothing_is_claimed(stored):
    table = comparison_table(stored[0], "mAP@all")
    for text in (to_text(table), to_markdown(table), to_latex(table), to_csv(table)):
        assert "ignifican" not in text and "letter" not in text.lower()
