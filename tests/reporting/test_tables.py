"""Tables and the summary, against numbers worked out by hand."""

import io
import math
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import plain, to_csv, to_latex, to_markdown, to_text

from benchmark.errors import InputError
from benchmark.files import write_file
from benchmark.protocol.catalogue import format_value
from benchmark.reporting.comparison import comparison_table
from benchmark.reporting.order import best_first
from benchmark.reporting.pages import write_tables
from benchmark.reporting.winners import winner_lines, winners
from benchmark.store.record import CellResult, Value
from benchmark.store.seeds import summary_frame, write_summary

REASON = "ValueError: 100% of_it & [more] {x} <y>"


def cell(method, bits, seed, value=None, *, status="done", reason="", **more):
    metrics = {}
    if value is not None:
        metrics = {
            "mAP@all": Value(value, value - 0.01, value + 0.01),
            "empty@r2": Value(value / 2, value / 2, value / 2),
            "fit_seconds": Value(100 * value, 100 * value, 100 * value),
            "base_rate": Value(0.05, 0.05, 0.05),
        }
    return CellResult(
        "corel_5k", "gist", method, bits, seed, status, reason, metrics=metrics, **more
    )


@pytest.fixture
def cells():
    """Three methods, 12 and 24 bits, seeds 0 to 2.

    At 12 bits: lsh 0.10, 0.20, 0.30 (mean 0.2, deviation 0.1); wmh 0.30 twice, its seed 1 fails;
    sh 0.20001 thrice.  At 24 bits: lsh 0.5 thrice; wmh skipped; sh 0.25, 0.25, 0.40 (mean 0.3,
    deviation sqrt((0.05^2 + 0.05^2 + 0.1^2) / 2) = 0.0866).
    """
    seeds = range(3)
    return [
        *(cell("lsh", 12, s, v) for s, v in zip(seeds, (0.1, 0.2, 0.3), strict=True)),
        *(cell("lsh", 24, s, 0.5) for s in seeds),
        cell("wmh", 12, 0, 0.3, fidelity="reconstruction"),
        cell("wmh", 12, 1, status="failed", reason=REASON, fidelity="reconstruction"),
        cell("wmh", 12, 2, 0.3, fidelity="reconstruction"),
        *(
            cell("wmh", 24, s, status="skipped", reason="bits odd", fidelity="reconstruction")
            for s in seeds
        ),
        *(cell("sh", 12, s, 0.20001) for s in seeds),
        *(cell("sh", 24, s, v) for s, v in zip(seeds, (0.25, 0.25, 0.40), strict=True)),
    ]


@pytest.fixture
def table(cells):
    return comparison_table(cells, "mAP@all")


def entry(table, method, bits):
    row = next(row for row in table.rows if row.method == method)
    return row.entries[table.bits.index(bits)]


def test_means_deviations_and_seeds(table):
    assert [row.method for row in table.rows] == ["lsh", "sh", "wmh"]
    assert table.bits == (12, 24)
    lsh = entry(table, "lsh", 12)
    assert (lsh.mean, lsh.deviation, lsh.n_seeds) == (pytest.approx(0.2), pytest.approx(0.1), 3)
    assert entry(table, "sh", 24).deviation == pytest.approx(math.sqrt(0.0075))
    # Equal values give exactly their value and no deviation at all.
    assert (entry(table, "lsh", 24).mean, entry(table, "lsh", 24).deviation) == (0.5, 0.0)
    assert table.chance == 0.05


def test_ties_at_printed_precision_share_the_mark(table):
    """0.2 and 0.20001 both print as 0.2000, so both are first among the unsupervised."""
    assert [entry(table, m, 12).rank for m in ("lsh", "sh", "wmh")] == [1, 1, 1]
    assert [entry(table, m, 24).rank for m in ("lsh", "sh", "wmh")] == [1, 2, 0]


def test_a_method_competes_with_those_of_its_supervision_alone():
    values = {"itq": 0.3, "lsh": 0.2, "wdht": 0.5, "binary-tag": 0.4, "ksh": 0.9, "mine": 0.95}
    found = comparison_table([cell(m, 12, 0, v) for m, v in values.items()], "mAP@all")
    assert list(found.groups) == [
        "unsupervised",
        "from tags",
        "from labels",
        "supervision unknown",
    ]
    ranks = {row.method: row.entries[0].rank for row in found.rows}
    assert ranks == {"itq": 1, "lsh": 2, "wdht": 1, "binary-tag": 2, "ksh": 1, "mine": 1}
    assert winner_lines(found)[:2] == [
        "unsupervised: ITQ (itq) at 12 bits (0.3000)",
        "from tags: WDHT (wdht) at 12 bits (0.5000)",
    ]


def test_winners_change_with_the_length():
    values = {("itq", 12): 0.3, ("lsh", 12): 0.2, ("itq", 24): 0.3, ("lsh", 24): 0.4}
    values |= {("itq", 32): 0.5, ("lsh", 32): 0.5}
    found = comparison_table([cell(m, b, 0, v) for (m, b), v in values.items()], "mAP@all")
    (line,) = winner_lines(found)
    assert line == (
        "unsupervised: ITQ (itq) at 12 and 32 bits (0.3000, 0.5000); LSH (lsh) at 24 bits (0.4000)"
    )
    assert [w.id for w in winners(found)[2].beside] == ["lsh"]


def test_quantisers_and_reconstructions_are_said(table):
    metrics = dict.fromkeys(("mAP@all", "bytes_per_item"), Value(0.3, 0.3, 0.3))
    scored = CellResult("d", "f", "wsdhq", 12, 0, "done", metrics=metrics)
    found = comparison_table([cell("lsh", 12, 0, 0.1), scored], "mAP@all")
    assert "asymmetric search" in found.footnotes["1"] and found.rows[1].note == "1"
    assert "asymmetric" not in table.footnotes["1"]
    frame = pd.read_csv(io.StringIO(to_csv(found)), index_col="method")
    assert frame.loc["wsdhq", "search"] == "asymmetric" and frame.loc["lsh", "search"] == "Hamming"
    assert frame.loc["wsdhq", ["name", "supervision"]].tolist() == ["WSDHQ", "from tags"]
    assert frame.loc["wsdhq", "year"] == 2021


def test_four_lengths_fit_a_terminal_of_80_columns():
    methods = ("cca-itq-labels", "ksh", "wdht", "lsh")
    lengths, seeds = (12, 24, 32, 48), range(3)
    cells = [cell(m, b, s, 0.1 * s) for m in methods for b in lengths for s in seeds]
    grid = comparison_table(cells, "mAP@all").grid()
    assert max(map(len, plain.render_rows(grid))) > 80
    for colour in (False, True):
        lines = plain.render_rows(grid, width=80, colour=colour)
        visible = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
        assert max(map(len, visible)) <= 80
        assert any("CCA-ITQ-labels (cca-itq-labels) 2013" in line for line in visible)


def test_best_first_within_groups_whatever_the_order():
    values = {"itq": 0.3, "lsh": 0.4, "wdht": 0.5, "sh": 0.35}
    cells = [cell(m, b, s, v) for m, v in values.items() for b in (24, 12) for s in (1, 0)]
    cells.append(cell("pcah", 12, 0, status="failed", reason="x"))
    found = best_first(cells, "mAP@all")
    assert list(dict.fromkeys(c.method for c in found)) == ["lsh", "sh", "itq", "pcah", "wdht"]
    assert [(c.bits, c.seed) for c in found[:4]] == [(12, 0), (12, 1), (24, 0), (24, 1)]
    assert best_first(cells[::-1], "mAP@all") == found


def test_gaps_become_footnotes(table):
    assert table.rows[2].note == "1"
    assert table.footnotes == {
        "1": "reconstruction: the paper leaves parts of the method open",
        "2": f"mean over 2 of 3 seeds (seed 1 failed: {REASON})",
        "3": "skipped: bits odd",
    }
    assert (entry(table, "wmh", 12).note, entry(table, "wmh", 12).n_seeds) == ("2", 2)
    assert (entry(table, "wmh", 24).note, entry(table, "wmh", 24).mean) == ("3", None)


def test_missing_cells_and_metrics_are_explained():
    cells = [
        cell("lsh", 12, 0, 0.1),
        cell("lsh", 12, 1, float("nan")),
        cell("itq", 24, 0, 0.2),
        cell("itq", 24, 1, 0.2),
    ]
    table = comparison_table(cells, "mAP@all")
    assert table.footnotes == {
        "1": "mean over 1 of 2 seeds (seed 1 not measured)",
        "2": "not run",
    }
    assert entry(table, "lsh", 12).deviation is None
    assert entry(table, "lsh", 24).note == entry(table, "itq", 12).note == "2"


def test_rankings_by_score_have_no_hamming_ball():
    scored = CellResult("corel_5k", "gist", "pq", 12, 0, "done")
    scored.metrics.update({"mAP@all": Value(0.3, 0.3, 0.3)})
    table = comparison_table([cell("lsh", 12, 0, 0.1), scored], "empty@r2")
    assert entry(table, "pq", 12).mean is None
    assert table.footnotes == {"1": "ranked by score: no Hamming radius"}
    assert entry(comparison_table([cell("lsh", 12, 0, 0.1), scored], "mAP@all"), "pq", 12).rank == 1


def test_the_same_reason_has_one_number():
    cells = [
        cell(f"m{i}", 12, 0, status="skipped", reason=f"reason {i // 2}") for i in range(2 * 28)
    ]
    numbers = list(comparison_table(cells, "mAP@all").footnotes)
    assert numbers == [str(i) for i in range(1, 29)]


def test_costs_and_empty_balls_are_not_ranked_and_have_no_chance_level(cells):
    for metric in ("fit_seconds", "empty@r2"):
        table = comparison_table(cells, metric)
        assert not table.ranked and table.chance is None
        assert {e.rank for row in table.rows for e in row.entries} == {0}
        assert "**" not in to_markdown(table) and "base rate" not in to_text(table)


def test_caption_says_what_was_done(cells, table):
    for part in ("corel_5k", "gist", "3 seeds", "expectation", "whole ranking"):
        assert part in table.caption
    by_index = comparison_table(cells, "mAP@all", ties="index").caption
    assert "order of the database" in by_index and "expectation" not in by_index
    assert "ties" not in comparison_table(cells, "fit_seconds").caption
    assert "one seed (7)" in comparison_table([cell("lsh", 12, 7, 0.1)], "mAP@all").caption


def test_bad_input_is_one_clear_line(cells):
    with pytest.raises(InputError, match=r"no cell has the metric 'mAP@7': they have .*mAP@all"):
        comparison_table(cells, "mAP@7")
    with pytest.raises(InputError, match="no cells"):
        comparison_table([], "mAP@all")


def test_text(table):
    lines = to_text(table).splitlines()
    assert lines[2].split() == ["Method", "12", "bits", "24", "bits"]
    assert lines[4] == "unsupervised" and lines[7] == "from tags"
    lsh, sh, wmh = lines[5].split(), lines[6].split(), lines[8].split()
    assert lsh[:3] == ["LSH", "(lsh)", "2002"] and wmh[:3] == ["WMH", "(wmh)", "2018"]
    assert lsh[3:] == ["0.2000", "±", "0.1000*", "0.5000", "±", "0.0000*"]
    assert sh[3:] == ["0.2000", "±", "0.0000*", "0.3000", "±", "0.0866+"]
    assert wmh[3:] == ["(1)", "0.3000", "±", "0.0000*", "(2)", "–", "(3)"]
    assert lines[10].split() == ["base", "rate", "0.0500", "0.0500"]
    starts = [line.index("0.2000") for line in (lines[5], lines[6])]
    assert starts == [lines[8].index("0.3000"), lines[10].index("0.0500")]
    assert "(3) skipped: bits odd" in lines


def test_text_in_colour_differs_in_the_marks_alone(table):
    plain, colour = to_text(table), to_text(table, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1m0.3000\x1b[0m" in colour and "\x1b[4m0.3000\x1b[0m" in colour

    def numbers(text):
        grid = re.sub(r"\x1b\[\dm", "", text).splitlines()[4:11]
        return re.findall(r"[\d.]+", " ".join(grid))

    assert numbers(colour) == numbers(plain)


def test_markdown(table):
    lines = to_markdown(table).splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|")]
    assert {len(row) for row in rows} == {3}
    body = [[part.strip() for part in row] for row in rows]
    assert body[2] == ["*unsupervised*", "", ""]
    assert body[3] == ["LSH (lsh) 2002", "**0.2000** ± 0.1000", "**0.5000** ± 0.0000"]
    name = "WMH (wmh) 2018<sup>(1)</sup>"
    assert body[6] == [name, "**0.3000** ± 0.0000<sup>(2)</sup>", "–<sup>(3)</sup>"]
    assert body[-1] == ["base rate", "0.0500", "0.0500"]
    assert "<sup>(3)</sup> skipped: bits odd" in lines
    assert r"100% of_it \& \[more\] {x} \<y\>" in to_markdown(table)
    assert lines[0] == "### mAP@all on corel_5k, gist features"


def test_csv_gives_back_the_numbers(table):
    frame = pd.read_csv(io.StringIO(to_csv(table)), index_col="method")
    assert list(frame.index) == ["lsh", "sh", "wmh", "base rate"]
    for row in table.rows:
        for bits, e in zip(table.bits, row.entries, strict=True):
            assert frame.loc[row.method, f"{bits} bits seeds"] == e.n_seeds
            for column, value in (
                (f"{bits} bits", e.mean),
                (f"{bits} bits deviation", e.deviation),
            ):
                found = frame.loc[row.method, column]
                assert (
                    math.isnan(found) if value is None else found == pytest.approx(value, rel=1e-14)
                )
    assert frame.loc["base rate", "24 bits"] == 0.05
    assert "24 bits: skipped: bits odd" in frame.loc["wmh", "notes"]
    assert REASON in frame.loc["wmh", "notes"]


def test_latex(table):
    text = to_latex(table)
    assert r"LSH (lsh) 2002 & \textbf{0.2000}\,{\scriptsize$\pm$\,0.1000} & \textbf{0.5000}" in text
    assert r"\multicolumn{3}{l}{\emph{from tags}} \\" in text
    assert r"\textsuperscript{(3)}" in text and r"--\textsuperscript{(3)} \\" in text
    escaped = r"100\% of\_it \& {[}more{]} \{x\} \textless{}y\textgreater{}"
    assert escaped in text and r"corel\_5k" in text
    assert r"base rate & 0.0500 & 0.0500 \\" in text


def test_latex_is_well_formed(table):
    text = to_latex(table)
    bare = re.sub(r"\\[{}&%$_#]", "", text)
    assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    opened = []
    for verb, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if verb == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    rows = [line for line in bare.splitlines() if line.endswith(r"\\")]
    titles = [row for row in rows if "multicolumn" in row]
    assert len(rows) == 7 and len(titles) == 2
    assert {row.count("&") for row in rows if row not in titles} == {2}
    # A row that begins with a bracket would be read as the length of a gap.
    assert not re.search(r"\\\\\s*\[", text)


@pytest.mark.parametrize(
    ("character", "command"),
    [("\\", r"\textbackslash{}"), ("^", r"\textasciicircum{}"), ("~", r"\textasciitilde{}")],
)
def test_latex_escapes_without_escaping_its_own_escapes(character, command):
    table = comparison_table([cell(f"a{character}b", 12, 0, 0.1)], "mAP@all")
    assert f"a{command}b & " in to_latex(table)


def test_all_skipped():
    cells = [
        cell(m, b, 0, status="skipped", reason="no tags") for m in ("a", "b") for b in (12, 24)
    ]
    table = comparison_table(cells, "mAP@all")
    assert table.chance is None and table.footnotes == {"1": "skipped: no tags"}
    assert to_text(table).count("–") == 4
    assert to_markdown(table).count("–<sup>(1)</sup>") == 4
    assert to_latex(table).count(r"--\textsuperscript{(1)}") == 4
    assert pd.read_csv(io.StringIO(to_csv(table)))["12 bits"].isna().all()


def test_one_method_is_not_called_the_best():
    table = comparison_table([cell("lsh", 12, 0, 0.1)], "mAP@all")
    assert not table.ranked and "**" not in to_markdown(table)


def test_numbers_are_printed_with_sensible_digits():
    assert format_value("mAP@5000", 0.123456) == "0.1235"
    seconds = [format_value("fit_seconds", v) for v in (0.01234, 1.234, 12.34, 1234.5)]
    assert seconds == ["0.0123", "1.23", "12.3", "1234"]
    assert format_value("peak_mb", 3.14159, like=250.0) == "3"


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_marks_follow_the_printed_numbers(values):
    """Independent rule: rank is 1 + the number of distinct greater printed values, up to 2."""
    cells = [cell(f"m{i}", 12, 0, value) for i, value in enumerate(values)]
    table = comparison_table(cells, "mAP@all")
    printed = [f"{value:.4f}" for value in values]
    for text, row in zip(printed, table.rows, strict=True):
        greater = len({other for other in printed if other > text})
        assert row.entries[0].rank == (greater + 1 if greater < 2 else 0)


def test_write_tables(cells, tmp_path):
    tables = [comparison_table(cells, metric) for metric in ("mAP@all", "fit_seconds")]
    page, *_ = write_tables(cells, tables, tmp_path / "tables")
    names = sorted(p.name for p in page.parent.iterdir())
    stems = ("fit_seconds", "mAP@all")
    assert names == ["all.md", *(f"{s}.{x}" for s in stems for x in ("csv", "md", "tex", "txt"))]
    text = page.read_text(encoding="utf-8")
    assert re.findall("^#+ .*", text, re.M) == [
        "# corel_5k, gist features",
        "## mAP@all",
        "## Training time in seconds, as if nothing were shared with other cells",
    ]
    assert "Cells: 14 done, 3 skipped, 1 failed." in text and "0.0500" in text
    assert text.count("| Method |") == 2


def test_file_names_are_safe(cells, tmp_path):
    odd = next(c for c in cells if c.status == "done")
    odd.metrics["a/b: c"] = Value(1.0, 1.0, 1.0)
    write_tables(cells, [comparison_table(cells, "a/b: c")], tmp_path)
    assert (tmp_path / "a_b__c.md").is_file()


def test_summary_columns_and_rows(cells):
    frame = summary_frame(cells)
    assert ",".join(frame.columns) == (
        "dataset,features,method,bits,seed,status,metric,value,low,high"
    )
    assert len(frame) == 14 * 4 + 4
    failed = frame[frame.status == "failed"]
    assert list(failed.seed) == [1]
    assert failed[["metric", "value", "low", "high"]].isna().all(axis=None)
    assert list(summary_frame([]).columns) == list(frame.columns)


def test_summary_file_keeps_all_digits(tmp_path):
    value = 0.1 + 0.2
    write_summary([cell("wdht[a=1,b=2]", 12, 0, value)], tmp_path / "deep" / "summary.csv")
    lines = (tmp_path / "deep" / "summary.csv").read_text().splitlines()
    assert lines[1] == (
        f'corel_5k,gist,"wdht[a=1,b=2]",12,0,done,mAP@all,{value!r},{value - 0.01!r},'
        f"{value + 0.01!r}"
    )


def test_empty_fields_in_the_summary_file(tmp_path):
    write_summary([cell("sh", 12, 0, status="skipped", reason="x")], tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text().splitlines()[1] == "corel_5k,gist,sh,12,0,skipped,,,,"


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x.txt"
    write_file(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_file(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]
