"""The losses of DeepBit against values worked out by hand; copies and threshold."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from features.rotations import ANGLES, RotatedCopies, RotatedImages, drawn_rows, rotated_image
from methods import Task
from methods.algebra.pca import principal_axes
from methods.algebra.rotations import random_rotation
from methods.conformance.trial import training_items
from methods.unsupervised.deepbit import (
    DeepBit,
    RotatingNetwork,
    balance_loss,
    quantisation_loss,
    rotation_loss,
    rotation_weights,
)

# By hand: two items, two bits.
F = torch.tensor([[0.2, 0.9], [0.7, 0.4]], dtype=torch.float64)


def test_losses_of_the_worked_example():
    assert float(quantisation_loss(F)) * 2 == pytest.approx(0.30)
    assert float(balance_loss(F)) == pytest.approx(0.025)
    assert float(balance_loss((F > 0.5).double())) == 0


def test_weights_fall_with_the_angle():
    weights = rotation_weights(torch.tensor([-10.0, -5.0, 0.0, 5.0, 10.0]))
    assert weights.tolist() == pytest.approx([0.1353, 0.6065, 1, 0.6065, 0.1353], abs=1e-4)
    loss = rotation_loss(F, F.flip(0), torch.tensor([1.0, 0.5]))
    assert float(loss) == pytest.approx(1.5 * (0.25 + 0.25) / 4)


def test_gradients_agree_with_finite_differences():
    x = F.clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: quantisation_loss(x) + balance_loss(x), x)
    weights = rotation_weights(torch.tensor(ANGLES[:2]).double())
    assert torch.autograd.gradcheck(lambda x: rotation_loss(x, 0.3 * F, weights), x)


def test_the_threshold_is_the_mean_output_of_the_training_items(features):
    hasher = DeepBit(4, epochs=2, random_state=0).fit(features)
    outputs = torch.sigmoid(hasher.network_(torch.tensor(features))).numpy()
    assert hasher.threshold_ == pytest.approx(outputs.mean())
    assert (hasher.encode(features) == (outputs > outputs.mean())).all()


def test_training_starts_at_rotated_principal_axes(features):
    hasher = DeepBit(4, gamma=0.0, lr=1e-12, epochs=1, random_state=0).fit(features)
    z = hasher.network_(torch.tensor(features)).numpy()
    pca = principal_axes(features, 4)
    rotated = pca.scores(features) @ random_rotation(4, 0).T
    assert z == pytest.approx(z.std() / rotated.std() * rotated, abs=1e-5)
    assert np.sqrt((z**2).mean()) == pytest.approx(0.3, rel=0.01)


def unlike(hasher, X):
    """Mean magnitude of the correlations between bits, taken from 1."""
    bits = hasher.encode(X).T.astype(float)
    assert bits.any(axis=1).all() and not bits.all(axis=1).any()
    correlations = np.abs(np.corrcoef(bits))
    return 1 - correlations[~np.eye(len(bits), dtype=bool)].mean()


def test_bits_stay_unlike_and_balanced_where_gaussian_weights_make_them_alike():
    X = training_items().X
    options = {"gamma": 0.0, "lr": 3e-2, "epochs": 60, "random_state": 0}
    ours = DeepBit(8, **options).fit(X)
    literal = DeepBit(8, init="gaussian", **options).fit(X)
    assert unlike(ours, X) > 0.7 > unlike(literal, X)
    assert np.abs(ours.encode(X).mean(axis=0) - 0.5).max() < 0.2
    assert len(np.unique(ours.encode(X), axis=0)) > 30


def test_training_lowers_the_losses_by_their_weights(features):
    skewed = np.exp(features / 4)

    def outputs(**options):
        hasher = DeepBit(4, gamma=0.0, random_state=0, epochs=60, **options).fit(skewed)
        return torch.sigmoid(hasher.network_(torch.tensor(skewed)))

    start, loose, tight = outputs(lr=1e-12), outputs(beta=0.0), outputs(beta=10.0)
    assert quantisation_loss(tight) < 0.5 * quantisation_loss(start)
    assert balance_loss(tight) < 0.2 * balance_loss(loose)


def copies_along(features, direction):
    """Copies that differ from their items in one direction."""
    rows = np.arange(200)
    shifts = np.array([-4.0, 4.0])[None, :, None] * direction
    return RotatedCopies(rows, np.array([-5.0, 5.0]), features[rows, None] + shifts)


def test_copies_turn_the_bits_away_from_what_rotation_changes(features):
    direction = principal_axes(features, 1).axes[:, 0]
    copies = copies_along(features, direction)

    def change(given):
        hasher = DeepBit(4, gamma=30.0, lr=3e-2, epochs=60, random_state=0)
        hasher.fit(features, copies=given)
        moved = hasher.encode(copies.features[:, 0]) != hasher.encode(features[:200])
        return moved.mean()

    with pytest.warns(UserWarning, match="rotation loss is left out"):
        without = change(None)
    assert change(copies) < 0.6 * without


def test_without_the_rotation_loss_no_copies_are_asked_for_or_looked_at(features):
    copies = copies_along(features, np.eye(10)[0])
    assert DeepBit().uses == ("copies",)
    assert DeepBit(gamma=0.0).uses == ()
    assert DeepBit(preset="paper", gamma=0.0).uses == ("copies",)
    assert set(DeepBit().supervised_by(tags=1, labels=2, copies=3)) == {"copies"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = DeepBit(4, gamma=0.0, epochs=2, random_state=0).fit(features)
        given = DeepBit(4, gamma=0.0, epochs=2, random_state=0).fit(features, copies=copies)
    assert (plain.project(features) == given.project(features)).all()


def test_training_on_images_compares_the_same_crop_and_leaves_the_backbone_alone():
    class Front(torch.nn.Module):
        """Crops as they are; their mean colour as features."""

        def __init__(self):
            super().__init__()
            self.backbone = torch.nn.BatchNorm1d(3)

        def crops(self, pixels):
            return pixels[..., 1:-1, 1:-1]

        def look(self, crops):
            return self.backbone(crops.float().mean((2, 3)))

        def forward(self, pixels):
            return self.look(self.crops(pixels))

    torch.manual_seed(0)
    network = RotatingNetwork(Front(), torch.nn.Linear(3, 2)).train()
    assert not network.backbone.training and network.head.training
    assert not any(p.requires_grad for p in network.backbone.parameters())
    plain = torch.randint(0, 255, (6, 3, 1, 1), dtype=torch.uint8).expand(6, 3, 12, 12)
    scores, upright, turned, weights = network(plain)
    # An image of one colour does not change when it is turned.
    assert torch.allclose(upright, turned) and torch.equal(scores, upright)
    assert set(weights.tolist()) <= set(rotation_weights(torch.tensor(ANGLES)).tolist())
    assert network.eval()(plain).shape == (6, 2)


def test_presets_and_words():
    literal = DeepBit(preset="paper").in_force()
    assert (literal.gamma, literal.init, literal.batch_size) == (0.001, "gaussian", 32)
    assert DeepBit(40, preset="paper").skip(Task(30, 20)) is None
    assert "needs bits" in DeepBit(40).skip(Task(30, 20))
    with pytest.raises(ValueError, match="init must be principal or gaussian"):
        DeepBit(init="pca").check_parameters()


class OneImage:
    """Three equal images: red on the left, blue on the right, no black anywhere."""

    def __len__(self):
        return 3

    def name(self, i):
        return f"{i}.png"

    def load(self, i):
        image = Image.new("RGB", (90, 60), (255, 20, 20))
        image.paste((20, 20, 255), (45, 0, 90, 60))
        return image


def test_rotated_images_have_no_black_corners_and_turn_the_right_way():
    turned = np.asarray(rotated_image(OneImage().load(0), 10.0))
    assert turned.shape == (60, 90, 3)
    assert turned.max(axis=2).min() > 100
    # Counter-clockwise: the border of the colours leans to the left at the top.
    assert turned[0, 43, 2] > 200 and turned[-1, 47, 0] > 200
    upright = np.asarray(rotated_image(OneImage().load(0), 0.0))
    assert (upright == np.asarray(OneImage().load(0))).all()


def test_copies_are_numbered_by_item_and_angle():
    copies = RotatedImages(OneImage(), np.array([2, 0]))
    assert len(copies) == 8
    assert copies.name(5) == "0.png rotated by -5 degrees"
    assert copies.fingerprint("a") != copies.fingerprint("b")
    assert copies.fingerprint("a") != RotatedImages(OneImage(), np.array([1, 0])).fingerprint("a")


def test_the_same_items_have_copies_every_time():
    assert (drawn_rows(5000) == drawn_rows(5000)).all()
    assert len(np.unique(drawn_rows(5000))) == 1000
    assert (drawn_rows(7) == np.arange(7)).all()


def test_copies_of_some_training_items_know_their_new_rows():
    X = np.arange(20.0).reshape(10, 2)
    rows = np.array([1, 4, 7])
    copies = RotatedCopies(rows, np.array([5.0]), X[rows, None] + 0.5)
    chosen = np.array([0, 4, 6, 7, 9])
    some = copies[chosen]
    assert some.rows.tolist() == [1, 3]
    assert (some.features[:, 0] == X[chosen][some.rows] + 0.5).all()
