"""Names, for a while."""

import pytest

from benchmark.errors import InputError
from benchmark.registry import Registry
from methods import Hasher


def test_what_is_registered_for_a_while_is_forgotten():
    registry = Registry("thing", "methods", required={}, decorator="register_nothing")
    with registry.temporary():
        registry.register("mine")(type("Mine", (Hasher,), {"__module__": __name__}))
        assert registry.names() == ["mine"]
    assert registry.names() == []
    with pytest.raises(InputError, match="unknown thing"):
        registry.find("mine")
