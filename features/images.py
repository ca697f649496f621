"""Image sources, and the conversion of unusual images to 8-bit RGB."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image, ImageOps

from features.errors import one_line

#: Pixels beyond which an image is decoded while no other such image is, and halved until it fits.
MOST_PIXELS = 40_000_000

# Pillow warns of images that are decoded one at a time here; twice as large ones it refuses.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class ImageSource(Protocol):
    """A numbered collection of images; item i of a data set has image i."""

    def __len__(self) -> int: ...

    def name(self, i: int) -> str:
        """Name of image i in messages."""
        ...

    def load(self, i: int) -> Image.Image:
        """Image i in RGB; OSError or ValueError if it cannot be read."""
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
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def name(self, i: int) -> str:
        return self.names[i]

    def load(self, i: int) -> Image.Image:
        try:
            with Image.open(self.folder / self.names[i]) as image:
                if image.width * image.height <= MOST_PIXELS:
                    return to_rgb(upright(image))
                return _one_thread().submit(lambda: to_rgb(upright(halved(image)))).result()
        except (OSError, ValueError):
            raise
        except Exception as error:
            # Decoders raise nearly anything for damaged files: SyntaxError, struct.error ...
            raise ValueError(one_line(error)) from error


@cache
def _one_thread() -> ThreadPoolExecutor:
    """Where large images are decoded: each thread that did would keep the memory for the next."""
    return ThreadPoolExecutor(1, "large images")


def halved(image: Image.Image) -> Image.Image:
    """The image with its sides divided by 2 until it has at most :data:`MOST_PIXELS` pixels.

    No extractor looks at more than a small part of them, and a dozen images of 169 million pixels
    would take gigabytes at once.
    """
    factor = 1
    while image.width * image.height > MOST_PIXELS * factor**2:
        factor *= 2
    # JPEG files are decoded at that size; others have their blocks averaged.
    image.draft(None, (image.width // factor, image.height // factor))
    while image.width * image.height > MOST_PIXELS:
        image = image.reduce(2)
    return image


def upright(image: Image.Image) -> Image.Image:
    """The image in the orientation of its EXIF data; unchanged if these are damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any Pillow mode in 8-bit RGB.

    Transparent parts become white.  16-bit greys are divided by 257, so that 65,535 becomes 255
    (Pillow would clip them).  Floating-point greys, which have no standard range, are scaled from
    their smallest to their largest finite value.
    """
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_eight_bits(np.asarray(image), stretch=image.mode == "F"))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    return image.convert("RGB")


def _eight_bits(grey: np.ndarray, *, stretch: bool) -> np.ndarray:
    grey = grey.astype(np.float64)
    if stretch:
        finite = grey[np.isfinite(grey)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
        grey = np.nan_to_num(grey, nan=low, posinf=high, neginf=low)
        grey = (grey - low) * (255 / (high - low) if high > low else 0)
    else:
        grey = grey / 257
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
