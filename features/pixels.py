"""Images as pixels, for networks that are trained end to end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.backbones import middle
from features.extractors import Extractor

if TYPE_CHECKING:
    from PIL import Image

#: Sides of the stored images; networks see crops of them, mostly of 224 pixels.
SIDE = 256


class Pixels(Extractor):
    """The extractor of the images themselves: scaled to cover a square, its middle, 8 bits.

    It is not registered, since pixels serve training alone; as an extractor it shares the cache
    of features.

    Parameters
    ----------
    side : int
        Of the square, in pixels; see :func:`side_for`.
    """

    name = "pixels"
    dtype = "|u1"
    #: Raise it when the pixels change although the images stay the same.
    version = "1"

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        self.n_features = 3 * side * side

    @property
    def identity(self) -> Mapping[str, str]:
        """With the side of the images."""
        return {"extractor": self.name, "side": str(self.side), "version": self.version}

    def prepare(self, image: Image.Image) -> np.ndarray:
        """One RGB image as (3, side, side) uint8."""
        from PIL import Image, ImageOps

        square = ImageOps.fit(middle(image), (self.side, self.side), Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))

    def extract(self, batch: np.ndarray) -> np.ndarray:
        return batch.reshape(len(batch), -1)


def side_for(crop: int) -> int:
    """Side of the stored images for a network that looks at crops of so many pixels.

    256 where the crop fits into that, else as much larger than the crop as 256 is than 224.
    """
    return SIDE if crop <= SIDE else math.ceil(crop * SIDE / 224)


def squares(flat: np.ndarray) -> np.ndarray:
    """Rows of :class:`Pixels` as images, (n, 3, side, side)."""
    side = math.isqrt(flat.shape[1] // 3)
    return flat.reshape(len(flat), 3, side, side)


@dataclass(frozen=True)
class ImageArray:
    """Images of n items together with the pretrained network that looks at them.

    It replaces the feature matrix if a method is trained end to end.

    Attributes
    ----------
    pixels : (N, 3, h, w) array of uint8
        Images of a collection, possibly memory-mapped.
    rows : (n,) array of int
        Which of them are the items.
    backbone : str
        An extractor that can be trained end to end, as ``--features`` names it.
    weights : Path or None
        Its state dict; None for torchvision's own.
    """

    pixels: np.ndarray
    rows: np.ndarray
    backbone: str
    weights: Path | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.pixels.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, items: Any) -> ImageArray:
        """Some of the items; no pixel is read."""
        return replace(self, rows=self.rows[items])

    def read(self, items: Any) -> np.ndarray:
        """Pixels of some of the items, (k, 3, h, w) uint8."""
        return np.ascontiguousarray(self.pixels[self.rows[items]])
