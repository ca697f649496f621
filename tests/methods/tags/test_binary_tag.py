"""The contrastive loss of the binary-tag baseline against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.conformance.trial import take, training_items
from methods.tags.binary_tag import BinaryTag, contrastive_loss
from methods.tags.wdht import quantisation_loss

# By hand: items 1 and 3 share a tag.
H = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.8, 0.3]], dtype=torch.float64)
S = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=torch.bool)


@pytest.mark.parametrize(
    ("margin", "square_similar", "summed"),
    [(1, False, 0.52875), (1, True, 0.49625), (3, False, 9.0754167), (3, True, 9.0429167)],
)
def test_loss_of_the_worked_example(margin, square_similar, summed):
    loss = contrastive_loss(H, S, margin, square_similar=square_similar)
    assert float(loss) == pytest.approx(summed / 6, abs=1e-7)


def test_the_diagonal_does_not_count():
    other = S ^ torch.eye(3, dtype=torch.bool)
    assert contrastive_loss(H, other, 1.0) == contrastive_loss(H, S, 1.0)


def test_the_gradient_agrees_with_finite_differences():
    h = torch.rand(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    similar = torch.arange(5)[:, None] % 2 == torch.arange(5) % 2
    assert torch.autograd.gradcheck(
        lambda h: contrastive_loss(h, similar, 0.4), h.requires_grad_(True)
    )


def test_images_without_tags_are_not_trained_on():
    items = training_items()
    tags = items.tags.tolil()
    tags[::3] = 0
    moved = items.X.copy()
    moved[::3] += 1
    first, second = (
        BinaryTag(8, epochs=1, random_state=0).fit(X, tags=tags.tocsr()).project(items.X[:9])
        for X in (items.X, moved)
    )
    assert np.array_equal(first, second)


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
@pytest.mark.parametrize(("margin", "square_similar"), [(1.0, False), (0.3, True)])
def test_the_loss_is_the_weighted_sum_of_both(reduction, margin, square_similar):
    items = take(training_items(), slice(300))
    settings = {"margin": margin, "square_similar": square_similar, "reduction": reduction}
    hasher = BinaryTag(6, lambda3=0.7, lambda4=0.2, **settings, **STILL)
    hasher.fit(items.X, tags=items.tags)
    h = torch.sigmoid(hasher.network_(torch.tensor(items.X)))
    similar = torch.from_numpy((items.tags.astype(int) @ items.tags.T).toarray() > 0)
    pairs, rows = (300 * 299, 300) if reduction == "sum" else (1, 1)
    expected = 0.7 * rows * quantisation_loss(h)
    expected += 0.2 * pairs * contrastive_loss(h, similar, margin, square_similar=square_similar)
    assert hasher.history_.training == [pytest.approx(float(expected), rel=1e-4)]


def test_dropout_reaches_the_network():
    items = take(training_items(), slice(300))
    losses = [
        BinaryTag(6, **{**STILL, "dropout": share}).fit(items.X, tags=items.tags).history_.training
        for share in (0.0, 0.5)
    ]
    assert losses[0] != losses[1]


def test_a_validation_part_with_one_item_more_than_a_batch_is_validated_with():
    items = training_items()
    # 120 validation items, 17 batches of seven and one item.
    hasher = BinaryTag(6, epochs=2, batch_size=7, random_state=0).fit(items.X, tags=items.tags)
    assert hasher.history_.best >= 0 and np.isfinite(hasher.history_.validation).all()


def test_images_without_tags_are_no_training_set():
    items = take(training_items(), slice(300))
    one = items.tags.copy().tolil()
    one[1:] = 0
    for tags in (one.tocsr(), 0 * items.tags):
        with pytest.raises(ValueError, match="BinaryTag: fewer than two training images carry"):
            BinaryTag(6).fit(items.X, tags=tags)
    with pytest.raises(ValueError, match="BinaryTag: needs tags"):
        BinaryTag(6).fit(items.X)


def test_presets_set_the_literal_parameters():
    literal, code = (BinaryTag(preset=preset).in_force() for preset in ("paper", "code"))
    for settings in (literal, code):
        assert (settings.steps, settings.schedule) == (None, "constant")
        assert (settings.lambda3, settings.lambda4) == (1, 1)
        assert (settings.optimizer, settings.epochs, settings.batch_size) == ("sgd", 50, 50)
        assert (settings.dropout, settings.validation) == (0, 0)
    assert (literal.square_similar, literal.margin, literal.reduction) == (False, 1, "sum")
    assert (literal.lr, literal.backbone_lr) == (1e-5, 1e-6)
    assert (code.square_similar, code.margin, code.reduction) == (True, 3, "mean")
    assert (code.lr, code.backbone_lr) == (1e-3, 1e-4)
