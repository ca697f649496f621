"""The losses of WDHT against values worked out by hand, and what its parameters change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from features.tags import TagMatrix
from methods.conformance.trial import query_items, training_items
from methods.tags.wdht import WDHT, code_distances, pair_loss, quantisation_loss, ranking_loss

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


def test_parameters_reach_the_losses():
    items = training_items()
    plain = {"epochs": 1, "random_state": 0}
    scores = [
        WDHT(8, **plain, **change).fit(items.X, tags=items.tags).project(items.X[:5])
        for change in (
            {},
            {"aggregation": "tf"},
            {"aggregation": "itf"},
            {"lambda1": 2.0},
            {"lambda2": 1.0},
            {"lambda3": 1.0},
            {"margin": 1.0},
            {"half": False},
            {"reduction": "sum"},
            {"unit_targets": True},
            {"dropout": 0.0},
        )
    ]
    for changed in scores[1:]:
        assert not np.allclose(changed, scores[0])


def test_presets_set_the_literal_parameters():
    literal = WDHT(preset="paper").in_force()
    assert (literal.lambda1, literal.lambda2, literal.lambda3) == (1, 10, 1)
    assert (literal.optimizer, literal.lr, literal.epochs) == ("sgd", 1e-3, 50)
    assert literal.half
    assert not WDHT(preset="code").in_force().half
    with pytest.raises(ValueError, match="preset must be default or paper or code, not 'papr'"):
        WDHT(preset="papr").fit(training_items().X, tags=training_items().tags)
    with pytest.raises(ValueError, match="aggregation must be mean or tf or itf"):
        WDHT(aggregation="sum").check_parameters()
