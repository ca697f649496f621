"""The published numbers: all there, as printed, and found from a clone or an installation."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.datasets import datasets
from benchmark.errors import InputError
from benchmark.papers.published import TABLE_IDS, published_folder, published_tables
from benchmark.protocol.protocol import find_protocol

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "results" / "published"


def read(name):
    with open(FOLDER / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_ids_shapes_and_order_of_rows():
    shapes = {i: [(t.dataset, len(t.rows), t.bits) for t in published_tables(i)] for i in TABLE_IDS}
    nus, mir, paper = "NUS-WIDE", "MIR-FLICKR25K", (12, 24, 32, 48)
    assert shapes == {
        "2": [(nus, 3, paper)],
        "3": [(nus, 12, paper), (mir, 12, paper), (nus, 2, paper), (mir, 2, paper)],
        "4": [(nus, 12, paper), (mir, 12, paper)],
        "ijcai-2": [(nus, 6, (8, 16, 32, 64))],
        "wsdhq": [(nus, 3, (8, 16, 24, 32)), (mir, 3, (8, 16, 24, 32))],
    }
    for table_id in TABLE_IDS:
        for table in published_tables(table_id):
            assert all(tuple(row.values) == table.bits for row in table.rows)


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
    assert {t.source for t in small} == {
        "nuswide[setting=wmh]",
        "mirflickr25k[setting=wmh]",
    }
    assert "copied" in small[0].row("wmh").incomparable


def test_percent_becomes_a_fraction_and_the_digits_stay():
    (table,) = published_tables("ijcai-2")
    row = table.row("wp-ksh[finetune=false]")
    assert row.printed[8] == "40.64" and row.values[8] == 0.4064
    for line in read("ijcai-table2.csv"):
        assert line["unit"] == "percent"


def test_every_value_is_a_fraction():
    for table_id in TABLE_IDS:
        for table in published_tables(table_id):
            for row in table.rows:
                assert all(0.1 < value < 0.8 for value in row.values.values())


def test_number_of_printed_values():
    counts = {p.name: len(read(p.name)) for p in FOLDER.glob("*-table*.csv")}
    assert counts == {
        "wdht-table2.csv": 12,
        "wdht-table3.csv": 112,
        "wdht-table4.csv": 96,
        "ijcai-table1.csv": 16,
        "ijcai-table2.csv": 24,
    }


def test_protocols_metrics_and_data_sets_are_ours():
    for table_id in TABLE_IDS:
        for table in published_tables(table_id):
            assert table.metric in find_protocol(table.protocol).map_names
            datasets.parse(table.source)


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


def test_every_note_is_about_something():
    for note in read("notes.csv"):
        tables = [t for t in published_tables(note["table"]) if t.dataset == note["dataset"]]
        assert tables and note["note"] and note["kind"] in ("remark", "incomparable")
        rows = [row for t in tables for row in t.rows if note["row"] in ("", row.name)]
        assert rows
        if note["bits"]:
            assert all(int(note["bits"]) in row.values for row in rows)
        shown = [t.note for t in tables] + [
            text for row in rows for text in (row.note, row.incomparable, *row.notes.values())
        ]
        assert any(note["note"] in text for text in shown)


def test_unknown_table():
    with pytest.raises(InputError, match=r"no published table '5': give 2, 3, 4, ijcai-2, wsdhq"):
        published_tables("5")


def test_clone_reads_its_own_files():
    assert published_folder() == FOLDER


def test_installed_wheel_finds_the_numbers(tmp_path):
    """Built from the committed and new files alone, unpacked into a fresh environment."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git clone")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([*wheel, str(source)], check=True)
    (built,) = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", built], check=True)
    code = (
        "from benchmark.papers.published import published_folder, published_tables as p\n"
        "print(published_folder(), p('3')[0].row('itq').values[12])"
    )
    answer = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    folder, value = answer.stdout.split()
    assert Path(folder).is_relative_to(tmp_path / "venv") and value == "0.5295"
