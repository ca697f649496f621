"""The cosine margin loss against its worked example, a loop over all triples, and differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.tags.wsdhq import margins as module
from methods.tags.wsdhq.margins import embedding_loss, tag_margins

# By hand: three tags in the plane, one image that carries the first.
V = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=torch.float64)
R = torch.tensor([[0.8, 0.6]], dtype=torch.float64)
FIRST = torch.tensor([[True, False, False]])


@pytest.fixture
def batch():
    """Embeddings of seven images, who carries which of eleven tags, and their vectors."""
    rng = torch.Generator().manual_seed(0)
    r = torch.randn(7, 5, generator=rng, dtype=torch.float64)
    vectors = torch.randn(11, 5, generator=rng, dtype=torch.float64)
    positive = torch.rand(7, 11, generator=rng) < 0.3
    positive[0] = False
    return r, positive, vectors


def naive(r, positive, vectors, margins):
    """The printed sums, divided by the number of their terms."""
    unit, U = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (r.numpy(), vectors.numpy()))
    terms = [
        max(0, float(margins[i, j]) - unit[n] @ U[i] + unit[n] @ U[j])
        for n in range(len(r))
        for i in np.flatnonzero(positive[n])
        for j in np.flatnonzero(~positive[n])
    ]
    return np.mean(terms)


def test_the_worked_example():
    margins = tag_margins(V)
    assert margins[0].tolist() == pytest.approx([0, 1, 0.4])
    # 0.8 for the second tag and 0.56 for the third, two terms.
    assert float(embedding_loss(R, FIRST, V, margins)) == pytest.approx(0.68)
    fixed = tag_margins(V, fixed=0.7)
    assert float(embedding_loss(R, FIRST, V, fixed)) == pytest.approx((0.5 + 0.86) / 2)


def test_the_loss_does_not_depend_on_lengths():
    expected = float(embedding_loss(R, FIRST, V, tag_margins(V)))
    lengths = torch.tensor([[3.0], [0.2], [7.0]])
    longer = V * lengths
    assert float(embedding_loss(5 * R, FIRST, longer, tag_margins(longer))) == pytest.approx(
        expected
    )


def test_nothing_is_lost_where_an_embedding_is_its_tag():
    assert float(embedding_loss(3 * V, torch.eye(3, dtype=bool), V, tag_margins(V))) == 0


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_margins_run_from_0_to_2(gamma):
    vectors = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    margins = tag_margins(vectors, gamma)
    assert margins[0].tolist() == pytest.approx([0, 0, 2 ** (1 - gamma), 2], abs=1e-6)
    assert torch.isfinite(tag_margins(torch.randn(50, 300), gamma)).all()


@pytest.mark.parametrize("hinges_at_once", [1, 40, 2**18])
@pytest.mark.parametrize("fixed", [0.0, 0.7])
def test_it_is_the_mean_over_all_images_and_pairs_of_tags(
    batch, hinges_at_once, fixed, monkeypatch
):
    monkeypatch.setattr(module, "HINGES_AT_ONCE", hinges_at_once)
    r, positive, vectors = batch
    margins = tag_margins(vectors, fixed=fixed)
    loss = embedding_loss(r, positive, vectors, margins)
    assert float(loss) == pytest.approx(naive(r, positive, vectors, margins))


def test_gradients_agree_with_finite_differences(batch):
    r, positive, vectors = batch
    margins = tag_margins(vectors)
    r.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda r: embedding_loss(r, positive, vectors, margins), r)


def test_images_without_tags_or_with_all_of_them_add_nothing(batch):
    r, positive, vectors = batch
    margins = tag_margins(vectors)
    positive[1] = True
    some = embedding_loss(r[2:], positive[2:], vectors, margins)
    assert float(embedding_loss(r, positive, vectors, margins)) == pytest.approx(float(some))
    nothing = embedding_loss(r[:2].requires_grad_(True), positive[:2], vectors, margins)
    nothing.backward()
    assert nothing.item() == 0


def test_memory_stays_far_below_all_triples():
    # 60 images with 40 of 2,000 tags each are 4.8 million hinges: 19 MB, several times over.
    rng = torch.Generator().manual_seed(0)
    r = torch.randn(60, 20, generator=rng, requires_grad=True)
    vectors = torch.randn(2000, 20, generator=rng)
    positive = torch.zeros(60, 2000, dtype=torch.bool)
    positive[:, :40] = True
    margins = tag_margins(vectors)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.append(x.numel()) or x, lambda x: x
    ):
        loss = embedding_loss(r, positive, vectors, margins)
    loss.backward()
    assert max(kept) <= 60 * 2000
    assert torch.isfinite(r.grad).all()
