from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.conformance.trial import query_items, take, training_items
from methods.labels.drsch import DRSCH, WeightedBits, affinity, smoothness, triplet_loss


def _case(k=14, b=4, seed=0, n_classes=3):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, n_classes, k)
    z = torch.from_numpy(rng.standard_normal((k, b)))
    return z, torch.from_numpy(np.equal.outer(classes, classes))


def _by_loops(z, similar, margin, n_negatives):
    """Mean hinge over triplets chosen one by one."""
    z, similar, terms = z.numpy(), similar.numpy(), []

    def distance(i, j):
        return ((z[i] - z[j]) ** 2).sum()

    for q in range(len(z)):
        for p in range(len(z)):
            if p == q or not similar[q, p]:
                continue
            ns = [n for n in range(len(z)) if n != q and not similar[q, n]]
            if n_negatives is not None:
                ns = [n for n in ns if distance(q, n) > distance(q, p)]
                ns = sorted(ns, key=lambda n: distance(q, n))[:n_negatives]
            terms += [max(0, margin + distance(q, p) - distance(q, n)) for n in ns]
    return np.mean(terms)


@pytest.mark.parametrize("n_negatives", [None, 1, 3, 10])
def test_the_triplet_loss_is_that_of_loops_over_triplets(n_negatives):
    for seed in range(3):
        z, similar = _case(seed=seed)
        expected = _by_loops(z, similar, 5.0, n_negatives)
        assert float(triplet_loss(z, similar, 5.0, n_negatives)) == pytest.approx(expected)


def test_three_items_by_hand():
    z = torch.tensor([[1.0, 1.0], [1.0, 0.0], [-1.0, 1.0]])
    similar = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    # ||z_q - z_p||^2 = 1; the third item is 4 away from the first and 5 from the second.
    assert float(triplet_loss(z, similar, 5.0, 10)) == pytest.approx((2 + 1) / 2)


def test_nothing_is_lost_once_all_triplets_are_satisfied():
    corners = torch.tensor([[3.0, 3.0], [3.0, 3.0], [-3.0, -3.0], [-3.0, -3.0]])
    classes = torch.tensor([0, 0, 1, 1])
    hasher = DRSCH(2, margin=5.0, laplacian=0.0)
    head = hasher.make_head(3)
    loss = hasher.make_loss(head, lambda rows: classes[:, None] == classes)
    v = corners.requires_grad_()
    value = loss(v, torch.arange(4))
    value.backward()
    assert value.item() == 0
    assert not v.grad.any()
    assert loss(v / 9, torch.arange(4)).item() > 0


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_loss_is_that_of_hard_triplets_in_training_and_of_all_in_validation(preset):
    v, similar = _case()
    settings = {"kappa": 1.5, "margin": 3.0, "n_negatives": 2, "laplacian": 0.04, "dropout": 0.3}
    hasher = DRSCH(4, preset=preset, **settings)
    c, laplacian, kappa = (5.0, 1e-3, 5.0) if preset == "paper" else (3.0, 0.04, 1.5)
    head = hasher.make_head(3)
    assert head.kappa == kappa and head.hidden[-1].share == 0.3
    head.weights.data = torch.tensor([0.5, -2.0, 1.0, 0.1])
    loss, z = hasher.make_loss(head, lambda rows: similar), v * head.weights
    for training, n_negatives in ((True, 2), (False, None)):
        head.train(training)
        expected = triplet_loss(z, similar, c, n_negatives) + laplacian * smoothness(z, similar)
        assert loss(v, torch.arange(14)).item() == pytest.approx(expected.item())
    assert triplet_loss(z, similar, c, 2) != triplet_loss(z, similar, c, None)


def test_the_margin_is_the_number_of_trained_bits_where_none_is_given():
    v, similar = _case()
    hasher = DRSCH(3, n_trained=4, laplacian=0.0)
    head = hasher.make_head(3).eval()
    loss = hasher.make_loss(head, lambda rows: similar)(v, torch.arange(14))
    assert float(loss) == pytest.approx(float(triplet_loss(v, similar, 4.0, None)))


def test_dropout_of_hidden_units_reaches_the_training():
    items = take(training_items(), slice(300))
    losses = [
        DRSCH(6, epochs=1, dropout=dropout, random_state=0)
        .fit(items.X, labels=items.labels)
        .history_.training
        for dropout in (0.0, 0.5)
    ]
    assert losses[0] != losses[1]


def test_the_preset_holds_the_settings_of_the_released_program():
    recipe = DRSCH(preset="paper").recipe()
    assert (recipe.batch_size, recipe.optimizer, recipe.weight_decay) == (100, "sgd", 5e-4)
    assert (recipe.steps, recipe.schedule) == (800_000, "constant")
    assert recipe.lr == pytest.approx(0.00333, abs=1e-5) and recipe.validation == 0


def test_items_without_positives_or_negatives_do_no_harm():
    z = torch.randn(5, 3, requires_grad=True)
    for similar in (torch.eye(5, dtype=torch.bool), torch.ones(5, 5, dtype=torch.bool)):
        for n_negatives in (None, 10):
            loss = triplet_loss(z, similar, 5.0, n_negatives)
            loss.backward()
            assert loss.item() == 0
            assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("n_negatives", [None, 2])
def test_gradients_are_those_of_finite_differences(n_negatives):
    z, similar = _case(k=9, b=3)
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: triplet_loss(z, similar, 5.0, n_negatives), z)
    assert torch.autograd.gradcheck(lambda z: smoothness(z, similar), z)


def test_the_laplacian_is_positive_semi_definite_with_zero_row_sums():
    z, similar = _case()
    W = affinity(similar).double()
    L = torch.diag(W.sum(dim=1)) - W
    assert L.sum(dim=1).numpy() == pytest.approx(np.zeros(14), abs=1e-6)
    assert torch.linalg.eigvalsh(L).min() > -1e-6
    assert smoothness(z, similar).item() == pytest.approx(float(torch.trace(z.T @ L @ z)))
    z.requires_grad_()
    (gradient,) = torch.autograd.grad(smoothness(z, similar), z)
    assert gradient.numpy() == pytest.approx((2 * L @ z).detach().numpy(), abs=1e-6)


def test_outputs_are_the_scaled_tanh_of_the_last_layer():
    head = WeightedBits(6, 4, kappa=5.0, dropout=0.0)
    x = torch.randn(3, 6)
    a = head.bits(head.hidden(x))
    assert torch.allclose(head(x), 2 / (1 + torch.exp(-5 * a)) - 1, atol=1e-6)
    assert head.weights.tolist() == [1, 1, 1, 1]


def test_the_bits_of_largest_weight_are_kept():
    head, x = WeightedBits(6, 5, kappa=1.0, dropout=0.0), torch.randn(3, 6)
    head.weights.data = torch.tensor([0.1, -2.0, 0.5, 1.0, -0.2])
    before = head(x)
    head.keep(3)
    assert torch.allclose(head(x), before[:, [1, 2, 3]], atol=1e-6)
    assert head.weights.tolist() == [-2.0, 0.5, 1.0]


def test_more_bits_may_be_trained_than_are_kept():
    items, queries = training_items(), query_items()
    hasher = DRSCH(6, n_trained=12, epochs=4, random_state=0).fit(items.X, labels=items.labels)
    assert hasher.encode(queries.X).shape == (40, 6)
    assert hasher.weights_.shape == (6,)
    # They are those six of the twelve that a fit of all twelve weighs most.
    whole = DRSCH(12, epochs=4, random_state=0).fit(items.X, labels=items.labels)
    kept = np.sort(np.argsort(-np.abs(whole.weights_))[:6])
    assert len(np.unique(whole.weights_)) > 6
    assert (hasher.encode(queries.X) == whole.encode(queries.X)[:, kept]).all()
    with pytest.raises(ValueError, match="n_trained >= 8"):
        DRSCH(8, n_trained=6).fit(items.X, labels=items.labels)


def test_similar_items_get_nearer_codes_than_others():
    items, queries = training_items(), query_items()
    hasher = DRSCH(8, epochs=8, random_state=0).fit(items.X, labels=items.labels)
    distances = (hasher.encode(queries.X)[:, None] != hasher.encode(items.X)).sum(axis=2)
    same = queries.clusters[:, None] == items.clusters
    assert distances[same].mean() < 0.25 * distances[~same].mean()
