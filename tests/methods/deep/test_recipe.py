"""What a recipe can be, and that every method says all of its own."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.registry import methods
from methods import Hasher, make
from methods.deep.recipe import ROUND, History, Recipe

#: Every method that trains a network.
TRAINED = [entry.name for entry in methods.entries() if "batch_size" in entry.parameters]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("epochs", 0, "epochs must be at least 1, not 0"),
        ("epochs", -1, "epochs must be at least 1, not -1"),
        ("steps", 0, "steps must be at least 1, not 0"),
        ("steps", None, "a training without steps and epochs never ends"),
        ("schedule", "linear", "schedule must be constant or cosine, not 'linear'"),
        ("batch_size", 1, "batch_size must be at least 2, not 1"),
        ("patience", 0, "patience must be at least 1, not 0"),
        ("lr", -1e-3, "lr must be at least 0.0, not -0.001"),
        ("lr", 0.0, "lr must be above 0"),
        ("lr", float("nan"), "lr must be at least 0.0, not nan"),
        ("backbone_lr", -1.0, "backbone_lr must be at least"),
        ("weight_decay", -1.0, "weight_decay must be at least"),
        ("halve_every", -1, "halve_every must be at least"),
        ("validation", -0.1, "validation must be at least"),
        ("validation", 1.0, "validation must be below 1, not 1.0"),
    ],
)
def test_numbers_outside_their_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{field: value})


@pytest.mark.parametrize("name", TRAINED)
def test_every_method_refuses_what_its_recipe_refuses(name):
    assert len(TRAINED) >= 10
    with pytest.raises(ValueError, match="epochs must be at least 1, not 0"):
        make(name, epochs=0).check_parameters()
    with pytest.raises(ValueError, match="batch_size must be at least 2"):
        make(name, batch_size=1).check_parameters()


@pytest.mark.parametrize("name", TRAINED)
def test_every_parameter_that_is_named_as_a_field_is_that_field(name):
    hasher = make(name)
    recipe = hasher.recipe()
    for parameter, value in hasher.get_params().items():
        if hasattr(recipe, parameter):
            assert getattr(recipe, parameter) == value


@pytest.mark.parametrize("name", TRAINED)
def test_presets_reach_the_recipe(name):
    for preset, values in make(name).presets.items():
        recipe = make(name, preset=preset).recipe()
        for field, value in values.items():
            if hasattr(recipe, field):
                assert getattr(recipe, field) == value, (preset, field)


class Misspelt(Hasher):
    """Has batchsize for batch_size."""

    def __init__(self, n_bits=8, *, epochs=3, batchsize=7, lr=0.1, random_state=None):
        self.n_bits = n_bits
        self.epochs = epochs
        self.batchsize = batchsize
        self.lr = lr
        self.random_state = random_state


#: What Misspelt has no parameter for on purpose.
REST = {
    "backbone_lr": 0.0,
    "optimizer": "sgd",
    "steps": None,
    "weight_decay": 0.0,
    "schedule": "constant",
    "halve_every": 0,
    "validation": 0.0,
    "patience": 1,
}


def test_a_field_that_neither_the_method_nor_anyone_else_gives_is_an_error():
    with pytest.raises(TypeError, match="Misspelt has no parameter batch_size"):
        Recipe.of(Misspelt(), **REST)
    recipe = Recipe.of(Misspelt(), batch_size=5, **REST)
    assert recipe == Recipe(epochs=3, lr=0.1, batch_size=5, **REST)
    with pytest.raises(TypeError, match="epochs"):
        Recipe.of(Misspelt(), batch_size=5, epochs=4, **REST)
    with pytest.raises(TypeError, match="batchsize"):
        Recipe.of(Misspelt(), batch_size=5, batchsize=4, **REST)


def test_patience_counts_steps_from_the_best_round():
    losses = {"training": [3.0, 2.0, 1.0, 1.0], "validation": [2.0, 1.0, 1.5, 1.6]}
    history = History(**losses, best=1, steps=4 * ROUND)
    assert not history.improves()
    # Two rounds brought nothing better.
    patient = [1, 2 * ROUND, 2 * ROUND + 1]
    assert [history.ended(9 * ROUND, p) for p in patient] == [True, True, False]
    assert history.ended(4 * ROUND, 10**6)
    assert not History().ended(1, 1)


def test_the_budget_that_is_spent_first_ends_a_training():
    # 1,000 items are 8 batches of 120 a pass.
    both = {"batch_size": 120, "steps": 100}
    assert Recipe(**both).n_steps(1000) == 100
    assert Recipe(**both, epochs=3).n_steps(1000) == 24
    assert Recipe(**both, epochs=30).n_steps(1000) == 100
    assert Recipe(batch_size=120, steps=None, epochs=30).n_steps(1000) == 240
    assert Recipe(**both, epochs=30).n_steps(50) == 30
    assert Recipe(**both).n_seen(1000) == 12_000
    assert Recipe(**both).n_seen(50) == 5000


@pytest.mark.parametrize("name", TRAINED)
def test_no_default_takes_more_steps_on_more_items(name):
    recipe = make(name).recipe()
    assert recipe.n_steps(100_000) == recipe.n_steps(4500) <= 2000


def test_rates_fall_along_half_a_cosine_and_by_halves():
    cosine = Recipe(schedule="cosine")
    rates = [cosine.rate(step, 400) for step in (0, 100, 200, 400)]
    assert rates == pytest.approx([1, (1 + 0.5**0.5) / 2, 0.5, 0])
    assert [Recipe(halve_every=10).rate(step, 400) for step in (0, 9, 10, 25)] == [1, 1, 0.5, 0.25]
    assert Recipe().rate(399, 400) == 1


def test_the_command_refuses_a_training_without_epochs(run):
    for epochs in (0, -1):
        arguments = ("--features", "blobs", "--methods", f"wdht[epochs={epochs}]", "--bits", "8")
        status, _, err = run(*arguments)
        assert status == 2
        assert f"epochs must be at least 1, not {epochs}" in err


def test_fit_refuses_it_too(features):
    tags = np.ones((len(features), 1))
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        make("binary-tag", epochs=-1).fit(features, tags=tags)
