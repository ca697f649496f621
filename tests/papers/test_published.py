"""The published numbers: all there, as printed, and found from a clone or an installation."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.errors import InputError
from benchmark.papers.index import INDEX, published_folder, read_index
from benchmark.papers.published import published_tables
from benchmark.protocol.protocol import find_protocol

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "results" / "published"


def read(name):
    with open(FOLDER / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def all_parts():
    return [part for table_id in read_index().tables for part in published_tables(table_id)]


def test_shapes_of_the_tables_as_printed():
    nus, mir, paper = "NUS-WIDE", "MIR-FLICKR25K", (12, 24, 32, 48)
    printed = {
        "2": [(nus, 3, paper)],
        "3": [(nus, 12, paper), (mir, 12, paper), (nus, 2, paper), (mir, 2, paper)],
        "4": [(nus, 12, paper), (mir, 12, paper)],
        "ijcai-2": [(nus, 6, (8, 16, 32, 64))],
        "wsdhq": [(nus, 3, (8, 16, 24, 32)), (mir, 3, (8, 16, 24, 32))],
    }
    for table_id, shapes in printed.items():
        parts = published_tables(table_id)
        assert [(part.dataset, len(part.rows), part.bits) for part in parts] == shapes
        assert all(tuple(row.values) == part.bits for part in parts for row in part.rows)


@pytest.mark.parametrize(
    ("table_id", "dataset", "variant", "bits", "value"),
    [
        ("2", "NUS-WIDE", "wdht[aggregation=tf]", 24, 0.6836),
        ("3", "NUS-WIDE", "wdht", 12, 0.6258),
        ("3", "MIR-FLICKR25K", "dsh", 24, 0.6593),
        ("4", "MIR-FLICKR25K", "binary-tag", 48, 0.6352),
        ("4", "NUS-WIDE", "agh", 12, 0.6551),
        ("ijcai-2", "NUS-WIDE", "ksh[labels=tags]", 8, 0.1263),
        ("ijcai-2", "NUS-WIDE", "wp-drsch[finetune=false]", 32, 0.5550),
        ("wsdhq", "NUS-WIDE", "wsdhq", 8, 0.7167),
        ("wsdhq", "MIR-FLICKR25K", "wsdhq", 32, 0.7665),
    ],
)
def test_single_numbers_read_off_the_papers(table_id, dataset, variant, bits, value):
    table = next(t for t in published_tables(table_id) if t.dataset == dataset)
    assert table.row(variant).values[bits] == value


def test_starred_rows_have_their_own_setting():
    small = published_tables("3")[2:]
    assert [t.variants for t in small] == [("wmh", "wdht")] * 2
    assert small[0].row("wmh").printed == {12: "0.299", 24: "0.306", 32: "0.307", 48: "0.309"}
    assert small[1].row("wdht").values[24] == 0.6355
    assert {(t.source, t.sizes.train, t.about) for t in small} == {
        ("nuswide[setting=wmh]", 5000, "the setting of the starred rows"),
        ("mirflickr25k[setting=wmh]", 5000, "the setting of the starred rows"),
    }
    assert "copied" in small[0].row("wmh").incomparable


def test_percent_becomes_a_fraction_and_the_digits_stay():
    (table,) = published_tables("ijcai-2")
    row = table.row("wp-ksh[finetune=false]")
    assert row.printed[8] == "0.4064" and row.values[8] == 0.4064
    assert table.row("wp-drsch[finetune=false]").printed[32] == "0.5550"
    for line in read("ijcai-table2.csv"):
        assert line["unit"] == "percent"


def test_every_value_is_a_fraction():
    rows = [row for part in all_parts() for row in part.rows]
    assert rows and all(0 < value < 1 for row in rows for value in row.values.values())


def test_every_file_is_of_a_table_and_read_whole():
    """But for the notes, and for the statistics of data sets in Table 1 of IJCAI 2018."""
    index = read_index()
    files = {table.file for table in index.tables.values()}
    assert {p.name for p in FOLDER.glob("*.csv")} - files == {"notes.csv", "ijcai-table1.csv"}
    for table in index.tables.values():
        shown = sum(len(row.values) for p in published_tables(table.id) for row in p.rows)
        settings = {(part.dataset, part.setting) for part in table.parts}
        lines = [li for li in read(table.file) if (li["dataset"], li["setting"]) in settings]
        assert shown == len(lines) > 0


def test_metrics_are_of_the_protocols():
    for part in all_parts():
        assert part.metric in find_protocol(part.protocol).map_names


def test_oddities_of_the_papers_are_where_the_notes_say():
    """Table 2 equals Table 4 but at 48 bits, where it repeats a number of another data set."""
    (two,), three, four = (published_tables(i) for i in ("2", "3", "4"))
    mean, wdht = two.row("wdht"), four[0].row("wdht")
    same = [bits for bits in two.bits if mean.values[bits] == wdht.values[bits]]
    assert same == [12, 24, 32]
    assert mean.values[48] == three[1].row("wdht").values[48] == 0.6621
    assert "0.676" in mean.notes[48] and list(mean.notes) == [48]
    sph = four[0].row("sph")
    assert sph.values[12] == sph.values[24] and list(sph.notes) == [12, 24]
    (ijcai,) = published_tables("ijcai-2")
    gains = [
        ijcai.row(f"wp-{name}[finetune=false]").values[b] - ijcai.row(other).values[b]
        for name, other in (
            ("ksh", "ksh[labels=tags]"),
            ("dsh", "deep-dsh[labels=tags]"),
            ("drsch", "drsch[labels=tags]"),
        )
        for b in ijcai.bits
    ]
    assert min(gains) == pytest.approx(0.2746)


def test_every_note_is_shown_with_a_table():
    for note in read("notes.csv"):
        parts = [t for t in published_tables(note["table"]) if t.dataset == note["dataset"]]
        rows = [row for part in parts for row in part.rows if note["row"] in ("", row.name)]
        shown = [part.note for part in parts] + [
            text for row in rows for text in (row.note, row.incomparable, *row.notes.values())
        ]
        assert any(note["note"] in text for text in shown)


def test_unknown_table():
    with pytest.raises(InputError, match=r"no published table '5': give 2, 3, "):
        published_tables("5")


@pytest.fixture
def broken(tmp_path):
    """Copy the published numbers and replace something in one of the files; read a table."""

    def read_table(table_id, name, old, new):
        folder = tmp_path / "published"
        shutil.copytree(FOLDER, folder)
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new, 1))
        return published_tables(table_id, read_index(folder))

    return read_table


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"dataset,setting", b"data,setting", "the first line must be dataset,setting,metric,"),
        (b"WDHT-tf,24,0.6836", b"WDHT-tf,24,o.6836", "line 7: value must be a number"),
        (b"WDHT-tf,24,0.6836", b"WDHT-tf,24,nan", "line 7: value must be a number"),
        (b"WDHT-tf,24,", b"WDHT-tf,2.4,", "line 7: bits must be a whole number above 0"),
        (b"WDHT-tf,24,", b"WDHT-tf,12,", "line 7: an earlier line has the same data set, row"),
        (b"0.6836,fraction", b"0.6836,permille", "line 7: unit must be fraction or percent"),
        (b"0.6836,fraction", b"0.6836", "line 7: 7 fields are needed, not 6"),
        (b"WDHT-tf,24,", b"WDHT-tff,24,", "the methods of the paper do not say what 'WDHT-tff' is"),
        (b"mAP@5000,WDHT-tf,24", b"mAP@50,WDHT-tf,24", "not mAP@50, mAP@5000"),
        (b"WDHT-itf", b"\xff", "is not a valid CSV file"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_file(broken, old, new, complaint):
    with pytest.raises(InputError) as error:
        broken("2", "wdht-table2.csv", old, new)
    assert complaint in str(error.value) and "\n" not in str(error.value)
    assert "wdht-table2.csv" in str(error.value)


def test_a_metric_that_the_protocol_does_not_have(broken):
    with pytest.raises(InputError, match=r"one metric of the protocol trec \(mAP@1000, mAP@all\)"):
        broken("2", INDEX, b'protocol = "wdht"', b'protocol = "trec"')


def test_a_part_without_numbers(broken):
    with pytest.raises(InputError, match="NUS-WIDE in the setting 'wmdt': there is no line"):
        broken("2", INDEX, b'setting = "wdht"', b'setting = "wmdt"')


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"2,NUS-WIDE,,,remark", b"2,NUS-WIDE,,,rebuke", "line 2: kind must be remark or"),
        (b"2,NUS-WIDE,WDHT-mean,48,", b"2,NUS-WIDE,WDHT-mean,47,", "line 3: table 2 has no such"),
        (b"2,NUS-WIDE,WDHT-mean,48,", b"2,NUS-WIDE,WDHT,48,", "line 3: table 2 has no such"),
        (b"2,NUS-WIDE,,,", b"2,NUSWIDE,,,", "line 2: table 2 has no such data set, row or bits"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_note(broken, old, new, complaint):
    with pytest.raises(InputError, match=complaint):
        broken("2", "notes.csv", old, new)


def test_clone_reads_its_own_files():
    assert published_folder() == FOLDER


CODE = """
from benchmark.cli import main
from benchmark.papers.index import published_folder
from benchmark.papers.published import published_tables
print(published_folder(), published_tables("3")[0].row("itq").values[12])
main(["--list", "papers"])
"""


def test_installed_wheel_finds_the_numbers(tmp_path):
    """Built from the committed and new files alone, then installed with pip's --target."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source, installed = tmp_path / "source", tmp_path / "installed"
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if files.returncode:
        pytest.skip("not a git clone")
    for name in files.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    install = [*pip, "install", "--no-deps", "--no-build-isolation", "--no-compile"]
    subprocess.run([*install, "--target", installed, source], check=True)
    answer = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        # In front of what an editable installation of the clone adds to the path.
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    (folder, value), *listed = map(str.split, answer.stdout.splitlines())
    assert Path(folder).is_relative_to(installed) and value == "0.5295"
    published = {path.name for path in FOLDER.iterdir()} - {"README.md"}
    assert {path.name for path in Path(folder).iterdir()} == published
    index = read_index()
    assert [words[1] for words in listed] == [*index.tables, *index.figures]
