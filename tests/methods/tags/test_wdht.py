"""The losses of WDHT against values worked out by hand, and what its parameters change."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from features.tags import TagMatrix
from methods.conformance.trial import query_items, take, training_items
from methods.tag_vectors import image_vectors, word_vectors
from methods.tags.wdht import (
    WDHT,
    TwoHeads,
    code_distances,
    pair_loss,
    quantisation_loss,
    ranking_loss,
)

# By hand: three items, two bits; the first two alone are a case of their own.
H = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.8, 0.3]], dtype=torch.float64)
W = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=torch.float64)
F = torch.tensor([[0.5, 0.2], [0.3, 0.1], [0.0, 0.4]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("k", "L1", "L2", "L3"), [(2, 0.0002, 0.4, -0.25), (3, 0.1455, 1.2, -0.315)]
)
def test_losses_of_the_worked_example(k, L1, L2, L3):
    h, w, f = H[:k], W[:k], F[:k]
    assert float(pair_loss(h, w)) == pytest.approx(L1 / k**2)
    assert float(ranking_loss(f, w, 0.2)) == pytest.approx(L2 / k**2)
    assert float(quantisation_loss(h)) == pytest.approx(L3 / k)


def test_the_totals_of_the_worked_example():
    total = pair_loss(H, W) + 10 * ranking_loss(F, W, 0.2) + quantisation_loss(H)
    assert float(total) == pytest.approx(1.2445, abs=1e-6)
    summed = 9 * pair_loss(H, W) + 90 * ranking_loss(F, W, 0.2) + 3 * quantisation_loss(H)
    assert float(summed) == pytest.approx(11.8305)


def test_without_the_half_the_target_is_one_less_the_cosine():
    expected = 2 * (0.49 - 1) ** 2 / 4
    assert float(pair_loss(H[:2], W[:2], half=False)) == pytest.approx(expected)


def test_losses_do_not_depend_on_the_order_of_the_batch():
    order = [2, 0, 1]
    assert torch.allclose(pair_loss(H, W), pair_loss(H[order], W[order]))
    assert torch.allclose(ranking_loss(F, W, 0.2), ranking_loss(F[order], W[order], 0.2))
    assert torch.allclose(quantisation_loss(H), quantisation_loss(H[order]))


def test_the_pair_loss_ignores_the_length_of_targets_and_vanishes_on_them():
    assert torch.allclose(pair_loss(H, W), pair_loss(H, 7 * W))
    h = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    assert float(pair_loss(h, torch.eye(2, dtype=torch.float64))) == pytest.approx(0)
    assert torch.isfinite(pair_loss(H, torch.zeros_like(W)))


def test_distances_of_binary_outputs_are_shares_of_differing_bits():
    bits = torch.randint(0, 2, (6, 9), dtype=torch.float64)
    expected = (bits[:, None] != bits).double().mean(dim=2)
    assert torch.allclose(code_distances(bits), expected)


def test_gradients_agree_with_finite_differences():
    rng = torch.Generator().manual_seed(0)
    h, f = (torch.rand(4, 3, generator=rng, dtype=torch.float64) for _ in range(2))
    w = torch.randn(4, 3, generator=rng, dtype=torch.float64)
    h.requires_grad_(True), f.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda h: pair_loss(h, w), h)
    assert torch.autograd.gradcheck(lambda f: ranking_loss(f, w, 0.2), f)
    assert torch.autograd.gradcheck(quantisation_loss, h)


def test_bits_are_outputs_above_one_half():
    items = training_items()
    hasher = WDHT(8, epochs=3, random_state=0).fit(items.X, tags=items.tags)
    outputs = hasher.network_(torch.tensor(query_items().X))
    h = torch.sigmoid(outputs[0]).numpy()
    assert (hasher.encode(query_items().X) == (h > 0.5)).all()
    assert outputs[1].abs().max() <= 1


def test_images_without_a_word_vector_are_not_trained_on():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6))
    hot = np.eye(3, dtype=bool)[np.arange(200) % 3]
    vectors = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)
    tags = TagMatrix(csr_array(hot), words=("a", "b", "c"), vectors=vectors)
    moved = X.copy()
    moved[hot[:, 2]] = rng.standard_normal((hot[:, 2].sum(), 6))
    first, second = (
        WDHT(8, epochs=2, random_state=0).fit(some, tags=tags).project(X) for some in (X, moved)
    )
    assert np.array_equal(first, second)


@cache
def few():
    """Three hundred items, and their tags with vectors that need not be trained for each fit."""
    items = take(training_items(), slice(300))
    return items.X, TagMatrix(items.tags, vectors=word_vectors(items.tags))


#: One batch of all items, in which hardly anything moves.
STILL = {
    "epochs": 1,
    "batch_size": 300,
    "lr": 1e-12,
    "optimizer": "sgd",
    "dropout": 0.0,
    "validation": 0.0,
    "random_state": 0,
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("aggregation", "base", "form", "half"),
    [
        ("mean", "assignments", "centred", True),
        ("itf", "images", "raw", True),
        ("itf", "assignments", "unit", False),
        ("tf", "images", "raw", False),
    ],
)
def test_the_loss_is_the_weighted_sum_of_the_three(reduction, aggregation, base, form, half):
    X, tags = few()
    weights = {"lambda1": 0.7, "lambda2": 3.0, "lambda3": 0.2}
    targets = {"aggregation": aggregation, "base": base, "targets": form}
    hasher = WDHT(6, margin=0.4, half=half, reduction=reduction, **weights, **targets, **STILL)
    hasher.fit(X, tags=tags)
    logits, f = hasher.network_(torch.tensor(X))
    h = torch.sigmoid(logits)
    w = torch.from_numpy(image_vectors(tags, aggregation, base, form)).to(f.dtype)
    pairs, items = (300**2, 300) if reduction == "sum" else (1, 1)
    expected = 0.7 * pairs * pair_loss(h, w, half=half)
    expected += 3.0 * pairs * ranking_loss(f, w, 0.4) + 0.2 * items * quantisation_loss(h)
    assert hasher.history_.training == [pytest.approx(float(expected), rel=1e-4)]


def test_the_round_is_chosen_by_the_losses_of_the_bits():
    X, tags = few()
    weights = {"lambda1": 0.0, "lambda3": 0.0, "validation": 0.5}
    history = WDHT(6, **{**STILL, **weights}).fit(X, tags=tags).history_
    assert history.validation == [0] and history.training[0] > 0


def test_the_shared_layer_is_a_relu_and_dropout_stands_before_it():
    head = TwoHeads(4, 3, 5, dropout=0.5).eval()
    x, layer = torch.randn(20, 4), head.shared[1]
    units = torch.relu(x @ layer.weight.T + layer.bias)
    assert units.shape == (20, 256) and (units == 0).any()
    bits, words = head(x)
    assert torch.allclose(bits, head.bits(units), atol=1e-6)
    assert torch.allclose(words, torch.tanh(head.words(units)), atol=1e-6)
    assert not torch.allclose(head.train()(x)[0], bits)


def test_dropout_reaches_the_network():
    X, tags = few()
    with_dropout = WDHT(6, **{**STILL, "dropout": 0.5}).fit(X, tags=tags)
    without = WDHT(6, **STILL).fit(X, tags=tags)
    assert with_dropout.history_.training != without.history_.training


def test_images_that_say_nothing_are_no_training_set():
    X, tags = few()
    blank = TagMatrix(tags, vectors=np.zeros((tags.shape[1], 5), dtype=np.float32))
    with pytest.raises(ValueError, match="WDHT: fewer than two training images carry a tag with"):
        WDHT(6).fit(X, tags=blank)
    with pytest.raises(ValueError, match="WDHT: needs tags"):
        WDHT(6).fit(X)


def test_presets_set_the_literal_parameters():
    literal, code = (WDHT(preset=preset).in_force() for preset in ("paper", "code"))
    for settings in (literal, code):
        assert (settings.targets, settings.steps, settings.schedule) == ("raw", None, "constant")
        assert (settings.lambda1, settings.lambda2, settings.lambda3) == (1, 10, 1)
        assert (settings.optimizer, settings.epochs, settings.batch_size) == ("sgd", 50, 50)
        assert (settings.dropout, settings.validation) == (0, 0)
    assert (literal.half, literal.reduction) == (True, "sum")
    assert (literal.lr, literal.backbone_lr) == (1e-5, 1e-6)
    assert (code.half, code.reduction) == (False, "mean")
    assert (code.lr, code.backbone_lr) == (1e-3, 1e-4)
    with pytest.raises(ValueError, match="preset must be default or paper or code, not 'papr'"):
        WDHT(preset="papr").fit(training_items().X, tags=training_items().tags)
    with pytest.raises(ValueError, match="aggregation must be mean or tf or itf"):
        WDHT(aggregation="sum").check_parameters()
