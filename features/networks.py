"""Extractors that are networks, which ``--end-to-end`` can train."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import FeatureError, one_line
from features.extractors import Extractor

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import nn

#: Images per pass on the CPU; larger passes measured slower.
_CPU_STEP = 16


class NetworkExtractor(Extractor):
    """An extractor whose vectors come from a network.

    A subclass says how large its images are, how they are normalised, and builds the network; the
    rest is here.  Its constructor stores ``device``, where it has that parameter.

    Attributes
    ----------
    crop_size : int
        Side of the square that the network looks at, in pixels.
    normalisation : (list of float, list of float)
        Mean and deviation of the three channels of its training images, whose values are 0 to 1.
    device : str
        ``cpu`` or ``cuda``.
    """

    crop_size: int
    normalisation: tuple[list[float], list[float]]
    device: str = "cpu"

    @abstractmethod
    def module(self) -> nn.Module:
        """A new copy of the pretrained network on the CPU, images (k, 3, s, s) to (k, d)."""

    def prepare(self, image: Image.Image) -> np.ndarray:
        """The middle square at the network's size, normalised, (3, s, s) float32."""
        import numpy as np
        from PIL import Image, ImageOps

        size = self.crop_size, self.crop_size
        square = np.asarray(ImageOps.fit(image, size, Image.Resampling.BILINEAR))
        mean, deviation = (np.array(values) for values in self.normalisation)
        normalised = ((square / 255 - mean) / deviation).astype(np.float32)
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))

    def extract(self, batch: np.ndarray) -> np.ndarray:
        """Outputs of the network for k prepared images, (k, d) float32."""
        import torch

        network = self._network
        step = _CPU_STEP if self.device == "cpu" else len(batch)
        with torch.inference_mode():
            parts = [
                network(part.to(self.device, memory_format=torch.channels_last)).cpu()
                for part in torch.from_numpy(batch).split(step)
            ]
        return torch.cat(parts).numpy()

    @cached_property
    def n_features(self) -> int:
        """Outputs of the network, counted on a blank image."""
        import torch

        network = self._network
        with torch.inference_mode():
            blank = torch.zeros(1, 3, self.crop_size, self.crop_size, device=self.device)
            return network(blank).shape[1]

    @cached_property
    def _network(self) -> nn.Module:
        import torch

        check_device(self.device)
        return self.module().eval().to(self.device, memory_format=torch.channels_last)


def check_device(device: str) -> None:
    """Raise FeatureError unless torch can compute on that device here."""
    if device == "cpu":
        return
    import torch

    if not torch.cuda.is_available():
        raise FeatureError(f"--device {device}: torch finds no CUDA device here; use --device cpu")


def read_weights(path: Path) -> dict[str, Any]:
    """A state dict from a file, on the CPU; nothing in the file is executed.

    Raises
    ------
    FeatureError
        If the file holds anything else.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise FeatureError(
            f"--weights {path}: not a state dict that torch can read safely ({one_line(error)}); "
            "save one with torch.save(model.state_dict(), file)"
        ) from error
    if not (
        isinstance(state, dict)
        and all(isinstance(key, str) for key in state)
        and all(isinstance(value, torch.Tensor) for value in state.values())
    ):
        raise FeatureError(
            f"--weights {path}: holds no plain state dict (names to tensors); "
            "save one with torch.save(model.state_dict(), file)"
        )
    return state
