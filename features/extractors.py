"""Extractors by name: what ``--features`` takes, and what every extractor offers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from features.backbones import Backbone, check_backbone_name
from features.errors import FeatureError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


class Extractor(Protocol):
    """Images to vectors.

    Making one is cheap: networks are loaded by the first call that needs them.

    Attributes
    ----------
    name : str
        What it is called on the command line.
    n_features : int
        Length d of the vectors.
    dtype : str
        Type of their numbers, as numpy spells it: ``<f4``, or ``|u1`` for pixels.
    identity : mapping of str to str
        Everything that determines the vectors: extractor, weights, transform, version.
    """

    name: str
    n_features: int
    dtype: str
    identity: Mapping[str, str]

    def prepare(self, image: Image.Image) -> np.ndarray:
        """One RGB image as the extractor's input array; called from several threads."""
        ...

    def extract(self, batch: np.ndarray) -> np.ndarray:
        """Vectors of k prepared images, shape (k, d)."""
        ...


def extractor_names() -> list[tuple[str, str]]:
    """Names and one-line descriptions, for a listing."""
    return [
        ("alexnet-fc7", "AlexNet, second fully-connected layer after ReLU, 4096-d"),
        ("vgg16-fc7", "VGG-16, second fully-connected layer after ReLU, 4096-d"),
        ("gist", "GIST: 32 Gabor energies on a 4 x 4 grid, 512-d; needs no weights"),
        (
            "<classifier>",
            "any torchvision classifier, pooled last feature map, e.g. squeezenet1_0 (512-d), "
            "resnet50 (2048-d)",
        ),
    ]


def check_extractor_name(name: str, weights: Path | None = None) -> None:
    """Complain about a name or a weights file in a fraction of a second, without torch.

    Raises
    ------
    FeatureError
        If there is no such extractor, the weights file is missing, or ``gist`` is given one.
    """
    if name == "gist":
        if weights is not None:
            raise FeatureError(f"features gist need no weights: leave out --weights {weights}")
        return
    check_backbone_name(name)
    if weights is not None and not Path(weights).is_file():
        raise FeatureError(f"--weights {weights}: there is no such file")


def make_extractor(name: str, *, weights: Path | None = None, device: str = "cpu") -> Extractor:
    """The extractor of that name.

    Parameters
    ----------
    name : str
        One of :func:`extractor_names`, or a torchvision classifier.
    weights : Path, optional
        File with the network's state dict; without it torchvision downloads its own.
    device : str
        ``cpu`` or ``cuda``.

    Raises
    ------
    FeatureError
        As :func:`check_extractor_name`.
    """
    check_extractor_name(name, weights)
    if name == "gist":
        from features.gist import Gist

        return Gist()
    return Backbone(name, weights=weights, device=device)
