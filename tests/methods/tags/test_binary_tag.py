"""The contrastive loss of the binary-tag baseline against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.conformance.trial import training_items
from methods.tags.binary_tag import BinaryTag, contrastive_loss

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
