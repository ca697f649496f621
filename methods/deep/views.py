"""Outputs of a network averaged over several views of each image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from sklearn.utils import gen_batches
from torch import Tensor

from features.pixels import ImageArray
from methods.deep.context import training_context
from methods.deep.network import IMAGES_AT_ONCE, HashNetwork


def ten_views(pixels: Tensor, side: int) -> Iterator[Tensor]:
    """Crops at the four corners and in the middle, and the mirror image of each.

    Parameters
    ----------
    pixels : (k, 3, height, width) tensor
    side : int
        Of the crops.

    Yields
    ------
    (k, 3, side, side) tensor
        Ten of them.
    """
    below, right = (length - side for length in pixels.shape[-2:])
    corners = [(0, 0), (0, right), (below, 0), (below, right)]
    for top, left in [*corners, (below // 2, right // 2)]:
        crop = pixels[..., top : top + side, left : left + side]
        yield crop
        yield crop.flip(-1)


def mean_output_of_views(network: HashNetwork, images: ImageArray) -> np.ndarray:
    """The output of a network on images, a mean over :func:`ten_views` of each.

    The network is left in evaluation mode on the device of trainings.

    Returns
    -------
    (n, b) array of float32
    """
    network.eval().to(training_context().device)
    front, parts = network.front, []
    with torch.inference_mode():
        for rows in gen_batches(len(images), IMAGES_AT_ONCE):
            pixels = torch.from_numpy(images.read(rows)).to(training_context().device)
            views = ten_views(pixels, front.crop)
            outputs = [network.head(front.look(view)) for view in views]
            parts.append(torch.stack(outputs).mean(dim=0).cpu().numpy())
    return np.concatenate(parts)
