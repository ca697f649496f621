"""What the pages of docs/ show works as shown."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.registry import methods

ROOT = Path(__file__).resolve().parents[1]


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


@pytest.fixture(params=["random-pca", "tiny-net", "pq"])
def documented_method(request, tmp_path):
    """Name and file of a method that docs/add-a-method.md shows."""
    (code,) = (
        block
        for block in code_blocks("docs/add-a-method.md", "python")
        if f'"{request.param}"' in block
    )
    path = tmp_path / f"{request.param.replace('-', '_')}.py"
    path.write_text(code)
    with methods.temporary():
        yield request.param, path


def test_documented_methods_pass_the_checks_and_run(documented_method, tmp_path, capsys):
    name, path = documented_method
    plugin = ("--plugin", str(path))
    assert main([*plugin, "--check-method", name]) == 0
    arguments = ("--dataset", "demo[n=240]", "--methods", name, "lsh", "--bits", "12")
    status = main([*plugin, *arguments, "--results", str(tmp_path), "--jobs", "1"])
    assert status == 0
    assert name in capsys.readouterr().out


def test_protocol_examples():
    rng = np.random.default_rng(0)
    names = {
        "query_codes": rng.random((5, 8)) < 0.5,
        "database_codes": rng.random((30, 8)) < 0.5,
        "query_labels": np.arange(5) % 3,
        "database_labels": np.arange(30) % 3,
    }
    names["query_tables"] = rng.standard_normal((5, 2, 16))
    names["database_words"] = rng.integers(0, 16, (30, 2))
    for block in code_blocks("docs/protocols.md", "python"):
        exec(block, names)
    assert 0 < names["result"]["mAP@5000"] < 1
    assert 0 < names["scored"]["mAP@5000"] < 1


def test_python_example(tmp_path, capsys):
    (block,) = (b for b in code_blocks("README.md", "python") if "Study(" in b)
    small = block.replace('"demo"', '"demo[n=200]"').replace('"results"', repr(str(tmp_path)))
    names = {}
    exec(small, names)
    printed = capsys.readouterr().out
    assert "8 cells to run" in printed and "mAP@all on demo[n=200], gist features" in printed
    assert len(names["results"].cells) == 8


def test_every_preset_is_documented():
    from benchmark.protocol.protocol import PRESETS

    page = (ROOT / "docs/protocols.md").read_text()
    assert all(f"`{name}`" in page for name in PRESETS)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))])
def test_options_on_the_pages_exist(page, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    shown = set()
    for block in re.findall(r"```.*?```", (ROOT / page).read_text(), flags=re.DOTALL):
        lines = [line for line in block.splitlines() if "run_benchmark.py" in line]
        shown |= set(re.findall(r"(?<= )--[a-z0-9-]+", " ".join(lines)))
    assert shown <= known
