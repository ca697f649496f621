"""Tables and figures of the papers on miniature trees of the collections, through the command."""

import csv
import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.datasets.mirflickr import ANNOTATIONS
from benchmark.datasets.nuswide import FREQUENT
from benchmark.papers.index import read_index

N, N_FEATURES = 150, 24
TOPICS = ("animals", "clouds", "flower", "sea")


def cluster_features(classes):
    rng = np.random.default_rng(0)
    centres = 0.8 * rng.normal(size=(classes.max() + 1, N_FEATURES))
    return (centres[classes] + rng.normal(size=(len(classes), N_FEATURES))).astype(np.float32)


def build_nuswide(home, classes):
    concepts = [FREQUENT[c] for c in classes]
    for folder in ("ImageList", "NUS_WID_Tags", "features"):
        (home / folder).mkdir(parents=True)
    (home / "Groundtruth" / "AllLabels").mkdir(parents=True)
    (home / "ImageList" / "Imagelist.txt").write_text(
        "".join(f"actor\\{i:04d}_{100 + i}.jpg\n" for i in range(N))
    )
    tags = (f"{100 + i}  {concept} photo\n" for i, concept in enumerate(concepts))
    (home / "NUS_WID_Tags" / "All_Tags.txt").write_text("".join(tags))
    for name in FREQUENT:
        column = "".join(f"{int(name == concept)}\n" for concept in concepts)
        (home / "Groundtruth" / "AllLabels" / f"Labels_{name}.txt").write_text(column)
    np.save(home / "features" / "alexnet-fc7.npy", cluster_features(classes))


def build_mirflickr(home, classes):
    tags = home / "mirflickr" / "meta" / "tags"
    for folder in (tags, home / ANNOTATIONS, home / "features"):
        folder.mkdir(parents=True)
    for k, topic in enumerate(TOPICS):
        numbers = np.flatnonzero(classes == k) + 1
        (home / ANNOTATIONS / f"{topic}.txt").write_text("".join(f"{i}\n" for i in numbers))
    for i, c in enumerate(classes, 1):
        (tags / f"tags{i}.txt").write_text(f"{TOPICS[c]}\nphoto\n")
    np.save(home / "features" / "alexnet-fc7.npy", cluster_features(classes))


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    classes = np.random.default_rng(1).integers(0, len(TOPICS), N)
    build_nuswide(root / "nuswide", classes)
    build_mirflickr(root / "mirflickr25k", classes)
    return root


@pytest.fixture
def papers(tmp_path, capsys, no_figures):
    """Run the command without a data set; returns (exit status, stdout, stderr)."""

    def call(*arguments, results=tmp_path / "results"):
        status = main([*map(str, arguments), "--results", str(results), "--jobs", "1"])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def entries(path):
    lines = csv.DictReader(io.StringIO(path.read_text()))
    return {(line["dataset"], line["row"], int(line["bits"])): line for line in lines}


def test_tables_3_and_4_run_through(papers, trees, tmp_path):
    arguments = ("--table", 3, 4, "--data-root", trees, "--methods", "itq", "lsh", "wdht")
    arguments += ("--set", "wdht.epochs=3", "--bits", 12, "--seeds", 0, 1)
    status, out, err = papers(*arguments)
    assert status == 0, err
    assert "Table 3" in out and "Table 4" in out and "WDHT*" in out
    for folder in ("nuswide", "mirflickr25k"):
        for suffix in ("md", "csv", "tex"):
            assert (tmp_path / "results" / folder / "tables" / f"paper-4.{suffix}").exists()
    three = entries(tmp_path / "results/nuswide/tables/paper-3.csv")
    assert {key[0] for key in three} == {"NUS-WIDE", "MIR-FLICKR25K"}
    assert {key[1] for key in three} == {"ITQ", "LSH", "WDHT", "WDHT*"}
    assert len(three) == 2 * 4
    itq = three["NUS-WIDE", "ITQ", 12]
    assert float(itq["published"]) == 0.5295
    assert float(itq["difference"]) == pytest.approx(float(itq["mean"]) - 0.5295)
    assert float(itq["low"]) < float(itq["mean"]) < float(itq["high"])
    assert itq["seeds"] == "2" and float(itq["mean"]) > 0.35
    assert itq["verdict"] == "not comparable"
    assert "instead of 100,000 training and 2,000 query items" in itq["notes"]
    assert "rule that is not stated" in three["NUS-WIDE", "WDHT*", 12]["notes"]
    assert "run as wdht[epochs=3]" in three["NUS-WIDE", "WDHT", 12]["notes"]
    # Table 4 is measured on the cells of Table 3.
    cells = list((tmp_path / "results/cells").rglob("run.json"))
    # itq, lsh and wdht on two data sets, and wdht on those of the starred rows.
    assert len(cells) == (3 + 3 + 1 + 1) * 2
    before = {path: path.stat().st_mtime_ns for path in cells}
    assert papers(*arguments)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in cells} == before


def test_a_run_of_the_data_set_leaves_tables_of_papers_alone(papers, trees, tmp_path):
    narrow = ("--data-root", trees, "--methods", "lsh", "--bits", 12)
    assert papers("--table", 4, *narrow, "--seeds", 0)[0] == 0
    assert papers("--dataset", "mirflickr25k", *narrow)[0] == 0
    tables = tmp_path / "results/mirflickr25k/tables"
    assert (tables / "paper-4.md").exists() and (tables / "all.md").exists()


def test_other_data_give_the_same_layout_and_are_not_comparable(run, tmp_path):
    status, _, err = run("--table", 3, "--methods", "lsh", "wmh", "pcah", "--seeds", 0)
    assert status == 0, err
    found = entries(tmp_path / "results/blobs/tables/paper-3.csv")
    assert {key[0] for key in found} == {"NUS-WIDE", "MIR-FLICKR25K"}
    assert {key[1] for key in found} == {"LSH", "PCAH", "WMH*"}
    assert sorted({key[2] for key in found}) == [12, 24, 32, 48]
    assert {line["verdict"] for line in found.values() if line["mean"]} == {"not comparable"}
    assert "measured on blobs" in found["NUS-WIDE", "LSH", 12]["notes"]
    # 48 bits of 32 features.
    gap = found["NUS-WIDE", "PCAH", 48]
    assert not gap["mean"] and "skipped" in gap["notes"] and gap["published"] == "0.3971"


def test_methods_that_are_not_there_are_gaps_and_ones_own_get_a_row(run, tmp_path, plugin):
    from benchmark.registry import methods

    methods.forget("drsch")
    arguments = ("--table", "ijcai-2", "--bits", 8, "--seeds", 0, "--plugin", plugin())
    status, _, err = run(*arguments, "--methods", "drsch", "ksh", "mine")
    assert status == 0, err
    found = entries(tmp_path / "results/blobs/tables/paper-ijcai-2.csv")
    gap = found["NUS-WIDE", "DRSCH^-", 8]
    assert not gap["mean"] and gap["notes"].startswith("there is no method drsch")
    # All items of the blobs have a tag in common, from which there is little to learn.
    assert float(found["NUS-WIDE", "KSH^-", 8]["mean"]) > 0.25
    own = found["NUS-WIDE", "mine (not in the paper)", 8]
    assert float(own["mean"]) > 0.2 and not own["published"] and not own["verdict"]


def test_everything_that_is_missing_is_said_before_any_work(papers, tmp_path):
    status, out, err = papers("--table", 3, 4, "--data-root", tmp_path / "nowhere")
    assert status == 2 and not out
    for text in ("NUS-WIDE: ", "All_Tags.txt", "MIRFLICKR-25K: ", ANNOTATIONS, "--data-root"):
        assert text in err
    assert "images belong in" in err and "features of all of them" in err
    assert not list((tmp_path / "results").glob("cells/**/run.json"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "9"), "no published table '9': give 2, 3, "),
        (("--figure", "9"), "no figure '9': give 2, 3, "),
        (("--table", "2", "--bits", "8"), "table 2 has only 12, 24, 32 and 48 bits"),
        (("--table", "2", "--methods", "sp*"), "table 2 has none of them; it has wdht"),
        (("--table", "2", "--methods", "itqq"), "unknown method 'itqq'"),
        (("--table", "2", "--protocol", "trec"), "--protocol cannot be combined with --table"),
        (("--figure", "2", "--audit"), "--audit cannot be combined with --table"),
        (("--table", "2", "--set", "sh.x=1"), "sh has no parameter 'x'"),
    ],
)
def test_bad_arguments(papers, arguments, words):
    status, out, err = papers(*arguments)
    assert status == 2 and words in err and not out


def test_dry_run_prices_every_data_set(run):
    status, out, _ = run("--table", 4, "--figure", 3, "--methods", "lsh", "wdht", "--dry-run")
    assert status == 0
    assert "blobs, protocol wdht:" in out and "blobs-validation, protocol wdht:" in out
    assert "lsh" in out


def figure_files(folder, figure_id):
    found = [folder / f"paper-{figure_id}.{suffix}" for suffix in ("png", "svg")]
    for path in found:
        assert path.stat().st_size > 5000
    return ElementTree.parse(found[1])


def test_curves_and_lengths(run, tmp_path):
    arguments = ("--methods", "lsh", "pcah", "--seeds", 0)
    status, _, err = run("--figure", 2, "ijcai-3", *arguments)
    assert status == 0, err
    folder = tmp_path / "results/blobs/figures"
    for figure_id in ("2", "ijcai-3"):
        figure_files(folder, figure_id)


def test_bars_of_the_grid_are_measured_without_the_queries(run, tmp_path, data_folder):
    status, _, err = run("--figure", 3, "--seeds", 0, "--set", "wdht.epochs=1")
    assert status == 0, err
    figure_files(tmp_path / "results/blobs/figures", "3")
    assert len(list((tmp_path / "results/cells/blobs-validation").rglob("run.json"))) == 25
    assert not (tmp_path / "results/cells/blobs").exists()


def test_example_retrievals_need_images(run, tmp_path, papers):
    status, _, err = run("--figure", "ijcai-5", "--methods", "lsh")
    assert status == 2 and "shows images, and there are none" in err
    narrow = ("--dataset", "demo[n=200]", "--methods", "lsh", "pcah", "--seeds", 0)
    status, _, err = papers("--figure", "ijcai-5", *narrow)
    assert status == 0, err
    figure_files(tmp_path / "results/demo[n=200]/figures", "ijcai-5")


def test_every_row_with_a_method_of_ours_can_be_read():
    """Variants of the published rows are spelt as the methods have their parameters."""
    from benchmark.registry import methods

    index = read_index()
    variants = {text for table in index.tables.values() for text in table.methods.values()}
    ours = [text for text in variants if text.partition("[")[0] in methods.names()]
    assert len(ours) > 20
    for variant in ours:
        assert str(methods.parse(variant)) == variant
    # A setting of a grid may be a default.
    settings = [text for figure in index.figures.values() for text in figure.grid]
    assert len(set(map(methods.parse, settings))) == len(settings)
