"""Studies in TOML files, and folders named by the environment."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmark.cli.config import config_text, parse
from benchmark.cli.main import main
from benchmark.cli.options import build_parser
from benchmark.errors import InputError
from benchmark.study.session import Session


@pytest.fixture
def parsed(tmp_path):
    """Options of a file with this text, and of a command line."""

    def call(text, *argv) -> argparse.Namespace:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return parse(build_parser(), [*argv, "--config", str(path)])

    return call


STUDY = """
dataset = "demo[n=200]"
methods = ["itq", "wdht[aggregation=tf]"]
bits = [16, 32]
seeds = 3
set = ["itq.n_iter=5"]
save-codes = true
l2_normalize = false
results = "somewhere"
"""


def test_every_option_by_its_long_name(parsed):
    args = parsed(STUDY)
    assert (args.dataset, args.bits, args.seeds) == ("demo[n=200]", [16, 32], [3])
    assert args.methods == ["itq", "wdht[aggregation=tf]"]
    assert (args.save_codes, args.l2_normalize, args.results) == (True, False, Path("somewhere"))


def test_the_command_line_wins(parsed):
    args = parsed(STUDY, "--bits", "8", "--set", "itq.n_iter=7", "--dataset", "corel5k")
    assert (args.bits, args.dataset) == ([8], "corel5k")
    assert args.set == ["itq.n_iter=5", "itq.n_iter=7"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bit = [8]", "no option 'bit'"),
        ("config = 'other.toml'", "no option 'config'"),
        ("bits = 'x'", "'x' is not a code length"),
        ("audit = 1", "audit must be true or false"),
        ("[bits]\na = 1", "bits must be a value or a list"),
        ("bits = [", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused(parsed, text, message):
    with pytest.raises(InputError, match=message):
        parsed(text)


def test_a_missing_file_is_named(capsys):
    assert main(["--config", "nowhere.toml"]) == 2
    assert "nowhere.toml: cannot be read" in capsys.readouterr().err


def test_what_is_printed_is_read_again(parsed, tmp_path, capsys):
    args = parsed(STUDY, "--word-vectors", 'a "b".txt', "--plugin", "p.py", "q.py")
    text = config_text(build_parser(), args)
    again = parsed(text)
    assert {**vars(again), "config": None} == {**vars(args), "config": None}
    (tmp_path / "x.toml").write_text(text)
    assert main(["--config", str(tmp_path / "x.toml"), "--set", "--print-config"]) == 2
    capsys.readouterr()
    (tmp_path / "y.toml").write_text('dataset = "demo"\n')
    assert main(["--config", str(tmp_path / "y.toml"), "--print-config"]) == 0
    assert 'dataset = "demo"\n' in capsys.readouterr().out


def test_folders_of_the_environment(monkeypatch):
    monkeypatch.setenv("HASHBENCH_DATA_ROOT", "/copies")
    monkeypatch.setenv("HASHBENCH_CACHE", "/scratch")
    args = build_parser().parse_args([])
    assert (args.data_root, args.cache) == (Path("/copies"), Path("/scratch"))
    assert Session().data_root == Path("/copies")
    assert Session().options.cache == Path("/scratch")
    assert build_parser().parse_args(["--cache", "mine"]).cache == Path("mine")
    monkeypatch.delenv("HASHBENCH_CACHE")
    monkeypatch.setenv("HASHBENCH_DATA_ROOT", "")
    assert Session().data_root == Path("data")
    assert Session(results="r").options.cache == Path("r/cache")
