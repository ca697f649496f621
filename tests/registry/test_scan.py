"""Entries read from source files."""

import importlib
import inspect

import pytest

from benchmark.registry import UNKNOWN, datasets, extractors, methods
from benchmark.registry.scan import read_entries

BASE = """
class Base:
    def __init__(self, n_bits=32, *, n_anchors=300, start=object(), random_state=None): ...
"""
METHOD = '''
from bases_of_a_test import Base as Renamed

@register("mine", paper="none", supervision="none")
class Mine(Renamed):
    """Mine."""
'''


def entries(tmp_path, text):
    path = tmp_path / "mine.py"
    path.write_text(text)
    return list(read_entries(path, "mine", "register"))


def test_a_constructor_may_come_from_another_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bases_of_a_test.py").write_text(BASE)
    importlib.invalidate_caches()
    (entry,) = entries(tmp_path, METHOD)
    assert entry.parameters == {
        "n_bits": 32,
        "n_anchors": 300,
        "start": UNKNOWN,
        "random_state": None,
    }


def test_a_constructor_may_come_through_the_face_of_a_package(tmp_path):
    text = METHOD.replace("bases_of_a_test import Base", "methods import Hasher")
    (entry,) = entries(tmp_path, text)
    assert entry.parameters == {"n_bits": 32, "random_state": None}


def test_summaries_are_plain_text():
    entries = [*methods.entries(), *datasets.entries(), *extractors.entries()]
    assert [e.name for e in entries if ":class:" in e.summary or "`" in e.summary] == []


@pytest.mark.parametrize("registry", [methods, datasets, extractors])
def test_parameters_read_from_files_are_those_of_the_classes(registry):
    for entry in registry.entries():
        assert list(entry.parameters) == list(inspect.signature(entry.load()).parameters)
