"""The adaptive cosine margin loss: an image is nearer to each of its tags than to other tags."""

from __future__ import annotations

import torch
from sklearn.utils import gen_batches
from torch import Tensor
from torch.nn.functional import normalize

#: Hinges computed at once: keeps the (own tag, other tag) pairs of a batch in the cache.
HINGES_AT_ONCE = 2**18


def tag_margins(vectors: Tensor, gamma: float = 1.0, fixed: float = 0.0) -> Tensor:
    """Margins ``m_ij = 2^(1 - gamma) (1 - cos(v_i, v_j))^gamma`` of all pairs of tags.

    They run from 0 for the same direction to 2 for opposite ones.

    Parameters
    ----------
    vectors : (T, e) tensor
    gamma : float
    fixed : float
        The margin of every pair instead, where it is above 0.

    Returns
    -------
    (T, T) tensor
    """
    unit = normalize(vectors, dim=1)
    # Rounding can leave the cosine of a vector with itself a little above 1.
    distances = (1 - unit @ unit.T).clamp(min=0)
    if fixed > 0:
        return torch.full_like(distances, fixed)
    return 2 ** (1 - gamma) * distances**gamma


def embedding_loss(r: Tensor, positive: Tensor, vectors: Tensor, margins: Tensor) -> Tensor:
    """L_emb: mean of ``max(0, m_ij + cos(r_n, v_j) - cos(r_n, v_i))`` over images and tag pairs.

    The mean is over all images n, tags i that n carries and tags j that it does not carry, so that
    images with many tags weigh more.

    Parameters
    ----------
    r : (k, e) tensor
        Embeddings.
    positive : (k, T) tensor of bool
        Which image carries which tag.
    vectors : (T, e) tensor
    margins : (T, T) tensor
        From :func:`tag_margins`.
    """
    cosines = normalize(r, dim=1) @ normalize(vectors, dim=1).T
    constant, slopes = _active_hinges(cosines.detach(), positive, margins)
    n_own = positive.sum(dim=1)
    n_hinges = (n_own * (positive.shape[1] - n_own)).sum().clamp(min=1)
    return (constant + (slopes * cosines).sum()) / n_hinges


def _active_hinges(cosines: Tensor, positive: Tensor, margins: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of all hinges as a linear function of the cosines, ``constant + <slopes, cosines>``.

    It is one as long as no hinge opens or shuts, which gives value and gradient without keeping
    k T^2 hinges for the backward pass.
    """
    slopes, constant = torch.zeros_like(cosines), cosines.new_zeros(())
    image, own = positive.nonzero(as_tuple=True)
    for pairs in gen_batches(len(image), max(1, HINGES_AT_ONCE // cosines.shape[1])):
        n, i = image[pairs], own[pairs]
        hinges = (margins[i] + cosines[n]).sub_(cosines[n, i][:, None])
        active = ((hinges > 0) & ~positive[n]).to(cosines.dtype)
        constant += (active * margins[i]).sum()
        slopes.index_add_(0, n, active)
        slopes.index_put_((n, i), -active.sum(dim=1), accumulate=True)
    return constant, slopes
