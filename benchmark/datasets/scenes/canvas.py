"""The canvas that the painters of the demo's scenes share."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from PIL import Image, ImageDraw

#: Width and height of a picture in pixels.
SIZE = 64

#: Pictures are drawn at twice the size and averaged down, which gives smooth edges quickly.
CANVAS = 2 * SIZE

Colour = tuple[int, int, int]

#: Sky colours (top, horizon) and the light that falls on things (red, green, blue gains).
LIGHTS: dict[str, tuple[Colour, Colour, tuple[float, float, float]]] = {
    "day": ((70, 130, 205), (190, 215, 235), (1.0, 1.0, 1.0)),
    "grey": ((150, 158, 168), (200, 203, 208), (0.8, 0.82, 0.86)),
    "sunset": ((95, 75, 130), (250, 150, 70), (0.85, 0.6, 0.5)),
    "night": ((8, 10, 30), (28, 32, 62), (0.28, 0.3, 0.42)),
}


class Canvas:
    """A picture that is being painted, with the random choices that all painters share.

    Attributes
    ----------
    draw : ImageDraw.ImageDraw
    horizon : float
        Height of the horizon, in canvas pixels from the top.
    shore : float
        Height at which the ground in front of the water begins.
    subject : str
        The main concept of the picture, which is painted larger or more often.
    contents : collection of str
        All concepts in the picture.
    """

    def __init__(self, contents: Collection[str], subject: str, rng: np.random.Generator) -> None:
        self.contents = contents
        self.subject = subject
        self._rng = rng
        self.horizon = CANVAS * self.between(0.3, 0.62)
        self.shore = self.horizon + (CANVAS - self.horizon) * self.between(0.35, 0.8)
        light = next((x for x in ("night", "sunset") if x in contents), None)
        light = light or ("day" if self.chance(0.65) else "grey")
        self.top, self.bottom, self.gains = LIGHTS[light]
        rows = np.clip(np.arange(CANVAS) / self.horizon, 0, 1)[:, None]
        top, bottom = np.array(self.jitter(self.top)), np.array(self.jitter(self.bottom))
        column = (top + rows * (bottom - top)).astype(np.uint8)
        self.image = Image.fromarray(column[:, None]).resize(
            (CANVAS, CANVAS), Image.Resampling.NEAREST
        )
        self.draw = ImageDraw.Draw(self.image)

    def between(self, low: float, high: float) -> float:
        """A uniform random number."""
        return low + (high - low) * self._rng.random()

    def chance(self, p: float) -> bool:
        return self._rng.random() < p

    def several(self, n: int, k: int) -> list[list[float]]:
        """n rows of k uniform random numbers from [0, 1)."""
        return self._rng.random((n, k)).tolist()

    def jitter(self, colour: Colour, spread: float = 22) -> Colour:
        """The colour with each channel moved at random."""
        r, g, b = self.several(1, 3)[0]
        return tuple(
            max(0, min(255, int(c + spread * (2 * u - 1))))
            for c, u in zip(colour, (r, g, b), strict=True)
        )

    def lit(self, colour: Colour, spread: float = 30) -> Colour:
        """The jittered colour as it looks in the light of the picture."""
        jittered = self.jitter(colour, spread)
        return tuple(int(c * g) for c, g in zip(jittered, self.gains, strict=True))

    def count(self, concept: str, few: int, many: int) -> int:
        """How often to paint a concept: up to `few` times, or up to `many` for the subject."""
        limit = many if concept == self.subject else few
        return 1 + int(self.between(0, limit))

    def size(self, concept: str, low: float, high: float, grown: float = 2.0) -> float:
        """A size in canvas pixels; the subject is larger by the factor `grown`."""
        return self.between(low, high) * (grown if concept == self.subject else 1.0)

    def on_ground(self) -> tuple[float, float, float]:
        """A place (x, y) on the ground, and the scale of things there: near ones are larger."""
        start = self.shore if "water" in self.contents else self.horizon
        depth = self.between(0.15, 0.95)
        return self.between(0.02, 0.98) * CANVAS, start + depth * (CANVAS - start), 0.5 + depth
