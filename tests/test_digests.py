"""What makes stored results stale: code does, words about code do not."""

import importlib
import sys

import pytest

from benchmark.digests import code_digest, imported_code, package_digest

MODULE = '''"""About."""

from helper_package import twice


def f(x):
    """Words."""
    return {}
'''


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Digest of a module of this text."""
    monkeypatch.syspath_prepend(tmp_path)

    def of(text, name="digested"):
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        code_digest.cache_clear()
        return code_digest(name)

    yield of
    code_digest.cache_clear()


def test_words_do_not_count_and_code_does(digest):
    first = digest(MODULE.format("2 * x"))
    assert (
        digest(MODULE.format("2 * x").replace("Words.", "Other words.  # and a comment")) == first
    )
    assert digest(MODULE.format("3 * x")) != first


def test_a_method_has_the_modules_that_it_imports():
    itq = imported_code("methods.unsupervised.itq")
    assert {"methods.base", "methods.algebra.pca", "methods.sharing"} <= itq
    assert "methods.quantizer" not in itq and "methods.labels.drsch" not in itq


def test_a_docstring_of_a_method_leaves_shared_results_alone():
    """Principal axes depend on their own module and what it imports, on no other method."""
    assert "methods.tags.wdht" not in imported_code("methods.algebra.pca")


def test_an_import_of_what_is_not_there_is_passed_over(digest):
    text = MODULE.replace("helper_package", "methods.not_there")
    assert digest(text.format("2 * x")) != digest(text.format("3 * x"))


def test_the_engine_is_everything_that_measures(monkeypatch, tmp_path):
    package = tmp_path / "engine_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "diagnostics.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    before = package_digest("engine_package")
    (package / "diagnostics.py").write_text("VALUE = 2\n")
    package_digest.cache_clear()
    code_digest.cache_clear()
    assert package_digest("engine_package") != before
