from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone

from features.tags import TagMatrix
from methods.conformance.trial import query_items, take, training_items
from methods.deep.network import finished, first_output
from methods.deep.recipe import Recipe
from methods.deep.training import Batches
from methods.tag_vectors import word_vectors
from methods.tags.wp.joint import JointNetwork, JointObjective, outputs_in_search, start_as_long_as
from methods.tags.wp.semantic_words import sem_space
from methods.tags.wp.wp import (
    WPDRSCH,
    WPDSH,
    WPKSH,
    random_batches,
    steps_on_sem_vectors,
)

ALL = (WPKSH, WPDSH, WPDRSCH)


def fitted(cls=WPDSH, items=None, **parameters):
    items = items or training_items()
    settings = {"epochs": 3, "random_state": 0, **parameters}
    hasher = cls(8, **settings)
    return hasher.fit(items.X, **hasher.supervised_by(tags=items.tags, labels=items.labels))


def separation(hasher) -> float:
    """Mean Hamming distance of items from different clusters, less that within clusters."""
    items = query_items()
    codes = hasher.encode(items.X)
    distances = (codes[:, None] != codes).sum(axis=2)
    together = items.clusters[:, None] == items.clusters
    return distances[~together].mean() - distances[together].mean()


@pytest.mark.parametrize("cls", ALL)
def test_labels_are_asked_for_only_by_fine_tuning(cls):
    assert cls(8).uses == ("tags", "labels")
    assert cls(8, finetune=False).uses == ("tags",)
    items = training_items()
    given = cls(8, finetune=False).supervised_by(tags=items.tags, labels=items.labels)
    assert set(given) == {"tags"}
    with pytest.raises(ValueError, match="needs labels"):
        cls(8).fit(items.X, tags=items.tags)
    with pytest.raises(ValueError, match="needs tags"):
        cls(8, finetune=False).fit(items.X)


@pytest.mark.parametrize("cls", ALL)
def test_pre_training_alone_separates_what_has_different_tags(cls):
    hasher = fitted(cls, finetune=False, epochs=10)
    untrained = fitted(cls, finetune=False, epochs=1, lr=1e-9)
    assert separation(hasher) > 1.3 * separation(untrained)
    items = training_items()
    shuffled = np.random.default_rng(0).permutation(len(items.X))
    blind = fitted(cls, items._replace(tags=items.tags[shuffled]), finetune=False, epochs=10)
    assert separation(blind) < separation(hasher) / 1.5


@pytest.mark.parametrize("cls", ALL)
def test_fine_tuning_starts_from_the_pre_trained_weights(cls, monkeypatch):
    seen = {}

    def keep(self, network, X, targets):
        seen.update(parameters=clone(self).get_params(), targets=targets)
        seen["weights"] = {name: w.clone() for name, w in network.state_dict().items()}

    monkeypatch.setattr(cls.method, "train_supervised", keep)
    fitted(cls)
    alone = fitted(cls, finetune=False).network_.state_dict()
    assert set(seen["weights"]) == set(alone)
    for name, weights in seen["weights"].items():
        assert torch.equal(weights.double(), alone[name])
    assert seen["targets"] is not None
    X = cls.method(8, random_state=0)
    assert seen["parameters"] == {**X.get_params(), "patience": X.steps}


def test_fine_tuning_separates_better_than_pre_training_alone():
    assert separation(fitted()) > separation(fitted(finetune=False))


def test_labels_change_nothing_without_fine_tuning():
    items = training_items()
    others = items._replace(labels=~items.labels)
    first, second = (fitted(items=each, finetune=False) for each in (items, others))
    assert (first.project(items.X) == second.project(items.X)).all()


def test_images_without_a_tag_are_left_out_of_pre_training():
    items = training_items()
    tags = items.tags.copy()
    tags.data = np.repeat(np.arange(len(items.X)) < 800, np.diff(tags.indptr)).astype(np.uint8)
    tags.eliminate_zeros()
    X = items.X.copy()
    X[800:] = X[::-1][:400]
    hasher = fitted(items=items._replace(tags=tags), finetune=False)
    moved = fitted(items=items._replace(tags=tags, X=X), finetune=False)
    # Only the mean and the scale of the features, by which they are standardised, may differ.
    weights, others = (
        {k: v for k, v in each.network_.state_dict().items() if not k.startswith("front")}
        for each in (hasher, moved)
    )
    assert hasher.drift_ == pytest.approx(moved.drift_, abs=1e-3)
    assert all(torch.allclose(weights[k], others[k], atol=0.2) for k in weights)


def test_too_few_known_tags_are_refused():
    items = take(training_items(), slice(100))
    tags = items.tags.copy()
    tags.data = np.zeros_like(tags.data)
    with pytest.raises(ValueError, match="fewer than two images have a known tag"):
        fitted(items=items._replace(tags=tags), finetune=False)


def test_sem_vectors_stay_near_the_observed_ones():
    assert 0 < fitted(finetune=False).drift_ < 0.2
    assert fitted(finetune=False, beta=0.0, delta=0.0).drift_ == 0


def test_the_literal_objective_learns_too():
    hasher = fitted(finetune=False, scale="none", epochs=20)
    items = training_items()
    shuffled = np.random.default_rng(0).permutation(len(items.X))
    blind = items._replace(tags=items.tags[shuffled])
    blind = fitted(items=blind, finetune=False, scale="none", epochs=20)
    assert separation(hasher) > separation(blind) + 0.5


@cache
def few():
    """Three hundred items, and their tags with vectors that need not be trained for each fit."""
    items = take(training_items(), slice(300))
    vectors = word_vectors(items.tags) * np.linspace(1, 2, items.tags.shape[1])[:, None]
    return items._replace(tags=TagMatrix(items.tags, vectors=vectors))


#: One pass in which hardly anything moves, over one batch.
STILL = {"epochs": 1, "batch_size": 300, "lr": 1e-12, "optimizer": "sgd", "finetune": False}


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("scale", ["cosine", "none"])
def test_the_round_is_chosen_by_the_third_term_with_the_observed_sem_vectors(cls, scale):
    items = few()
    space = {"penalty": 0.3, "n_words": 7, "unit_vectors": False}
    weights = {"beta": 0.2, "delta": 0.1, "scale": scale}
    hasher = fitted(cls, items, validation=0.5, **STILL, **space, **weights)
    z, L = sem_space(items.tags, n_words=7, penalty=0.3, unit=False)
    objective = JointObjective(z, L, 0.2, 0.1, scale)
    batches = Batches(items.X, hasher.recipe(), np.random.default_rng(0), torch.device("cpu"))
    rows = batches.validation_rows
    h = torch.from_numpy(hasher.project(items.X[rows]))
    if scale == "cosine":
        h = (torch.tanh(h) if cls is WPDSH else h) / 8**0.5
    expected = objective.similarity(objective.z[rows].double(), h.double()) / len(rows) ** 2
    assert len(rows) == 150
    assert hasher.history_.validation == [pytest.approx(float(expected), rel=1e-4)]
    # What is trained on is a sum, over sem-vectors that have moved.
    assert hasher.history_.training[0] > 100 * hasher.history_.validation[0]


@pytest.mark.parametrize(("parameter", "other"), [("penalty", 0.5), ("unit_vectors", False)])
def test_how_words_are_coded_reaches_the_pre_training(parameter, other):
    losses = [
        fitted(items=few(), **STILL, **change).history_.training
        for change in ({}, {parameter: other})
    ]
    assert losses[0] != losses[1]


def test_steps_on_the_sem_vectors_go_down_from_ten_to_a_tenth_of_one(monkeypatch):
    steps, rounds = [], []
    real = JointObjective.step
    monkeypatch.setattr(JointObjective, "step", lambda *a: steps.append(a[2]) or real(*a))
    real_batches = Batches.training
    monkeypatch.setattr(
        Batches, "training", lambda self, n: rounds.append(len(steps)) or real_batches(self, n)
    )
    settings = {**STILL, "steps": 150, "epochs": None, "batch_size": 50, "validation": 0.0}
    fitted(items=few(), **settings)
    # Ten steps for each of the 50 steps of the first round, one in the second, a tenth in the last.
    assert rounds == [500, 550, 555]
    assert sorted(torch.cat(steps[:6]).tolist()) == list(range(300))


def test_codes_begin_as_long_as_sem_vectors_in_the_literal_objective_alone():
    items = few()
    z, _ = sem_space(items.tags, n_words=None, penalty=0.1)
    lengths = {
        scale: np.linalg.norm(fitted(items=items, scale=scale, **STILL).project(items.X), axis=1)
        for scale in ("none", "cosine")
    }
    wanted = np.sqrt((z**2).sum(axis=1).mean())
    assert np.sqrt((lengths["none"] ** 2).mean()) == pytest.approx(wanted, rel=1e-3)
    untrained = finished(WPDSH(8, random_state=0).supervised().make_network(items.X))
    assert lengths["cosine"] == pytest.approx(
        np.linalg.norm(first_output(untrained, items.X), axis=1), rel=1e-4
    )


def test_the_settings_of_the_paper_can_be_had():
    hasher = fitted(preset="paper", finetune=False)
    assert np.isfinite(hasher.project(query_items().X)).all()
    literal = hasher.in_force()
    assert (literal.n_words, literal.penalty, literal.unit_vectors) == (None, 0.4, False)
    assert (literal.scale, literal.batch_size, literal.validation) == ("none", 64, 0)
    assert (literal.optimizer, literal.lr) == ("adam", 1e-3)
    assert hasher.supervised().margin == 2.0
    assert hasher.supervised().optimizer == "sgd"
    assert len(hasher.history_.validation) == 0


@pytest.mark.parametrize("cls", ALL)
def test_codes_can_be_made_as_long_as_sem_vectors(cls):
    X = training_items().X
    network = cls(8, random_state=0).supervised().make_network(X)
    z = torch.full((50, 4), 0.05)
    recipe = Recipe(batch_size=100)
    start_as_long_as(z, network, X, recipe)
    h = torch.cat([h for h, _ in outputs_in_search(network, X, recipe, [np.arange(len(X))])])
    assert float(h.square().sum(dim=1).mean().sqrt()) == pytest.approx(0.1, rel=0.1)


def test_steps_go_from_ten_to_one_to_one_to_ten():
    passes = [steps_on_sem_vectors(step, 1000) for step in range(0, 1000, 50)]
    assert passes[0] == pytest.approx(10)
    assert passes[-1] == pytest.approx(0.1)
    ratios = np.array(passes[1:]) / passes[:-1]
    assert ratios == pytest.approx(ratios[0])
    assert steps_on_sem_vectors(0, 1) == pytest.approx(10)


def test_every_row_comes_once_before_any_comes_again():
    batches = list(random_batches(10, 4, 7, np.random.default_rng(0)))
    assert [len(rows) for rows in batches] == [4, 4, 2, 4, 4, 2, 4]
    for start in (0, 3):
        assert sorted(np.concatenate(batches[start : start + 3])) == list(range(10))


def test_checkpoints_hold_network_and_sem_vectors():
    network = WPDSH(8, random_state=0).supervised().make_network(training_items().X)
    z = torch.rand(5, 3)
    state = JointNetwork(network, z).state_dict()
    assert torch.equal(state["sem_vectors"], z)
    assert set(network.state_dict()) == set(state) - {"sem_vectors"}
