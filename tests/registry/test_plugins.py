"""Plug-in files: methods, data sets and extractors from outside of the tree."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.cli.main import main
from benchmark.digests import code_digest, imported_code
from benchmark.errors import InputError
from benchmark.registry import datasets, extractors, load_plugins, methods

EXTRACTOR = '''
import numpy as np
from features import Extractor, register_extractor

@register_extractor("corners")
class Corners(Extractor):
    """Colours of two corners."""

    def __init__(self, scale=1.0):
        self.scale = scale

    n_features = 6

    def prepare(self, image):
        return np.array([image.getpixel((0, 0)), image.getpixel((7, 7))], dtype=np.float32)

    def extract(self, batch):
        return self.scale * batch.reshape(len(batch), 6)
'''
DATASET = '''
import numpy as np
from PIL import Image
from benchmark.datasets import register_dataset
from benchmark.datasets.base import Dataset, Split

@register_dataset("squares", source="this test")
class Squares:
    """Squares of two colours."""

    def __init__(self, n=60):
        self.n = n

    def load(self, root, cache):
        kind = np.arange(self.n) % 2
        database, query = np.arange(self.n - 10), np.arange(self.n - 10, self.n)
        return Dataset(
            name="squares", labels=kind[:, None] == [0, 1], label_names=["red", "blue"],
            tags=[()] * self.n, split=Split(database, database, query),
            fingerprint=str(self.n), images=Pictures(self.n), default_features="corners",
        )

class Pictures:
    def __init__(self, n):
        self.n = n
    def __len__(self):
        return self.n
    def name(self, i):
        return f"square {i}"
    def load(self, i):
        return Image.new("RGB", (8, 8), (250 - i, 0, 9) if i % 2 else (9, 0, 250 - i))
'''
METHOD = '''
from methods.unsupervised.pcah import PCAH
from methods import register

@register("pcah-again", paper="none", supervision="none")
class Again(PCAH):
    """PCAH under another name."""
'''


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def command(tmp_path, capsys, no_figures):
    def command(*arguments):
        place = ("--results", str(tmp_path / "results"), "--jobs", "1")
        status = main([*map(str, arguments), *place])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


def run(command, *plugins):
    arguments = ("--plugin", *plugins, "--dataset", "squares", "--methods", "lsh", "--bits", "8")
    return command(*arguments)


def test_an_extractor_and_a_data_set_are_one_file_each(write, command, tmp_path):
    plugins = write("mine.py", EXTRACTOR), write("data.py", DATASET)
    status, out, err = run(command, *plugins)
    assert status == 0, err
    assert "on squares, corners features" in out
    summary = pd.read_csv(tmp_path / "results/squares/corners/summary.csv")
    value = summary.query("method == 'lsh' and metric == 'mAP@all'").value.item()
    base_rate = summary.query("metric == 'base_rate'").value.iloc[0]
    assert value > base_rate + 0.2
    (features,) = (tmp_path / "results/cache/features").glob("corners-*.npy")
    np.testing.assert_array_equal(np.load(features)[:2], [[9, 0, 250] * 2, [249, 0, 9] * 2])


def test_one_file_may_hold_all_three(write, command):
    plugin = write("mine.py", EXTRACTOR + DATASET + METHOD)
    status, out, err = command(
        *("--plugin", plugin, "--dataset", "squares[n=40]", "--features", "corners[scale=2]"),
        *("--methods", "pcah-again", "--bits", "1"),
    )
    assert status == 0, err
    assert "corners[scale=2.0] features" in out and "pcah-again" in out


def test_an_edited_extractor_extracts_again(write, command, tmp_path):
    assert run(command, write("mine.py", EXTRACTOR), write("data.py", DATASET))[0] == 0
    edited = write("mine.py", EXTRACTOR.replace("self.scale * batch", "255 - batch"))
    assert run(command, edited, write("data.py", DATASET))[0] == 0
    first, second = (
        np.load(path) for path in (tmp_path / "results/cache/features").glob("corners-*.npy")
    )
    np.testing.assert_array_equal(first, 255 - second)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1", "it registers no method, data set or extractor"),
        ("import math\n\nmath.sqrt(-1)", "line 3: ValueError: math domain error"),
        ("def", "SyntaxError"),
        ("raise SystemExit(3)", "line 1: SystemExit: 3"),
        ("raise BaseException('out')", "line 1: BaseException: out"),
        ("raise ValueError('half \\udc80')", "line 1: ValueError: half \\udc80"),
        (EXTRACTOR.replace("corners", "gist"), "extractor 'gist' is registered twice"),
        (DATASET.replace("squares", "demo"), "data set 'demo' is registered twice"),
        (METHOD.replace("pcah-again", "itq"), "method 'itq' is registered twice"),
        (EXTRACTOR.replace("corners", "a b"), "'a b' cannot be a name"),
        (DATASET.replace(', source="this test"', ""), "lacks source="),
    ],
)
def test_a_file_that_cannot_serve_is_refused_in_one_line(write, command, text, reason):
    path = write("mine.py", text)
    status, out, err = command("--plugin", path, "--list")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1 and f"--plugin {path}: " in err and reason in err


def test_nothing_is_left_of_a_file_that_fails(write):
    path = write("mine.py", EXTRACTOR + DATASET + METHOD + "\n1 / 0")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        load_plugins([path])
    assert "corners" not in extractors.names()
    assert "squares" not in datasets.names()
    assert "pcah-again" not in methods.names()
    write("mine.py", EXTRACTOR)
    load_plugins([path])
    assert "corners" in extractors.names()


NAMED = '''
from methods import Hasher, register

@register("{id}", paper="none", supervision="none")
class Mine(Hasher):
    """Nothing."""
    number = {number}
'''


def test_files_of_one_name_are_each_their_own(write):
    one = write("a/mine.py", NAMED.format(id="one", number=1))
    two = write("b/mine.py", NAMED.format(id="two", number=2))
    load_plugins([one, two, one])
    entries = methods.find("one"), methods.find("two")
    assert [entry.load().number for entry in entries] == [1, 2]
    assert len({code_digest(entry.module) for entry in entries}) == 2


def test_an_entry_is_its_class_and_not_the_name_of_one(write):
    path = write("mine.py", NAMED.format(id="one", number=1) + NAMED.format(id="two", number=2))
    load_plugins([path])
    assert [methods.find(name).load().number for name in ("one", "two")] == [1, 2]


def test_a_file_is_run_once(write, capsys):
    path = write("mine.py", EXTRACTOR + "\nprint('run')")
    load_plugins([path])
    load_plugins([path])
    assert capsys.readouterr().out == "run\n"


def test_an_edited_file_is_run_again_and_is_other_code(write):
    load_plugins([write("mine.py", NAMED.format(id="one", number=1))])
    before = methods.find("one")
    digest = code_digest(before.module)
    load_plugins([write("mine.py", NAMED.format(id="one", number=3))])
    assert methods.find("one").load().number == 3
    assert code_digest(before.module) != digest


HELPED = """
import sys
sys.path.insert(0, {folder!r})
from methods import Hasher, register
{imports}

@register("helped", paper="none", supervision="none")
class Helped(Hasher):
    pass
"""


def code_of(plugin, method):
    """The digest of the code of a plug-in's method."""
    load_plugins([plugin])
    return code_digest(methods.find(method).module)


@pytest.mark.parametrize(
    ("imports", "changed"),
    [
        ("import helper", "helper.py"),
        ("from helper import value", "helper.py"),
        ("from parcel.inner import value", "parcel/inner.py"),
        ("from parcel import inner", "parcel/inner.py"),
        ("import parcel.inner", "parcel/inner.py"),
        ("import parcel.inner", "parcel/__init__.py"),
        ("from parcel import relative", "parcel/inner.py"),
        ("from loose import inner", "loose/inner.py"),
    ],
)
def test_a_changed_helper_of_a_plug_in_is_other_code(write, tmp_path, imports, changed):
    for name in ("helper.py", "parcel/__init__.py", "parcel/inner.py", "loose/inner.py"):
        write(name, "value = 1")
    write("parcel/relative.py", "from .inner import value")
    plugin = write("mine.py", HELPED.format(folder=str(tmp_path), imports=imports))

    def digest():
        # In a process of its own, which has loaded nothing of the plug-in yet.
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return pool.apply(code_of, (plugin, "helped"))

    before = digest()
    assert digest() == before
    write(changed, "value = 2")
    assert digest() != before


def test_an_installed_package_is_no_part_of_a_plug_in(write):
    text = "import numpy, pandas.io, json\n" + NAMED.format(id="one", number=1)
    load_plugins([write("mine.py", text)])
    code = imported_code(methods.find("one").module)
    assert not {name for name in code if name.partition(".")[0] in ("numpy", "pandas", "json")}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("return Dataset(", "return dict(", "must return a benchmark.datasets.base.Dataset"),
        ("kind[:, None] == [0, 1]", "kind", "labels must be a bool array"),
        ("[()] * self.n", "[()]", "1 tags for 60 items"),
        ("Pictures(self.n)", "Pictures(7)", "7 images for 60 items"),
        ("Split(database", "Split(database - 1", "beyond 0 to 59"),
    ],
)
def test_what_a_reader_gives_is_checked(write, command, old, new, reason):
    path = write("data.py", DATASET.replace(old, new))
    status, _, err = run(command, write("mine.py", EXTRACTOR), path)
    assert status == 2 and len(err.splitlines()) == 1 and reason in err


def test_installed_packages_offer_all_three(write, tmp_path):
    write("my_parts.py", EXTRACTOR + DATASET + METHOD)
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[hashbench.methods]\na = my_parts:Again\n"
        "[hashbench.datasets]\nb = my_parts:Squares\n"
        "[hashbench.extractors]\nc = my_parts:Corners\n"
    )
    code = (
        "from benchmark.registry import datasets, extractors, methods\n"
        "assert 'pcah-again' in methods.names()\n"
        "assert 'squares' in datasets.names()\n"
        "assert extractors.make('corners[scale=3]').scale == 3\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert answer.returncode == 0, answer.stderr.decode()
