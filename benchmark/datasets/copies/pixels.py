"""Images whose pixels are an array."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image


class PixelFile:
    """Images in one ``.npy`` file of uint8, (n, height, width, 3).

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @cached_property
    def _pixels(self) -> np.ndarray:
        return np.load(self.path, mmap_mode="r", allow_pickle=False)

    def __len__(self) -> int:
        return len(self._pixels)

    def name(self, i: int) -> str:
        """The number of the image, counted from 1."""
        return f"image {i + 1}"

    def load(self, i: int) -> Image.Image:
        """Image i in RGB."""
        return Image.fromarray(np.asarray(self._pixels[i])).convert("RGB")
