"""Networks of the deep methods: features or images at one end, scores at the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils import gen_batches
from torch import Tensor, nn

from benchmark.registry import extractors
from features.networks import NetworkExtractor
from features.pixels import ImageArray
from methods.base import Hasher
from methods.deep.context import training_context
from methods.deep.recipe import Recipe
from methods.deep.training import as_tensor, seeded

#: Rows handled at once: features for their mean, images for their scores.
ROWS_AT_ONCE, IMAGES_AT_ONCE = 8192, 64

#: Images from which the mean and the scale of a backbone's output are taken.
IMAGES_FOR_SCALE = 512


class DeepHasher(Hasher):
    """A method whose scores come from a network, on features or, end to end, on images.

    :meth:`fit` leaves the trained :class:`HashNetwork` in ``network_``; its first output holds the
    scores.
    """

    end_to_end: ClassVar[bool] = True

    def recipe(self) -> Recipe:
        """How the network is trained, on features and end to end; a method states its own."""
        return Recipe()

    def check_parameters(self) -> None:
        # First, because it knows which numbers must be above 0.
        self.recipe()
        super().check_parameters()

    def project(self, X: np.ndarray | ImageArray) -> np.ndarray:
        return first_output(self.network_, X)


class HashNetwork(nn.Module):
    """Front and head: ``head(front(items))``.

    Parameters
    ----------
    front : nn.Module
        :class:`Standardise` for features, :class:`ImageFront` for images.
    head : nn.Module
        The layers of the method; its first output (or its only one) holds the scores (k, b).
    """

    def __init__(self, front: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.front = front
        self.head = head

    @property
    def backbone(self) -> nn.Module | None:
        """The pretrained part, None on features."""
        return getattr(self.front, "backbone", None)

    def forward(self, items: Tensor) -> Any:
        return self.head(self.front(items))


class Standardise(nn.Module):
    """``(x - mean) / scale`` with one scale for all dimensions, so that directions stay."""

    def __init__(self, mean: np.ndarray, scale: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.asarray(mean, dtype=np.float32)))
        self.register_buffer("scale", torch.tensor(scale if scale > 0 else 1.0))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.scale


class FeatureDropout(nn.Module):
    """Dropout of whole features: one mask for all items of a batch.

    As good as a mask for each item on validation data (WDHT at 12 and 32 bits, two seeds: 0.127
    and 0.181 against 0.130 and 0.176), and drawing it costs nothing beside the matrix products.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        kept = torch.rand(x.shape[1], device=x.device) >= self.share
        return x * (kept / (1 - self.share))


class ImageFront(nn.Module):
    """Pixels to standardised features: crop, ImageNet normalisation, backbone.

    Training sees random crops, half of them mirrored; encoding sees the middle.
    """

    def __init__(self, extractor: NetworkExtractor, images: ImageArray) -> None:
        super().__init__()
        self.crop = extractor.crop_size
        mean, deviation = extractor.normalisation
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1))
        self.backbone = extractor.module()
        self.standardise = nn.Identity()
        self.standardise = Standardise(*_moments(self.features_of(images, IMAGES_FOR_SCALE)))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.look(self.crops(pixels))

    def crops(self, pixels: Tensor) -> Tensor:
        """What the backbone is to see of each image, (k, 3, crop, crop) uint8."""
        return self._random_crops(pixels) if self.training else self._middle(pixels)

    def look(self, crops: Tensor) -> Tensor:
        """Standardised features of crops."""
        x = (crops.float() / 255 - self.mean) / self.deviation
        return self.standardise(self.backbone(x))

    def features_of(self, images: ImageArray, n_images: int) -> np.ndarray:
        """Features of so many images at most, spread over all of them, as encoding sees them."""
        rows = np.linspace(0, len(images) - 1, min(len(images), n_images)).astype(int)
        # Before inference mode: what is moved inside it could not be trained with.
        self.eval().to(training_context().device)
        parts = []
        with torch.inference_mode():
            for chosen in gen_batches(len(rows), IMAGES_AT_ONCE):
                pixels = torch.from_numpy(images.read(rows[chosen])).to(training_context().device)
                parts.append(self(pixels).cpu().numpy())
        return np.concatenate(parts)

    def _middle(self, pixels: Tensor) -> Tensor:
        top, left = ((side - self.crop) // 2 for side in pixels.shape[-2:])
        return pixels[..., top : top + self.crop, left : left + self.crop]

    def _random_crops(self, pixels: Tensor) -> Tensor:
        k, free = len(pixels), [side - self.crop for side in pixels.shape[-2:]]
        tops, lefts = (torch.randint(0, f + 1, (k,)).tolist() for f in free)
        crops = torch.stack(
            [
                image[:, top : top + self.crop, left : left + self.crop]
                for image, top, left in zip(pixels, tops, lefts, strict=True)
            ]
        )
        mirrored = torch.rand(k, device=pixels.device) < 0.5
        return torch.where(mirrored.view(-1, 1, 1, 1), crops.flip(-1), crops)


def dense(n_inputs: int, n_outputs: int) -> nn.Linear:
    """A fully connected layer with Glorot-normal weights and zero biases."""
    layer = nn.Linear(n_inputs, n_outputs)
    nn.init.xavier_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def make_network(
    X: np.ndarray | ImageArray, head: Callable[[int], nn.Module], *, seed: int | None
) -> HashNetwork:
    """An untrained network for these training items.

    Parameters
    ----------
    X : (n, d) array of float, or ImageArray
        Features are centred and scaled to a mean variance of 1; images pass their backbone first.
    head : callable
        Makes the head for inputs of so many dimensions.
    seed : int or None
        Of the initial weights.
    """
    if isinstance(X, ImageArray):
        front: nn.Module = ImageFront(extractors.make(X.backbone, weights=X.weights), X)
        width = len(front.standardise.mean)
    else:
        front, width = Standardise(*_moments(X)), X.shape[1]
    with seeded(seed):
        return HashNetwork(front, head(width))


def head_inputs(
    network: HashNetwork, X: np.ndarray | ImageArray, *, n_images: int = IMAGES_FOR_SCALE
) -> np.ndarray:
    """What the head gets of training items before training, (n, width).

    Of images only so many are looked at, spread over all of them.
    """
    if isinstance(X, ImageArray):
        return network.front.features_of(X, n_images)
    with torch.inference_mode():
        return network.front(as_tensor(X)).numpy()


def finished(network: HashNetwork) -> HashNetwork:
    """The network ready for :meth:`DeepHasher.project`.

    Heads on features compute in double precision from here on, so that an item's bits do not
    depend on the batch in which it comes.
    """
    network = network.cpu().eval().requires_grad_(False)
    return network if network.backbone is not None else network.double()


def first_output(network: HashNetwork, X: np.ndarray | ImageArray) -> np.ndarray:
    """The first output of a network, or its only one, for items as they come in a search.

    The network is left in evaluation mode, and on the device of trainings where it sees images.

    Parameters
    ----------
    network : HashNetwork
        In training, or after :func:`finished`.
    X : (n, d) array of float, or ImageArray

    Returns
    -------
    (n, b) array of float32 or float64
        In the precision of the network.
    """
    on_images = isinstance(X, ImageArray)
    network = network.eval().to(training_context().device) if on_images else network.eval()
    weights = next(network.head.parameters())
    precision = np.float64 if weights.dtype == torch.float64 else np.float32
    parts = []
    with torch.inference_mode():
        for rows in gen_batches(len(X), IMAGES_AT_ONCE if on_images else ROWS_AT_ONCE):
            items = torch.from_numpy(X.read(rows)) if on_images else as_tensor(X[rows], precision)
            outputs = network(items.to(weights.device))
            scores = outputs if isinstance(outputs, Tensor) else outputs[0]
            parts.append(scores.cpu().numpy())
    return np.concatenate(parts)


def _moments(X: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean, and the root of the mean variance over dimensions."""
    mean = X.mean(axis=0, dtype=np.float64)
    squares = [((X[rows] - mean) ** 2).sum() for rows in gen_batches(len(X), ROWS_AT_ONCE)]
    return mean, float(np.sqrt(sum(squares) / X.size))
