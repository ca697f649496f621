"""Methods by name, for Python users."""

import doctest

import pytest

import methods
from benchmark.errors import InputError
from benchmark.registry import registry
from methods.unsupervised.itq import ITQ


def test_a_method_by_its_id():
    itq = methods.make("itq", n_bits=8, n_iter=3)
    assert isinstance(itq, ITQ) and itq.get_params()["n_bits"] == 8 and itq.n_iter == 3
    assert methods.make("itq[n_iter=5]").n_iter == 5


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(InputError, match="did you mean"):
        methods.make("itk")


@pytest.mark.parametrize(
    "documented", [methods, methods.base, methods.supervision, methods.unsupervised.itq, registry]
)
def test_examples_in_docstrings(documented):
    failed, tried = doctest.testmod(documented)
    assert tried and not failed
