from __future__ import annotations

import numpy as np
import pytest
import torch

from methods.tags.wp.joint import JointObjective
from methods.tags.wp.semantic_words import correlation, laplacian

N, M, B = 12, 6, 4


@pytest.fixture
def z() -> np.ndarray:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((N, M)) * (rng.random((N, M)) < 0.6)
    z[:, 0] += 1
    return z


@pytest.fixture
def h() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).standard_normal((N, B)))


ROWS = torch.arange(N)


def objective(z, beta=0.3, delta=0.2, scale="none") -> JointObjective:
    return JointObjective(z, laplacian(correlation(z)), beta, delta, scale)


def total(joint, s, h) -> torch.Tensor:
    return joint.own_terms(s, ROWS) + joint.similarity(s, h)


def test_the_gradients_are_the_printed_ones(z, h):
    joint = objective(z)
    s = torch.from_numpy(z + 0.3 * np.random.default_rng(2).standard_normal((N, M)))
    s.requires_grad_(), h.requires_grad_()
    by_s, by_h = torch.autograd.grad(total(joint, s, h), (s, h))
    s, h, L = s.detach().numpy(), h.detach().numpy(), laplacian(correlation(z))
    for i in range(N):
        pull = sum((s[i] @ s[j] - h[i] @ h[j]) * s[j] for j in range(N))
        assert by_s[i].numpy() == pytest.approx(s[i] - z[i] + 0.3 * L @ s[i] + 0.2 * pull)
        push = sum((h[i] @ h[j] - s[i] @ s[j]) * h[j] for j in range(N))
        assert by_h[i].numpy() == pytest.approx(0.2 * push)


@pytest.mark.parametrize("scale", ["none", "cosine"])
def test_the_gradients_agree_with_differences(z, h, scale):
    joint = objective(z, scale=scale)
    s = (joint.z + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda s, h: total(joint, s, h), (s, h.requires_grad_()))


def test_the_printed_sum_has_twice_these_gradients(z, h):
    s = torch.from_numpy(z).requires_grad_()
    printed = 0.2 / 2 * (s @ s.T - h @ h.T).square().sum()
    joint = objective(z)
    (twice,) = torch.autograd.grad(printed, s)
    (once,) = torch.autograd.grad(joint.similarity(s, h), s)
    assert twice.numpy() == pytest.approx(2 * once.numpy())


def test_the_first_term_is_zero_at_the_observed_sem_vectors(z):
    joint = objective(z, beta=0)
    assert float(joint.own_terms(joint.z, ROWS)) == 0


@pytest.mark.parametrize("scale", ["none", "cosine"])
def test_sem_vectors_stay_where_they_are_without_the_other_terms(z, h, scale):
    joint = objective(z, beta=0, delta=0, scale=scale)
    s = joint.z.clone()
    for _ in range(20):
        joint.step(s, ROWS, h[ROWS])
    assert (s == joint.z).all()


@pytest.mark.parametrize("scale", ["none", "cosine"])
def test_steps_reduce_the_objective_with_codes_fixed(z, h, scale):
    joint = objective(z, scale=scale)
    s = joint.z.clone()
    h = h / 2
    losses = [float(total(joint, s, h))]
    for _ in range(30):
        joint.step(s, ROWS, h[ROWS])
        losses.append(float(total(joint, s, h)))
    assert (np.diff(losses) <= 1e-12).all()
    assert losses[-1] < 0.95 * losses[0]


def test_a_step_moves_the_rows_it_is_given_and_no_others(z, h):
    joint = objective(z)
    s = joint.z.clone()
    joint.step(s, torch.tensor([2, 5, 7]), h[[2, 5, 7]])
    moved = (s != joint.z).any(dim=1)
    assert torch.nonzero(moved).ravel().tolist() == [2, 5, 7]


def test_smoothing_brings_words_together_that_occur_together(z, h):
    joint = objective(z, beta=2.0, delta=0.0)
    s = joint.z.clone()
    for _ in range(200):
        joint.step(s, ROWS, h[ROWS])
    L = joint.L
    exact = torch.linalg.solve(torch.eye(M) + 2 * L, joint.z.T).T
    assert s.numpy() == pytest.approx(exact.numpy(), abs=1e-6)
    assert float(((s @ L) * s).sum()) < 0.5 * float(((joint.z @ L) * joint.z).sum())


def test_cosines_of_the_centred_sem_vectors_do_not_depend_on_their_length(z):
    joint, longer = (objective(c * z, scale="cosine") for c in (1.0, 7.0))
    s, t = joint.compared(joint.z), longer.compared(longer.z)
    assert s.numpy() == pytest.approx(t.numpy())
    assert s.norm(dim=1).numpy() == pytest.approx(1)
