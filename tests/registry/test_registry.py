"""Names, for a while."""

import pytest

from benchmark.errors import InputError
from benchmark.registry import Registry, methods
from methods import Hasher


def test_what_is_registered_for_a_while_is_forgotten():
    registry = Registry("thing", "methods", required={}, decorator="register_nothing")
    with registry.temporary():
        registry.register("mine")(type("Mine", (Hasher,), {"__module__": __name__}))
        assert registry.names() == ["mine"]
    assert registry.names() == []
    with pytest.raises(InputError, match="unknown thing"):
        registry.find("mine")


def test_a_name_of_the_package_cannot_be_taken_before_anybody_asked_for_it():
    registry = Registry("thing", "methods", required=methods.required, optional=methods.optional)
    mine = type("Mine", (), {"__module__": "mine"})
    with pytest.raises(InputError, match="'itq' is registered twice: in methods"):
        registry.register("itq", paper="", supervision="none")(mine)
