"""The training loop: what is learnt, what is kept, and what survives a kill."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from methods.deep import checkpoints
from methods.deep.context import TrainingContext, training_context, use_training_context
from methods.deep.recipe import ROUND, History, Recipe
from methods.deep.training import Batches, make_optimizer, precision, seeded, train


@pytest.fixture
def regression():
    """Items, targets that a linear map gives, and the loss of a network's outputs."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5)).astype(np.float32)
    y = torch.from_numpy(X @ rng.standard_normal((5, 2)).astype(np.float32))
    return X, lambda outputs, rows: (outputs - y[rows]).square().mean()


def network(seed=0):
    with seeded(seed):
        return nn.Linear(5, 2)


def weights(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def test_a_linear_map_is_found(regression):
    X, loss = regression
    for optimizer in ("adam", "sgd"):
        recipe = Recipe(epochs=100, batch_size=50, lr=0.05, optimizer=optimizer)
        history = train(network(), X, loss, recipe, seed=0)
        assert history.validation[history.best] < 1e-4 * history.validation[0]


def test_equal_seeds_give_equal_weights_and_leave_torch_alone(regression):
    X, loss = regression
    before = torch.get_rng_state()
    trained = [network() for _ in range(3)]
    for module, seed in zip(trained, (1, 1, 2), strict=True):
        train(module, X, loss, Recipe(epochs=3), seed=seed)
    assert torch.equal(weights(trained[0]), weights(trained[1]))
    assert not torch.equal(weights(trained[0]), weights(trained[2]))
    assert torch.equal(torch.get_rng_state(), before)


def test_every_item_is_trained_on_or_validated_with_never_both():
    X = np.zeros((300, 2), np.float32)
    recipe = Recipe(batch_size=30, validation=0.2)
    batches = Batches(X, recipe, np.random.default_rng(0), torch.device("cpu"))
    trained = torch.cat([rows for _, rows in batches.training(8)]).tolist()
    validated = torch.cat([rows for _, rows in batches.validation()]).tolist()
    assert len(validated) == 60
    assert sorted(trained + validated) == list(range(300))
    again = torch.cat([rows for _, rows in batches.training(8)]).tolist()
    assert again != trained
    assert sorted(again) == sorted(trained)


@pytest.mark.parametrize("size", [2, 3, 5, 8])
def test_no_batch_has_a_single_item(size):
    for n in range(2, 30):
        X = np.zeros((n, 2), np.float32)
        recipe = Recipe(batch_size=size)
        batches = Batches(X, recipe, np.random.default_rng(0), torch.device("cpu"))
        assert all(len(some) == min(size, n) for _, some in batches.training(5))
    for n in range(120, 140):
        X, recipe = np.zeros((n, 2), np.float32), Recipe(batch_size=size, validation=0.1)
        batches = Batches(X, recipe, np.random.default_rng(0), torch.device("cpu"))
        rows = [rows for _, rows in batches.validation()]
        assert torch.cat(rows).tolist() == batches.validation_rows.tolist()
        assert all(2 <= len(some) <= size + 1 for some in rows)


def test_batches_of_training_are_whole():
    X = np.zeros((70, 2), np.float32)
    recipe = Recipe(batch_size=16)
    batches = Batches(X, recipe, np.random.default_rng(0), torch.device("cpu"))
    first, second = (torch.cat([r for _, r in batches.training(4)]).tolist() for _ in "ab")
    # Six items of an epoch are left out, and other ones of the next.
    assert len(set(first)) == len(set(second)) == 64
    assert set(first) != set(second)


def test_epochs_do_not_begin_anew_with_each_round():
    X = np.zeros((300, 2), np.float32)
    recipe = Recipe(batch_size=30, validation=0.0)
    batches = Batches(X, recipe, np.random.default_rng(0), torch.device("cpu"))
    rounds = [torch.cat([rows for _, rows in batches.training(n)]) for n in (3, 4, 3)]
    assert sorted(torch.cat(rounds).tolist()) == list(range(300))


def test_the_validation_part_has_no_batch_of_one():
    # A tenth of 1,290 items is one item more than a batch.
    X = np.zeros((1290, 2), np.float32)
    batches = Batches(X, Recipe(), np.random.default_rng(0), torch.device("cpu"))
    assert [len(rows) for _, rows in batches.validation()] == [129]
    few = Recipe(validation=0.005)
    batches = Batches(X[:200], few, np.random.default_rng(0), torch.device("cpu"))
    assert len(batches.validation_rows) == 0


def test_one_item_is_nothing_to_train_on(regression):
    X, loss = regression
    with pytest.raises(ValueError, match="at least two items, not on 1"):
        train(network(), X[:1], loss, Recipe(), seed=0)


def test_few_items_are_all_trained_on():
    X = np.zeros((100, 2), np.float32)
    batches = Batches(X, Recipe(), np.random.default_rng(0), torch.device("cpu"))
    assert len(batches.validation_rows) == 0
    assert sum(len(rows) for _, rows in batches.training(1)) == 100


def test_the_best_round_is_kept_and_patience_ends_the_training(regression):
    X, loss = regression
    module, seen = network(), []

    def choose(outputs, rows):
        # Worse from the fourth round on, whatever the network does.
        return torch.tensor(float(abs(len(seen) - 4)))

    recipe = Recipe(steps=50 * ROUND, patience=5 * ROUND, lr=0.01)
    history = train(
        module,
        X,
        loss,
        recipe,
        seed=0,
        choose=choose,
        each_round=lambda step: seen.append(weights(module).clone()),
    )
    assert history.best == 3
    assert len(history.training) == 9
    assert torch.equal(weights(module), seen[4])


def test_a_loss_that_is_no_number_ends_with_a_clear_error(regression):
    X, _ = regression
    with pytest.raises(FloatingPointError, match="of pre-training is nan after 50 steps: lower"):
        train(
            network(), X, lambda o, rows: o.sum() * np.nan, Recipe(), seed=0, stage="pre-training"
        )


def test_a_validation_loss_that_is_no_number_is_an_error(regression):
    X, loss = regression
    with pytest.raises(FloatingPointError, match="on validation items is nan after 50 steps"):
        train(network(), X, loss, Recipe(), seed=0, choose=lambda o, rows: o.sum() * np.nan)


def test_the_validation_loss_is_the_mean_over_items_of_a_network_that_encodes(regression):
    X, _ = regression
    seen = []

    class Watched(nn.Linear):
        def forward(self, x):
            seen.append(self.training)
            return super().forward(x)

    def choose(outputs, rows):
        assert not torch.is_grad_enabled()
        return rows.double().mean()

    recipe = Recipe(epochs=1, batch_size=100, validation=0.5)
    module = Watched(5, 2)
    batches = Batches(X, recipe, np.random.default_rng(0), torch.device("cpu"))
    history = train(module, X, lambda o, rows: o.sum(), recipe, seed=0, choose=choose)
    # 150 items in batches of 100 and 50.
    assert history.validation == [pytest.approx(batches.validation_rows.mean())]
    assert seen == [True, False, False]


def test_sgd_has_momentum():
    module = network()
    before = module.bias.detach().clone()
    recipe = Recipe(epochs=1, batch_size=10, lr=0.1, optimizer="sgd", validation=0.0)
    train(module, np.zeros((20, 5)), lambda o, rows: o.sum(dim=1).mean(), recipe, seed=0)
    # Two steps along a gradient of 1: the first moves by lr, the second by lr (1 + 0.9).
    assert torch.allclose(module.bias, before - 0.1 * (1 + 1.9))


def test_weights_decay():
    module = network()
    before = module.weight.detach().clone()
    recipe = Recipe(epochs=1, lr=0.1, optimizer="sgd", weight_decay=0.5, validation=0.0)
    train(module, np.zeros((20, 5)), lambda o, rows: 0 * o.sum(), recipe, seed=0)
    assert torch.allclose(module.weight, 0.95 * before)
    (group,) = make_optimizer(module, Recipe(weight_decay=0.25)).param_groups
    assert group["weight_decay"] == 0.25


def test_cuda_devices_compute_in_bfloat16_which_has_the_range_of_single_precision(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    with pytest.warns(UserWarning) if not torch.cuda.is_available() else nullcontext():
        assert precision(torch.device("cuda")).fast_dtype == torch.bfloat16
    with precision(torch.device("cpu")):
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32


def test_a_killed_training_goes_on_where_it_was(regression, tmp_path, monkeypatch):
    X, loss = regression
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    recipe = Recipe(steps=7 * ROUND + 20, lr=0.01, schedule="cosine", batch_size=64)
    whole = network()
    expected = train(whole, X, loss, recipe, seed=3)

    def killed(step):
        if step == 5 * ROUND:
            raise KeyboardInterrupt

    steps = []
    with use_training_context(TrainingContext(checkpoints=tmp_path)):
        with pytest.raises(KeyboardInterrupt):
            train(network(), X, loss, recipe, seed=3, each_round=killed)
        resumed = network(9)
        history = train(resumed, X, loss, recipe, seed=3, each_round=steps.append)
        assert steps == [5 * ROUND, 6 * ROUND, 7 * ROUND]
        assert history == expected
        assert torch.equal(weights(resumed), weights(whole))
        # Whatever the device: nothing but weights, the optimizer's state and where it was.
        state = torch.load(tmp_path / "training.pt", weights_only=True)
        places = {"digest", "history", "best", "torch_rng", "cuda_rng"}
        assert set(state) == {"network", "optimizer", "batches", *places}


def test_a_finished_training_is_not_repeated_and_another_one_not_taken_for_it(
    regression, tmp_path, monkeypatch
):
    X, loss = regression
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)

    def rounds_of(X=X, seed=3, depends_on=None, **recipe):
        rounds = []
        recipe = Recipe(**{"steps": 2 * ROUND, "lr": 0.01, **recipe})
        arguments = {"seed": seed, "depends_on": depends_on, "each_round": rounds.append}
        train(network(), X, loss, recipe, **arguments)
        return len(rounds)

    margins = {"margin": 0.2, "targets": np.arange(3)}
    others = (
        {"seed": 4},
        {"lr": 0.02},
        {"X": X[::-1]},
        {"depends_on": {**margins, "margin": 0.3}},
        {"depends_on": {**margins, "targets": np.arange(3)[::-1]}},
    )
    with use_training_context(TrainingContext(checkpoints=tmp_path)):
        for other in others:
            whole = {"depends_on": margins}
            assert rounds_of(**whole) == 2
            assert rounds_of(**whole) == 0
            assert rounds_of(**{**whole, **other}) == 2, other


def test_a_damaged_checkpoint_is_started_again(regression, tmp_path, monkeypatch):
    X, loss = regression
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    (tmp_path / "training.pt").write_bytes(b"PK\x03\x04 half a file")
    with use_training_context(TrainingContext(checkpoints=tmp_path)):
        history = train(network(), X, loss, Recipe(epochs=2), seed=0)
    assert history.steps == 4


def test_short_trainings_leave_no_checkpoint(regression, tmp_path):
    X, loss = regression
    with use_training_context(TrainingContext(checkpoints=tmp_path)):
        train(network(), X, loss, Recipe(epochs=2), seed=0)
    assert not list(tmp_path.iterdir())
    assert training_context().checkpoints is None


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_new_layers_and_the_backbone_have_the_rates_of_the_recipe(optimizer):
    class WithBackbone(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Linear(3, 3)
            self.head = nn.Linear(3, 2)

    module = WithBackbone()
    made = make_optimizer(module, Recipe(lr=0.5, backbone_lr=0.02, optimizer=optimizer))
    assert type(made).__name__.lower() == optimizer
    new, pretrained = made.param_groups
    assert (new["lr"], pretrained["lr"]) == (0.5, 0.02)
    assert set(pretrained["params"]) == set(module.backbone.parameters())
    assert set(new["params"]) == set(module.head.parameters())


def test_history_without_validation_keeps_the_last_round():
    history = History(training=[2.0, 3.0])
    assert history.improves()


def test_the_learning_rate_is_halved_on_and_on(regression, monkeypatch):
    X, loss = regression
    rates = []
    real = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD,
        "step",
        lambda self, *a, **k: rates.append(self.param_groups[0]["lr"]) or real(self, *a, **k),
    )
    recipe = Recipe(
        epochs=3, batch_size=60, lr=0.08, optimizer="sgd", halve_every=4, validation=0.0
    )
    train(network(), X, loss, recipe, seed=0)
    # Five steps an epoch.
    assert rates == [0.08] * 4 + [0.04] * 4 + [0.02] * 4 + [0.01] * 3
