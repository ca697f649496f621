"""Methods by name, for Python users."""

import doctest
import importlib

import pytest

import methods
from benchmark.errors import InputError
from methods.unsupervised.itq import ITQ


def test_a_method_by_its_id():
    itq = methods.make("itq", n_bits=8, n_iter=3)
    assert isinstance(itq, ITQ) and itq.get_params()["n_bits"] == 8 and itq.n_iter == 3
    assert methods.make("itq[n_iter=5]").n_iter == 5


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(InputError, match="did you mean"):
        methods.make("itk")


#: Modules of what users import.
DOCUMENTED = [
    "benchmark.protocol.catalogue",
    "benchmark.protocol.evaluate",
    "benchmark.protocol.protocol",
    "benchmark.registry.registry",
    "benchmark.study.results",
    "benchmark.study.study",
    "features.extractors",
    "methods",
    "methods.base",
    "methods.quantizer",
    "methods.supervision",
    "methods.unsupervised.itq",
]


@pytest.mark.parametrize("module", DOCUMENTED)
def test_examples_in_docstrings(module):
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried and not failed
