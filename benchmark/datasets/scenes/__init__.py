"""Rendering of the demo data set's scenes on 64 x 64 pixels.

Every painter draws one concept, with its own jitter of place, size and colour.  Painters run from
the sky to the foreground, so that near things hide far ones.  All randomness of a picture comes
from the generator that :func:`render` is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from PIL import Image

from benchmark.datasets.scenes import landscape, things
from benchmark.datasets.scenes.canvas import CANVAS, SIZE, Canvas

__all__ = ["PAINTERS", "SIZE", "render"]

#: Painters of the concepts, from far to near.
PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "night": landscape.night,
    "sunset": landscape.sunset,
    "moon": landscape.moon,
    "clouds": landscape.clouds,
    "mountain": landscape.mountain,
    "water": landscape.water,
    "sea": landscape.sea,
    "beach": landscape.beach,
    "snow": landscape.snow,
    "grass": landscape.grass,
    "road": landscape.road,
    "buildings": landscape.buildings,
    "city": landscape.city,
    "bridge": landscape.bridge,
    "forest": things.forest,
    "tree": things.tree,
    "boat": things.boat,
    "car": things.car,
    "animal": things.animal,
    "flower": things.flower,
    "person": things.person,
    "bird": things.bird,
}


def render(contents: Collection[str], subject: str, rng: np.random.Generator) -> Image.Image:
    """Paint a scene.

    Parameters
    ----------
    contents : collection of str
        Concepts in the picture, out of :data:`PAINTERS`, ``night`` and ``sunset``.
    subject : str
        The main concept of the picture.
    rng : np.random.Generator
        Source of all jitter.

    Returns
    -------
    Image.Image
        RGB, ``SIZE`` x ``SIZE``.
    """
    canvas = Canvas(contents, subject, rng)
    ground = canvas.lit((138, 126, 102))
    canvas.draw.rectangle((0, canvas.horizon, CANVAS, CANVAS), fill=ground)
    for concept, paint in PAINTERS.items():
        if concept in contents:
            paint(canvas)
    if canvas.chance(0.35):
        things.clutter(canvas)
    return _photograph(canvas, rng)


def _photograph(canvas: Canvas, rng: np.random.Generator) -> Image.Image:
    """Average the canvas down, then add exposure, white balance and sensor noise."""
    pixels = np.asarray(canvas.image.reduce(2), dtype=np.float32)
    balance = 0.9 + 0.2 * np.array(canvas.several(1, 3)[0], dtype=np.float32)
    gains = canvas.between(0.75, 1.2) * balance
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    pixels = pixels * gains + canvas.between(2, 9) * noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
