"""Deep hashing: its objective, where it starts, and what training does to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.algebra.pca import principal_axes
from methods.unsupervised.dh import DH, TanhLayers, deep_hashing_loss, layer_sizes


@pytest.fixture
def head(features):
    return TanhLayers(principal_axes(features, 6), (6, 5, 4)).double()


def test_the_objective_of_an_example_by_hand(features):
    head = TanhLayers(principal_axes(features, 2), (2, 2))
    H = torch.tensor([[0.5, -0.5], [1.0, 0.5]])
    # Means 0.75 and 0; the layers start orthogonal, with four squared entries of 1 in all.
    quantisation = (0.25 + 0.25 + 0 + 0.25) / 4
    variance = (2 * 0.0625 + 2 * 0.25) / 4
    loss = deep_hashing_loss(H, head, 3.0, 7.0, 0.1)
    assert loss.item() == pytest.approx(quantisation - 3 * variance + 0.05 * 4)
    about_zero = deep_hashing_loss(H, head, 3.0, 7.0, 0.1, center=False)
    assert about_zero.item() == pytest.approx(quantisation - 3 * 1.75 / 4 + 0.05 * 4)


def test_the_gradient_agrees_with_finite_differences(head, features):
    X = torch.from_numpy(np.asarray(features[:7]) - features.mean(axis=0))
    names = [name for name, _ in head.named_parameters()]
    values = [p.detach().clone().requires_grad_(True) for p in head.parameters()]

    def loss(*values):
        parameters = dict(zip(names, values, strict=True))
        H = torch.func.functional_call(head, parameters, (X,))
        moved = TanhLayers.__new__(TanhLayers)
        torch.nn.Module.__init__(moved)
        layers = [torch.nn.Linear(*reversed(v.shape)) for v in values[::2]]
        for layer, weight, bias in zip(layers, values[::2], values[1::2], strict=True):
            del layer.weight, layer.bias
            layer.weight, layer.bias = weight, bias
        for i, layer in enumerate(layers):
            moved.add_module(str(i), layer)
        return deep_hashing_loss(H, moved, 2.0, 0.5, 0.1)

    assert torch.autograd.gradcheck(loss, values)


def test_training_starts_at_the_principal_axes(features):
    hasher = DH(4, lr=1e-12, epochs=1, random_state=0).fit(features)
    scores = principal_axes(features, 4).scores(features)
    assert (hasher.encode(features) == (scores > 0)).mean() > 0.999


def test_training_lowers_the_loss_and_saturates_the_outputs(features):
    hasher = DH(4, lambda2=0.01, epochs=200, random_state=0).fit(features)
    losses = hasher.history_.training
    assert losses[-1] < losses[0]
    assert np.abs(hasher.project(features)).mean() > 0.8


def test_a_large_weight_keeps_the_layers_orthogonal(features):
    def off(lambda2):
        fitted = DH(4, lambda2=lambda2, lr=1e-3, epochs=100, random_state=0).fit(features)
        grams = [layer.weight @ layer.weight.T for layer in fitted.network_.head.linear]
        return sum(float((gram - torch.eye(len(gram))).norm()) for gram in grams)

    assert off(100.0) < 0.5 * off(0.1)


def test_layers_never_widen():
    for bits in (1, 7, 12, 16, 32, 48, 64, 100):
        widths = layer_sizes(bits, 512, 5000)
        assert widths[-1] == bits
        assert list(widths) == sorted(widths, reverse=True)
    assert layer_sizes(16, 512, 5000) == (60, 30, 16)
    assert layer_sizes(12, 20, 5000) == (20, 20, 12)


def test_layers_are_those_of_the_paper():
    assert {bits: layer_sizes(bits, 512, 5000) for bits in (16, 32, 64)} == {
        16: (60, 30, 16),
        32: (80, 50, 32),
        64: (100, 80, 64),
    }


def test_the_network_has_these_layers():
    X = np.random.default_rng(0).standard_normal((300, 90))
    hasher = DH(16, epochs=1, random_state=0).fit(X)
    assert [layer.out_features for layer in hasher.network_.head.linear] == [60, 30, 16]


def test_the_preset_of_the_paper_reaches_the_loss(features):
    assert DH.presets == {
        "paper": {"lambda1": 100.0, "lambda2": 0.001, "lambda3": 0.001, "center": False}
    }
    parameters = {"lr": 1e-4, "epochs": 2, "random_state": 0}
    preset = DH(4, preset="paper", **parameters).fit(features)
    by_hand = DH(4, **DH.presets["paper"], **parameters).fit(features)
    default = DH(4, **parameters).fit(features)
    centred = DH(4, **{**DH.presets["paper"], "center": True}, **parameters).fit(features)
    assert centred.history_.training != by_hand.history_.training
    assert preset.history_.training == by_hand.history_.training
    assert preset.history_.training != default.history_.training
