"""What the pages of docs/ show works as shown."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli.main import main

ROOT = Path(__file__).resolve().parents[1]


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


@pytest.fixture
def shown(tmp_path):
    """Write the code block of a page that registers a name; returns the file."""

    def write(page, name):
        (code,) = (block for block in code_blocks(page, "python") if f'"{name}"' in block)
        path = tmp_path / f"{name.replace('-', '_')}.py"
        path.write_text(code)
        return path

    return write


@pytest.fixture
def command(tmp_path, capsys, no_figures):
    """Run the command at 12 bits with a results folder; returns what it prints."""

    def call(*arguments, jobs=1):
        place = ("--results", str(tmp_path / "results"), "--jobs", str(jobs))
        status = main([*map(str, arguments), "--bits", "12", *place])
        captured = capsys.readouterr()
        assert status == 0, captured.err
        return captured.out

    return call


@pytest.mark.parametrize("name", ["random-pca", "tiny-net", "plain-pq"])
def test_documented_methods_pass_the_checks_and_run(name, shown, command):
    plugin = ("--plugin", shown("docs/add-a-method.md", name))
    command(*plugin, "--check-method", name)
    assert name in command(*plugin, "--dataset", "demo[n=240]", "--methods", name, "lsh")


def test_the_documented_extractor_runs(shown, command):
    plugin = ("--plugin", shown("docs/add-an-extractor.md", "colours"))
    assert "colours" in command(*plugin, "--list", "features")
    arguments = (*plugin, "--dataset", "demo[n=240]", "--methods", "lsh", "--features")
    assert "on demo[n=240], colours features" in command(*arguments, "colours")
    assert "on demo[n=240], colours[bins=8] features" in command(*arguments, "colours[bins=8]")


def test_the_documented_network_runs_on_features_and_end_to_end(shown, command, tmp_path):
    import torch
    from torch import nn

    convolutions = [nn.Conv2d(*sizes, 3) for sizes in ((3, 16), (16, 32), (32, 64))]
    network = nn.Sequential(*(part for conv in convolutions for part in (conv, nn.ReLU())))
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    plugin = ("--plugin", shown("docs/add-an-extractor.md", "small-net"))
    arguments = (*plugin, "--dataset", "demo[n=48]", "--features", "small-net")
    arguments += ("--weights", tmp_path / "weights.pth", "--methods")
    assert "small-net features" in command(*arguments, "lsh")
    deep = "deep-dsh[epochs=1,batch_size=8]"
    # Workers load the plug-in themselves.
    assert deep in command(*arguments, deep, "--end-to-end", jobs=2)


def test_the_documented_data_set_runs(shown, command):
    plugin = ("--plugin", shown("docs/add-a-dataset.md", "digits"))
    arguments = (*plugin, "--dataset", "digits[n=200]")
    assert "200" in command(*arguments, "--lint")
    assert "on digits[n=200], gist features" in command(*arguments, "--methods", "lsh")


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
    small = small.replace('"wdht"', '"wdht[steps=50]"')
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
    for mode in ([], ["encode"]):
        with pytest.raises(SystemExit):
            main([*mode, "--help"])
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    shown = set()
    for block in re.findall(r"```.*?```", (ROOT / page).read_text(), flags=re.DOTALL):
        lines = [line for line in block.splitlines() if "run_benchmark.py" in line]
        shown |= set(re.findall(r"(?<= )--[a-z0-9-]+", " ".join(lines)))
    assert shown <= known


PAGES = (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("results/p*/README.md"))


def sections_of_methods():
    """Of docs/methods.md: (supervision, ids of the heading, text) for each section."""
    families = {"Unsupervised": "none", "From tags": "tags", "From labels": "labels"}
    page = (ROOT / "docs/methods.md").read_text()
    _, *parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    for family, part in zip(parts[::2], parts[1::2], strict=True):
        _, *sections = re.split(r"^### (.*)\n", part, flags=re.MULTILINE)
        for heading, text in zip(sections[::2], sections[1::2], strict=True):
            yield families[family], re.findall(r"`([^`]+)`", heading), text


def test_every_method_has_its_section_below_the_heading_of_its_supervision():
    from benchmark.registry import methods

    documented = [(name, s) for s, names, _ in sections_of_methods() for name in names]
    registered = [(entry.name, entry.facts["supervision"]) for entry in methods.entries()]
    assert sorted(documented) == sorted(registered)
    assert all(names for _, names, _ in sections_of_methods())


def test_sections_of_methods_state_all_parameters_with_their_defaults_and_name_files_that_exist():
    from benchmark.registry import methods
    from benchmark.registry.values import read_value

    preamble = (ROOT / "docs/methods.md").read_text().partition("\n## ")[0]
    shared = {"n_bits", "random_state", "preset", *re.findall(r"`(\w+)`", preamble)}
    for _, names, text in sections_of_methods():
        stated = {k: read_value(v) for k, v in re.findall(r"`(\w+) = ([^`]+)`", text)}
        for name in names:
            defaults = methods.find(name).parameters
            assert stated.items() <= defaults.items(), name
            assert defaults.keys() - stated.keys() <= shared, name
        for path in re.findall(r"`((?:tests|methods|features)/[^`]*)`", text):
            assert (ROOT / path).exists(), path


def test_design_draws_the_layers_that_are_checked_and_names_files_that_exist():
    from test_layers import LAYERS

    page = (ROOT / "docs/design.md").read_text()
    drawing = re.search(r"```\n(.*?)```", page, flags=re.DOTALL)[1].splitlines()
    drawn = [set(line[:40].split()) for line in drawing]
    assert drawn == [{room.removeprefix("benchmark.") for room in rooms} for rooms in LAYERS]
    for path in re.findall(r"`((?:benchmark|methods|features|tests|results)/[^`]*)`", page):
        assert (ROOT / path).exists(), path


def test_the_citation_has_the_version_of_the_package():
    from benchmark import __version__

    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.*)$", citation, flags=re.MULTILINE)[1] == __version__


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT).as_posix() for p in PAGES))
def test_links_between_pages_lead_somewhere(page):
    folder = (ROOT / page).parent
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]*(?:#[^)]*)?)\)", text):
        path, _, anchor = target.partition("#")
        file = folder / path if path else ROOT / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), flags=re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
            assert anchor in anchors, target
