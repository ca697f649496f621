from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.conformance.trial import query_items, training_items
from methods.deep.network import finished
from methods.deep.training import as_tensor
from methods.labels.ksh.gradient import (
    RIDGE,
    GradientKSH,
    KernelBits,
    agreement_loss,
    decorrelating,
)
from methods.labels.ksh.kernel import kernel_map
from methods.labels.ksh.pairwise import pairwise_labels


@pytest.fixture(scope="module")
def hasher():
    items = training_items()
    return GradientKSH(8, epochs=30, batch_size=64, random_state=0).fit(
        items.X, labels=items.labels
    )


def test_outputs_are_the_smooth_sign_of_weighted_kernel_values(features):
    head = KernelBits(10, 50, 4)
    head.place(features, 3)
    kernel = kernel_map(features, n_anchors=50, random_state=3)
    A = head.P.double() @ head.bits.weight.T.double()
    z = kernel.values(features) @ A.detach().numpy()
    h = head(as_tensor(features)).detach().numpy()
    assert h == pytest.approx(2 / (1 + np.exp(-z)) - 1, abs=2e-4)
    assert np.abs(h).max() > 0.1


def test_the_network_measures_distances_on_standardised_features(features):
    # One scale for all dimensions: the kernel, relative to its width, is that of the features.
    hasher = GradientKSH(4, n_anchors=50, random_state=3)
    network = finished(hasher.make_network(features))
    head = network.head
    kernel = kernel_map(features, n_anchors=50, random_state=3)
    assert network.front(torch.from_numpy(kernel.anchors)).numpy() == pytest.approx(
        head.anchors.numpy(), abs=1e-5
    )
    assert float(head.tau * network.front.scale**2) == pytest.approx(float(kernel.tau), rel=1e-5)
    assert head.mean.numpy() == pytest.approx(kernel.mean, abs=1e-6)


def test_kernel_values_are_decorrelated_but_for_the_ridge(features):
    K = kernel_map(features, n_anchors=50, random_state=0).values(features)
    KP = K @ decorrelating(K)
    eigenvalues = np.linalg.eigvalsh(K.T @ K / len(K))
    expected = eigenvalues / (eigenvalues + RIDGE * eigenvalues.mean())
    covariance = KP.T @ KP / len(K)
    assert covariance == pytest.approx(np.diag(expected), abs=1e-9)


def test_items_that_are_all_equal_give_finite_outputs():
    head = KernelBits(3, 20, 4)
    head.place(np.ones((30, 3)), 0)
    assert torch.isfinite(head(torch.ones(2, 3))).all()


def test_the_loss_is_the_objective_of_ksh_per_pair():
    rng = np.random.default_rng(0)
    labels, Y = rng.random((30, 4)) < 0.4, rng.choice([-1.0, 1.0], (30, 6))
    labels[:, 0] |= ~labels.any(axis=1)
    S0 = pairwise_labels(labels).times(np.eye(30))
    expected = ((Y @ Y.T / 6 - S0) ** 2).sum() / 30**2
    loss = agreement_loss(torch.from_numpy(Y), torch.from_numpy(S0 > 0))
    assert float(loss) == pytest.approx(expected)


def test_codes_that_agree_with_the_labels_cost_nothing():
    h = torch.tensor([[1.0, -1, 1], [1, -1, 1], [-1, 1, -1]])
    classes = torch.tensor([0, 0, 1])
    similar = classes[:, None] == classes
    assert float(agreement_loss(h, similar)) == pytest.approx(0, abs=1e-12)
    assert float(agreement_loss(h, ~similar)) == pytest.approx(4)


def test_gradients_are_those_of_finite_differences():
    h = torch.rand(6, 3, dtype=torch.float64, generator=torch.manual_seed(0)) - 0.5
    similar = torch.arange(6)[:, None] % 2 == torch.arange(6) % 2
    assert torch.autograd.gradcheck(lambda h: agreement_loss(h, similar), h.requires_grad_())


def test_the_loss_falls_and_the_kernel_stays(hasher):
    assert hasher.history_.training[-1] < 0.7 * hasher.history_.training[0]
    untrained = hasher.make_network(training_items().X).double().head
    for name, value in untrained.named_buffers():
        assert torch.equal(value, hasher.network_.head.get_buffer(name)), name
    assert not torch.equal(untrained.bits.weight, hasher.network_.head.bits.weight)


def test_items_of_a_class_are_nearer_than_others(hasher):
    items, queries = training_items(), query_items()
    distances = (hasher.encode(queries.X)[:, None] != hasher.encode(items.X)).sum(axis=2)
    same = queries.clusters[:, None] == items.clusters
    assert distances[same].mean() < 0.25 * distances[~same].mean()


def test_too_few_items_for_the_anchors_are_refused(features):
    with pytest.raises(ValueError, match="n_anchors = 500"):
        GradientKSH(n_anchors=500).fit(features, labels=np.ones((400, 2), dtype=bool))
