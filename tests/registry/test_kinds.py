"""Extractors by name: families, parameters, weights, what they can do."""

import pytest

from benchmark.errors import InputError
from benchmark.registry import extractors
from features import Extractor, register_extractor


class Plain(Extractor):
    """Plain."""

    n_features, version = 1, "1"

    def prepare(self, image): ...

    def extract(self, batch): ...


class Binned(Plain):
    """With parameters."""

    def __init__(self, bins=4, where="a", device="cpu"):
        if bins % 2:
            raise ValueError("bins must be even")
        self.bins, self.where, self.device = bins, where, device


class Unfinished(Extractor):
    """It lacks what an extractor needs."""


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("alexnet-fc8", "alexnet-fc7"),
        ("squeezenet1", "squeezenet1_0"),
        ("ResNet50", "resnet50"),
        ("resnet50-fc7", "resnet50"),
        ("gits", "gist"),
        ("torchvision", "--list"),
        ("qqqqq", "--list"),
        ("", "--list"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(name, nearest):
    with pytest.raises(InputError, match="unknown extractor") as caught:
        extractors.check(name)
    assert nearest in str(caught.value)


def test_members_of_a_family_are_found_and_made():
    for name in ("alexnet-fc7", "resnet50"):
        assert str(extractors.check(name)) == name
        assert extractors.make(name).name == name
    assert extractors.make("gist").n_features == 512


def test_the_listing_shows_examples_of_families():
    listed = dict(extractors.listing())
    assert {"alexnet-fc7", "vgg16-fc7", "<torchvision>", "gist"} <= listed.keys()
    assert "resnet50" in listed["<torchvision>"] and "512-d" in listed["gist"]


def test_only_networks_can_be_trained_end_to_end():
    assert extractors.is_trainable("resnet50") and not extractors.is_trainable("gist")
    assert extractors.trainable_names() == ["alexnet-fc7", "vgg16-fc7"]


def test_weights_are_checked_before_any_work(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        extractors.check("resnet18", tmp_path / "missing.pth")
    (tmp_path / "there.pth").touch()
    assert str(extractors.check("resnet18", tmp_path / "there.pth")) == "resnet18"
    with pytest.raises(InputError, match="gist need no weights"):
        extractors.check("gist", tmp_path / "there.pth")


def test_a_parameter_of_the_constructor_is_part_of_name_and_identity():
    register_extractor("plain")(Binned)
    made = extractors.make("plain[bins=8,where=a/b]", device="cuda")
    assert (made.bins, made.where, made.device) == (8, "a/b", "cuda")
    assert made.identity["extractor"] == made.name == "plain[bins=8,where=a_b]"
    assert extractors.make("plain[bins=4]").name == "plain"
    with pytest.raises(InputError, match="has no parameter 'device': it has bins, where"):
        extractors.check("plain[device=cuda]")
    with pytest.raises(InputError, match="whole number"):
        extractors.check("plain[bins=x]")


def test_a_constructor_that_refuses_its_parameters_ends_in_one_line():
    register_extractor("picky")(Binned)
    register_extractor("unfinished")(Unfinished)
    with pytest.raises(InputError, match=r"features picky\[bins=3\]: bins must be even"):
        extractors.make("picky[bins=3]")
    with pytest.raises(InputError, match=r"features unfinished: .*abstract class"):
        extractors.make("unfinished")


def test_what_a_class_says_of_itself_is_checked():
    register_extractor("odd", family="yes")(type("Odd", (Plain,), {}))
    with pytest.raises(InputError, match="family must be one of False, True, not 'yes'"):
        extractors.names()
    register_extractor("odd", trainable=True)(type("Odd", (Plain,), {}))
    with pytest.raises(InputError, match="unknown trainable"):
        extractors.names()


def test_an_extractor_registered_for_a_while_is_forgotten():
    with extractors.temporary():
        register_extractor("mine")(type("Mine", (Plain,), {}))
        assert "mine" in extractors.names()
    assert "mine" not in extractors.names() and "gist" in extractors.names()
