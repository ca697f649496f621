from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.conformance.trial import Trial, query_items, take, training_items
from methods.labels.deep_dsh import DeepDSH, pair_loss, regulariser

U = torch.tensor([[0.5, -1.2], [1.0, -0.8], [-0.6, 0.9]], dtype=torch.float64)
SIMILAR = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)


def test_the_loss_of_three_items_is_that_computed_by_hand():
    # Only the similar pair counts: d^2 = 0.41; both others are farther apart than M = 4.
    assert float(pair_loss(U, SIMILAR, 4.0)) == pytest.approx(0.205 / 3)
    assert float(regulariser(U)) == pytest.approx(1.4 / 3)
    total = pair_loss(U, SIMILAR, 4.0) + 0.01 * regulariser(U)
    assert float(total) == pytest.approx(0.0730, abs=5e-5)


def test_the_method_minimises_that_loss():
    hasher = DeepDSH(2, alpha=0.01, margin=2.0)
    loss = hasher.make_loss(None, lambda rows: SIMILAR)
    assert float(loss(U, torch.arange(3))) == pytest.approx(0.0730, abs=5e-5)


def test_the_preset_reaches_the_loss_and_the_head():
    literal = DeepDSH(2, margin=9.0, alpha=9.0, dropout=0.9, preset="paper")
    loss = literal.make_loss(None, lambda rows: SIMILAR)
    assert float(loss(U, torch.arange(3))) == pytest.approx(0.0730, abs=5e-5)
    for hasher, dropout in ((literal, 0.0), (DeepDSH(2, dropout=0.3), 0.3)):
        (layer,) = (part for part in hasher.make_head(5) if isinstance(part, torch.nn.Dropout))
        assert layer.p == dropout


def test_training_minimises_that_loss():
    items = take(training_items(), slice(300))
    still = {"epochs": 1, "batch_size": 300, "lr": 1e-12, "optimizer": "sgd", "dropout": 0.0}
    hasher = DeepDSH(6, alpha=0.2, margin=1.5, random_state=0, **still)
    similar = torch.from_numpy((items.labels.astype(int) @ items.labels.T) > 0)
    network = hasher.make_network(items.X)
    history = hasher.fit(items.X, labels=items.labels).history_
    u = network(torch.tensor(items.X).float())
    expected = pair_loss(u, similar, 9.0) + 0.2 * regulariser(u)
    assert history.training == [pytest.approx(expected.item(), rel=1e-4)]


def test_the_preset_holds_the_settings_of_the_released_program():
    recipe = DeepDSH(preset="paper").recipe()
    assert (recipe.steps, recipe.epochs, recipe.batch_size) == (70_000, None, 200)
    assert (recipe.optimizer, recipe.lr, recipe.weight_decay) == ("sgd", 1e-3, 0.004)
    assert (recipe.schedule, recipe.validation) == ("constant", 0.0)


def test_a_validation_part_with_one_item_more_than_a_batch_is_validated_with():
    items = training_items()
    hasher = DeepDSH(6, epochs=2, batch_size=7, validation=0.1, random_state=0)
    history = hasher.fit(items.X, labels=items.labels).history_
    assert history.best >= 0 and np.isfinite(history.validation).all()


def test_the_pair_loss_is_that_of_a_loop_over_pairs():
    rng = np.random.default_rng(0)
    u, similar = rng.standard_normal((12, 4)), rng.random((12, 12)) < 0.3
    similar |= similar.T
    terms = []
    for i in range(12):
        for j in range(i):
            d2 = ((u[i] - u[j]) ** 2).sum()
            terms.append(0.5 * d2 if similar[i, j] else 0.5 * max(0, 8 - d2))
    loss = pair_loss(torch.from_numpy(u), torch.from_numpy(similar), 8.0)
    assert float(loss) == pytest.approx(np.mean(terms))


def test_gradients_are_those_of_finite_differences_away_from_the_kinks():
    rng = np.random.default_rng(1)
    u = torch.from_numpy(rng.choice([-1.5, -0.6, 0.4, 1.7], (6, 4)) + 0.1 * rng.random((6, 4)))
    similar = torch.from_numpy(np.equal.outer(np.arange(6) % 2, np.arange(6) % 2))
    u.requires_grad_()
    assert torch.autograd.gradcheck(lambda u: pair_loss(u, similar, 8.0), u)
    assert torch.autograd.gradcheck(regulariser, u)


def test_the_regulariser_pulls_towards_the_nearer_corner():
    u = torch.tensor([[1.5, 0.4, -0.4, -1.5]], requires_grad=True)
    regulariser(u).backward()
    assert u.grad.tolist() == [[1, -1, 1, -1]]


def test_dissimilar_pairs_beyond_the_margin_have_no_gradient():
    u = torch.tensor([[3.0, 3.0], [-3.0, -3.0], [3.0, -3.0]], requires_grad=True)
    pair_loss(u, torch.eye(3, dtype=torch.bool), 4.0).backward()
    assert not u.grad.any()
    pair_loss(u, torch.eye(3, dtype=torch.bool), 40.0).backward()
    assert u.grad.any()


def test_similar_items_get_nearer_codes_than_others():
    items, queries = training_items(), query_items()
    hasher = Trial(DeepDSH, {"epochs": 10}).make(8).fit(items.X, labels=items.labels)
    distances = (hasher.encode(queries.X)[:, None] != hasher.encode(items.X)).sum(axis=2)
    same = queries.clusters[:, None] == items.clusters
    assert distances[same].mean() < 0.25 * distances[~same].mean()


def test_the_loss_falls():
    items = training_items()
    history = DeepDSH(8, epochs=8, random_state=0).fit(items.X, labels=items.labels).history_
    assert history.training[-1] < 0.5 * history.training[0]
    assert not history.validation
