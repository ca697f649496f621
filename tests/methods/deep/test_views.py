"""Ten views of an image, and outputs averaged over them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from methods.deep.network import HashNetwork
from methods.deep.views import mean_output_of_views, ten_views

#: One image of 4 x 5 pixels, in each of three channels another hundred.
PIXELS = (torch.arange(20).view(4, 5) + 100 * torch.arange(3).view(3, 1, 1))[None]


def test_views_are_four_corners_the_middle_and_their_mirror_images():
    views = [view[0, 0].tolist() for view in ten_views(PIXELS, 2)]
    assert views[::2] == [
        [[0, 1], [5, 6]],
        [[3, 4], [8, 9]],
        [[10, 11], [15, 16]],
        [[13, 14], [18, 19]],
        [[6, 7], [11, 12]],
    ]
    assert views[1::2] == [[row[::-1] for row in view] for view in views[::2]]
    assert all(view.shape == (1, 3, 2, 2) for view in ten_views(PIXELS, 2))


class Front(nn.Module):
    """Pixels as features, squared so that the mean of views is not a view of the mean."""

    crop = 2

    def look(self, crops):
        return crops.float().flatten(1) ** 2


class Images:
    """Seventy images: more than are looked at together."""

    pixels = np.random.default_rng(0).integers(0, 9, (70, 3, 4, 5))

    def __len__(self):
        return len(self.pixels)

    def read(self, rows):
        return self.pixels[rows]


def test_the_output_is_the_mean_over_the_views_of_a_network_that_encodes():
    network = HashNetwork(Front(), nn.Sequential(nn.Linear(12, 3), nn.Dropout(0.5))).train()
    made = mean_output_of_views(network, Images())
    assert made.shape == (70, 3) and not network.training
    layer = network.head[0]
    for k in (0, 69):
        views = ten_views(torch.from_numpy(Images.pixels[[k]]), 2)
        outputs = [layer(view.float().flatten(1) ** 2) for view in views]
        expected = torch.cat(outputs).mean(dim=0).detach().numpy()
        assert made[k] == pytest.approx(expected, rel=1e-4, abs=1e-4)
