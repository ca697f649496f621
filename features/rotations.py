"""Rotated copies of images, for methods whose codes are to withstand small rotations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.backbones import middle

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from features.images import ImageSource

#: Angles of the copies, in degrees.
ANGLES = (-10.0, -5.0, 5.0, 10.0)

#: Largest number of training items with copies, and the seed of their draw.
MAX_ITEMS, SEED = 1000, 0

#: Raise it when rotated images change although the images stay the same.
VERSION = "1"


@dataclass(frozen=True)
class RotatedCopies:
    """Features of rotated images of some training items.

    Attributes
    ----------
    rows : (m,) array of int
        The items' rows in the training features.
    angles : (a,) array of float
        In degrees.
    features : (m, a, d) array of float
    """

    rows: np.ndarray
    angles: np.ndarray
    features: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> RotatedCopies:
        """Copies of the chosen training items, with their rows in the selection.

        Parameters
        ----------
        chosen : (k,) array of int
            Row numbers, ascending.
        """
        kept = np.isin(self.rows, chosen)
        rows = np.searchsorted(chosen, self.rows[kept])
        return RotatedCopies(rows, self.angles, self.features[kept])


class RotatedImages:
    """Images under several angles, as an :class:`features.images.ImageSource`.

    Image ``i`` shows item ``items[i // a]`` under angle ``i % a`` of the a angles.

    Parameters
    ----------
    images : ImageSource
    items : (m,) array of int
        Numbers of images.
    angles : sequence of float
        In degrees, counter-clockwise.
    """

    def __init__(
        self, images: ImageSource, items: np.ndarray, angles: tuple[float, ...] = ANGLES
    ) -> None:
        self.images, self.items, self.angles = images, items, angles

    def __len__(self) -> int:
        return len(self.items) * len(self.angles)

    def name(self, i: int) -> str:
        item, angle = self._origin(i)
        return f"{self.images.name(item)} rotated by {angle:g} degrees"

    def load(self, i: int) -> Image.Image:
        item, angle = self._origin(i)
        return rotated_image(self.images.load(item), angle)

    def fingerprint(self, collection: str) -> str:
        """Digest of the copies, from the digest of the collection of images."""
        digest = hashlib.sha256(f"{collection} {VERSION} {self.angles}".encode())
        digest.update(np.ascontiguousarray(self.items, dtype="<i8"))
        return digest.hexdigest()

    def _origin(self, i: int) -> tuple[int, float]:
        item, angle = divmod(i, len(self.angles))
        return int(self.items[item]), self.angles[angle]


def drawn_rows(n_train: int) -> np.ndarray:
    """Rows of the training items with copies, ascending; the same on every call."""
    return np.sort(np.random.default_rng(SEED).permutation(n_train)[:MAX_ITEMS])


def rotated_image(image: Image.Image, angle: float) -> Image.Image:
    """An RGB image rotated by an angle in degrees; see :func:`rotated`."""
    import torch
    from PIL import Image

    pixels = torch.from_numpy(np.array(middle(image))).permute(2, 0, 1)[None]
    turned = rotated(pixels, torch.tensor([angle]))[0]
    return Image.fromarray(turned.permute(1, 2, 0).numpy())


def rotated(pixels: Tensor, angles: Tensor) -> Tensor:
    """Images rotated about their middle, of the same size and type.

    Corners are filled by reflection at the border, since black corners would show the angle.

    Parameters
    ----------
    pixels : (k, 3, h, w) tensor of uint8
    angles : (k,) tensor
        In degrees, counter-clockwise.
    """
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    h, w = pixels.shape[-2:]
    cos, sin = torch.cos(torch.deg2rad(angles)), torch.sin(torch.deg2rad(angles))
    zero = torch.zeros_like(cos)
    # Maps positions in the rotated image to positions in the original, in units of half its sides.
    rows = [torch.stack([cos, -sin * h / w, zero], 1), torch.stack([sin * w / h, cos, zero], 1)]
    grid = affine_grid(torch.stack(rows, 1).float(), list(pixels.shape), align_corners=False)
    turned = grid_sample(
        pixels.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return turned.round().to(pixels.dtype)
