"""The losses of DeepBit against values worked out by hand; copies and threshold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from features.rotations import ANGLES, RotatedCopies, RotatedImages, drawn_rows, rotated_image
from methods.deepbit import (
    DeepBit,
    balance_loss,
    quantisation_loss,
    rotation_loss,
    rotation_weights,
)

# METHODS.md section 11: two items, two bits.
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


def test_training_starts_at_rotated_principal_axes_and_turns_away_from_unsteady_ones(features):
    start = DeepBit(4, lr=0.0, epochs=1, random_state=0).fit(features)
    W = start.network_.head.weight.numpy()
    gram = W @ W.T
    assert gram == pytest.approx(np.eye(4) * gram[0, 0], abs=1e-4 * gram[0, 0])
    # Copies that differ from their items along one direction alone.
    rng = np.random.default_rng(0)
    direction = np.linalg.qr(rng.standard_normal((10, 1)))[0][:, 0]
    rows = np.arange(200)
    moved = features[rows, None] + np.array([-4.0, 4.0])[None, :, None] * direction
    copies = RotatedCopies(rows, np.array([-5.0, 5.0]), moved)

    def along(given):
        fitted = DeepBit(4, lr=1e-2, epochs=30, random_state=0).fit(features, copies=given)
        w = fitted.network_.head.weight.numpy()
        return np.abs(w @ direction).mean() / np.linalg.norm(w, axis=1).mean()

    assert along(copies) < 0.5 * along(None)


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
