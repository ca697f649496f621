"""The description of the papers: what it says, what is wrong with a broken one, and new tables."""

import csv
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from benchmark.datasets import datasets
from benchmark.errors import InputError
from benchmark.papers import index as papers_index
from benchmark.papers.entries import KINDS, Sizes, Validation
from benchmark.papers.figure_data import DRAWINGS
from benchmark.papers.index import INDEX, list_papers, published_folder, read_index
from benchmark.papers.published import published_tables

SMALL = """
[splits]
demo = { query = 2, train = 8, database = 8 }

[papers.one]
name = "One (2020)"
features = "gist"
protocol = "wdht"
methods = { A = "lsh", B = "itq[n_iter=9]", C = "" }

[[tables]]
id = "one-1"
paper = "one"
title = "Table 1"
caption = "mAP"
file = "one.csv"
parts = [
    { dataset = "Demo", source = "demo", setting = "plain" },
    { dataset = "Other", source = "folder", setting = "plain", features = "own" },
]

[[figures]]
id = "one-2"
paper = "one"
title = "Figure 2"
caption = "a grid"
kind = "grid"
bits = [32]
rows = ["A", "B"]
parts = [{ dataset = "Demo", source = "demo" }]
grid = { x = [1, 2.5], y = [0.1] }
validation = { train = 5, query = 3 }
"""


@pytest.fixture
def write(tmp_path):
    """Write a description, with replacements in it; returns its folder."""

    def call(*replacements):
        text = SMALL
        for old, new in replacements:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "tables.toml").write_text(text)
        return tmp_path

    return call


def test_parts_inherit_from_their_paper(write):
    table = read_index(write()).find_table("one-1")
    demo, other = table.parts
    assert (demo.features, demo.protocol, demo.sizes) == ("gist", "wdht", Sizes(2, 8, 8))
    assert (other.features, other.protocol, other.sizes) == ("own", "wdht", None)
    assert table.name == "One (2020), Table 1"


def test_a_grid_combines_all_values_for_every_row(write):
    figure = read_index(write()).find_figure("one-2")
    assert figure.grid == {
        "lsh[x=1,y=0.1]": {"x": 1, "y": 0.1},
        "lsh[x=2.5,y=0.1]": {"x": 2.5, "y": 0.1},
        "itq[n_iter=9,x=1,y=0.1]": {"x": 1, "y": 0.1},
        "itq[n_iter=9,x=2.5,y=0.1]": {"x": 2.5, "y": 0.1},
    }
    assert list(figure.rows.values()) == list(figure.grid)
    assert figure.validation == Validation(train=5, query=3)


def test_every_kind_has_a_drawing():
    assert tuple(DRAWINGS) == KINDS


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('features = "gist"\n', "", "paper one: the field 'features' is missing"),
        ("[splits]", "[splitts]", "unknown field 'splitts'; it may have splits, papers"),
        ("query = 2,", "query = 0,", "split demo: query must be a whole number above 0, not 0"),
        ('protocol = "wdht"', 'protocol = "wdth"', "paper one: unknown protocol 'wdth'"),
        ('C = ""', "C = 3", "paper one: methods must be a table of strings"),
        ('title = "Table 1"\n', "", "table one-1: the field 'title' is missing"),
        ('caption = "mAP"', 'caption = " "', "caption must be a string that is not empty"),
        ('file = "one.csv"', 'file = "../one.csv"', "file must be a file name without a folder"),
        ('source = "demo", setting', "setting", "parts: the field 'source' is missing"),
        ('"folder", setting', '"demo", setting', "table one-1: each of its parts needs"),
        ('kind = "grid"', 'kind = "bars"', "kind must be curves or lengths or grid or retrieval"),
        ('kind = "grid"', 'kind = "curves"', "the field 'grid' goes with the kind grid"),
        ("x = [1, 2.5], ", "", "the kind grid needs two parameters"),
        ("bits = [32]", "bits = [32, 64]", "the kind grid shows one code length, not 2"),
        (
            '"demo" }]',
            '"demo" }, { dataset = "Demo", source = "x" }]',
            "needs a data set of its own",
        ),
        ("bits = [32]", "bits = [true]", "bits must be a list of whole numbers above 0"),
        ('rows = ["A", "B"]', 'rows = ["A", "C"]', "do not say what 'C' is"),
        ("{ train = 5, query = 3 }", "true", "figure one-2: validation must be a table"),
        ('"one-2"', '"one 2"', "figure one 2: use letters, digits"),
        ("[splits]", "[splits", "tables.toml is not valid TOML"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_description(write, old, new, complaint):
    folder = write((old, new))
    with pytest.raises(InputError) as error:
        read_index(folder)
    assert complaint in str(error.value) and "\n" not in str(error.value)
    assert str(folder / "tables.toml") in str(error.value)


def test_curves_against_lengths_are_of_one_data_set(write):
    plain = ("grid = { x = [1, 2.5], y = [0.1] }\n", "")
    two = ('"demo" }]', '"demo" }, { dataset = "Other", source = "x" }]')
    kind = 'kind = "grid"'
    assert (
        len(read_index(write(plain, two, (kind, 'kind = "curves"'))).figures["one-2"].blocks) == 2
    )
    with pytest.raises(InputError, match="the kind lengths shows one data set, not 2"):
        read_index(write(plain, two, (kind, 'kind = "lengths"')))


def test_two_tables_of_one_id(write):
    folder = write()
    table = SMALL[SMALL.index("[[tables]]") : SMALL.index("[[figures]]")]
    (folder / "tables.toml").write_text(SMALL + table)
    with pytest.raises(InputError, match="table one-1: two of them have this id"):
        read_index(folder)


def test_a_paper_that_is_not_described(write):
    with pytest.raises(InputError, match="table one-1: there is no paper 'two': give one"):
        read_index(write(('id = "one-1"\npaper = "one"', 'id = "one-1"\npaper = "two"')))


def test_a_description_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*tables.toml: No such file"):
        read_index(tmp_path)


def test_data_sets_of_the_papers_are_ours():
    index = read_index()
    for source in (
        *index.sources,
        *tomllib.loads((index.folder / INDEX).read_text())["splits"],
    ):
        datasets.parse(source)


def test_every_table_and_figure_is_listed():
    index = read_index()
    options = [*(f"--table {i}" for i in index.tables), *(f"--figure {i}" for i in index.figures)]
    assert [name for name, _ in list_papers()] == options


def test_figures_need_what_the_papers_used():
    figures = read_index().figures
    assert figures["2"].bits == (12, 24, 32, 48)
    assert list(figures["2"].rows) == [row.name for row in published_tables("4")[0].rows]
    assert len(figures["3"].rows) == 25 and figures["3"].validation is not None
    assert figures["ijcai-4"].blocks == {"MIR Flickr-1M": "mirflickr1m"}
    assert figures["ijcai-3"].features == "vgg16-fc7"


NEW_TABLE = """
[papers.new]
name = "New (2031)"
features = "blobs"
protocol = "trec"
methods = {{ "Ours" = "lsh", "Ours*" = "lsh", "Lost" = "no-such-method" }}

[[tables]]
id = "new-7"
paper = "new"
title = "Table 7"
caption = "mAP over two collections"
file = "new-table7.csv"
parts = [
    {{ dataset = "Blobs", source = "{folder}/blobs", setting = "all" }},
    {{ dataset = "Blobs", source = "{folder}/few", setting = "few", about = "few classes" }},
    {{ dataset = "Others", source = "{folder}/others", setting = "all", protocol = "hashnet" }},
]
"""
NEW_VALUES = """dataset,setting,metric,row,bits,value,unit
Blobs,all,mAP@1000,Ours,8,31.50,percent
Blobs,all,mAP@1000,Lost,8,40.1,percent
Blobs,few,mAP@1000,Ours*,8,29.9,percent
Others,all,mAP@5000,Ours,8,0.3,fraction
"""


def test_a_new_table_is_data_alone(tmp_path, data_folder, monkeypatch, capsys):
    from benchmark.cli.main import main

    for name in ("few", "others"):
        shutil.copytree(data_folder, tmp_path / name)
    manifest = (tmp_path / "few" / "manifest.csv").read_text()
    (tmp_path / "few" / "manifest.csv").write_text(manifest.replace("class3", "class2"))
    folder = tmp_path / "published"
    shutil.copytree(published_folder(), folder)
    with open(folder / "tables.toml", "a") as file:
        file.write(NEW_TABLE.format(folder=tmp_path))
    (folder / "new-table7.csv").write_text(NEW_VALUES)
    with open(folder / "notes.csv", "a") as file:
        file.write("new-7,Blobs,Ours,8,remark,printed in bold\n")
    monkeypatch.setattr(papers_index, "published_folder", lambda: folder)

    assert main(["--list", "papers"]) == 0
    assert "--table new-7" in capsys.readouterr().out
    results = ("--results", str(tmp_path / "results"), "--seeds", "0", "--jobs", "1")
    assert main(["--table", "new-7", *results]) == 0
    shown = capsys.readouterr().out
    assert "New (2031), Table 7: mAP over two collections" in shown
    words = " ".join(shown.split())
    assert "protocol trec / " in words and "protocol hashnet" in words
    assert "0.315" in shown
    with open(tmp_path / "results/others/tables/paper-new-7.csv", newline="") as file:
        lines = {(line["dataset"], line["row"]): line for line in csv.DictReader(file)}
    ours, few = lines["Blobs", "Ours"], lines["Blobs", "Ours*"]
    lost, others = lines["Blobs", "Lost"], lines["Others", "Ours"]
    assert len(lines) == 4
    assert ours["published"] == "0.315" and ours["verdict"] == "better"
    assert "printed in bold" in ours["notes"] and "printed in bold" not in few["notes"]
    assert few["mean"] != ours["mean"]
    assert lost["notes"].startswith("there is no method no-such-method")
    assert (ours["metric"], others["metric"]) == ("mAP@1000", "mAP@5000")


def test_the_documented_table_can_be_added(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "reproduce.md").read_text()
    blocks = re.findall(r"```(?:toml|csv)\n(.*?)```", page, re.DOTALL)
    entry, values = blocks[[("parts = " in block) for block in blocks].index(True) :][:2]
    folder = tmp_path / "published"
    shutil.copytree(published_folder(), folder)
    with open(folder / INDEX, "a") as file:
        file.write(entry)
    (folder / "tagnet-table1.csv").write_text(values)
    (part,) = published_tables("tagnet-1", read_index(folder))
    assert part.variants == ("itq", "tagnet") and part.sizes == Sizes(2000, 16_000, 16_000)
    assert part.row("tagnet").printed == {32: "0.710"}
