"""Where images come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageOps


class ImageSource(Protocol):
    """A numbered collection of images; item i of a data set has image i."""

    def __len__(self) -> int: ...

    def name(self, i: int) -> str:
        """What to call image i in a message."""
        ...

    def load(self, i: int) -> Image.Image:
        """Image i in RGB; raises OSError or ValueError if it cannot be read."""
        ...


class FileImages:
    """Image files below a folder.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Paths relative to the folder, in item order.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder = Path(folder)
        self.names = list(names)

    def __len__(self) -> int:
        return len(self.names)

    def name(self, i: int) -> str:
        return self.names[i]

    def load(self, i: int) -> Image.Image:
        with Image.open(self.folder / self.names[i]) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
