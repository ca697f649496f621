"""Features from torchvision's classifiers: the network without its last layers."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import socket
import sys
from contextlib import redirect_stdout
from functools import cache, cached_property
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from features.errors import FeatureError, one_line
from features.extractors import register_extractor, sha256_of
from features.networks import NetworkExtractor, read_weights

if TYPE_CHECKING:
    from PIL import Image
    from torch import nn

#: Attributes under which torchvision keeps what stands behind the last feature map.
_HEADS = ("classifier", "fc", "head", "heads")

#: Beyond this ratio of the sides an image is cut to its middle before it is resized.
_LONGEST = 8

_DOWNLOAD_TIMEOUT = 15


@register_extractor("torchvision", family=True)
class Backbone(NetworkExtractor):
    """Any torchvision classifier without its head: squeezenet1_0 (512-d), resnet50 (2048-d), ...

    ``<model>-fc7`` (AlexNet and VGG) is the second fully-connected layer after its ReLU, no
    dropout: 4096 values.  Any other name is a model, whose vector is the mean of the last
    feature map over all positions (for a vision transformer: the class token after the last
    norm), that is what enters the classifying layers.  Images are transformed as the pretrained
    weights ask: resized, centre-cropped, scaled with the ImageNet mean and deviation.

    Parameters
    ----------
    name : str
        For instance ``alexnet-fc7`` or ``squeezenet1_0``.
    weights : Path, optional
        State dict for exactly that model; otherwise torchvision's default weights, downloaded.
    device : str
        ``cpu`` or ``cuda``.
    """

    #: Raise it when the vectors change although weights and torchvision stay the same.
    version = "1"

    examples: ClassVar = {
        "alexnet-fc7": "AlexNet, second fully-connected layer after ReLU, 4096-d",
        "vgg16-fc7": "VGG-16, second fully-connected layer after ReLU, 4096-d",
    }

    def __init__(self, name: str, *, weights: Path | None = None, device: str = "cpu") -> None:
        self.name = name
        self.model_name, self.layer = split_name(name)
        self.weights = None if weights is None else Path(weights)
        self.device = device

    @cached_property
    def identity(self) -> dict[str, str]:
        torchvision = f"torchvision {importlib.metadata.version('torchvision')}"
        return {
            "extractor": self.name,
            "weights": f"sha256:{self._digest}" if self.weights else f"{torchvision} DEFAULT",
            "transform": f"{torchvision} {self.model_name}",
            "version": self.version,
        }

    @classmethod
    def names(cls) -> list[str]:
        """Every name that ``--features`` may have: the classifiers, and fc7 of those with one."""
        known = classifier_names()
        return [*(f"{m}-fc7" for m in known if m.startswith(("alexnet", "vgg"))), *known]

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Network input, (3, height, width) float32."""
        return self._transform(middle(image)).numpy()

    @property
    def crop_size(self) -> int:
        """Side of the square that the network looks at, in pixels."""
        return self._transform.crop_size[0]

    @property
    def normalisation(self) -> tuple[list[float], list[float]]:
        """Mean and deviation of the three channels of its training images."""
        return self._transform.mean, self._transform.std

    def module(self) -> nn.Module:
        """A new copy of the network with its pretrained weights, on the CPU."""
        # Weights first: a download that fails should not wait for a network to be built.
        state = self._state_dict()
        model = build_model(self.model_name, self.crop_size)
        load_weights(model, state, self.weights or self._pretrained.url)
        return without_head(model, self.layer).eval()

    @cached_property
    def _digest(self) -> str:
        return sha256_of(self.weights)

    @cached_property
    def _pretrained(self) -> Any:
        """torchvision's record of the weights: the one whose file this is, or the default."""
        from torchvision import models

        choices = models.get_model_weights(self.model_name)
        if self.weights:
            # File names end in the first digits of the SHA-256: resnet50-0676ba61.pth.
            for choice in choices:
                if Path(choice.url).stem.endswith(f"-{self._digest[:8]}"):
                    return choice
        return choices.DEFAULT

    @cached_property
    def _transform(self) -> Any:
        return self._pretrained.transforms()

    def _state_dict(self) -> dict[str, Any]:
        if self.weights:
            return read_weights(self.weights)
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
        try:
            # torch says on standard output what it downloads; that is for results.
            with redirect_stdout(sys.stderr):
                return self._pretrained.get_state_dict(
                    progress=sys.stderr.isatty(),
                    check_hash=True,
                    map_location="cpu",
                    weights_only=True,
                )
        except (OSError, RuntimeError, HTTPException) as error:
            raise FeatureError(
                f"features {self.name}: the weights {self._pretrained} cannot be downloaded "
                f"({one_line(error)}); fetch {self._pretrained.url} and give it with "
                "--weights FILE, or choose features that need none (--list features)"
            ) from error
        finally:
            socket.setdefaulttimeout(before)


@cache
def classifier_names() -> tuple[str, ...]:
    """torchvision's classifiers, read from its source because importing it takes seconds."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None:
        raise FeatureError("torchvision is not installed: pip install torch torchvision")
    folder = Path(spec.submodule_search_locations[0]) / "models"
    pattern = re.compile(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
    files = sorted(folder.glob("*.py"))
    return tuple(n for path in files for n in pattern.findall(path.read_text(encoding="utf-8")))


def split_name(name: str) -> tuple[str, str]:
    """Model and layer: ``vgg16-fc7`` is ``("vgg16", "fc7")``, ``resnet50`` ``("resnet50", "")``."""
    model, _, layer = name.partition("-")
    return model, layer


def middle(image: Image.Image) -> Image.Image:
    """The middle of a very long image; others as they are.

    The transform scales the shorter side and keeps a square of the middle, so nothing is lost,
    but a strip of 1 x 10,000 pixels would be blown up to gigabytes on the way.
    """
    short, long = min(image.size), max(image.size)
    if long <= _LONGEST * short:
        return image
    width, height = (min(side, _LONGEST * short) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def build_model(name: str, size: int) -> nn.Module:
    """The untrained classifier, set up as its pretrained weights need it."""
    from torchvision import models

    arguments = {}
    if name in ("googlenet", "inception_v3"):
        # Their weights were trained on images scaled in another way, which the model makes up for.
        arguments = {"transform_input": True, "init_weights": False}
    elif name.startswith("vit"):
        arguments = {"image_size": size}
    return models.get_model(name, weights=None, **arguments)


def load_weights(model: nn.Module, state: dict[str, Any], source: object) -> None:
    """Load a state dict that must fit the model exactly.

    Raises
    ------
    FeatureError
        Naming the first keys that do not fit.
    """
    # torchvision's older DenseNet files say norm.1 where the model says norm1.
    state = {re.sub(r"(\.denselayer\d+\.\w+)\.([12]\.)", r"\1\2", k): v for k, v in state.items()}
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        expected = model.state_dict()
        # Old files leave num_batches_tracked out, and torch lets them.
        needed = [key for key in expected if not key.endswith("num_batches_tracked")]
        wrong = [f"{key} is missing" for key in needed if key not in state]
        wrong += [f"{key} is unknown" for key in state if key not in expected]
        wrong += [
            f"{key} has shape {tuple(state[key].shape)} instead of {tuple(value.shape)}"
            for key, value in expected.items()
            if key in state and state[key].shape != value.shape
        ]
        raise FeatureError(
            f"--weights {source}: these are not weights of torchvision's "
            f"{type(model).__name__} of that name: {'; '.join(wrong[:3]) or one_line(error)}"
        ) from error


def without_head(model: nn.Module, layer: str) -> nn.Module:
    """The network up to its fc7 layer, or up to the mean of its last feature map.

    The model is changed in place and returned; it maps images (k, 3, h, w) to (k, d).
    """
    from torch import nn

    if layer == "fc7":
        linear = [i for i, part in enumerate(model.classifier) if isinstance(part, nn.Linear)]
        model.classifier = model.classifier[: linear[1] + 2]
        return model

    class MeanOverPositions(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.mean((2, 3)) if x.ndim == 4 else x

    head = next((name for name in _HEADS if hasattr(model, name)), None)
    if head is None:
        raise FeatureError(f"{type(model).__name__} has no head that could be taken off")
    if hasattr(model, "avgpool"):
        model.avgpool = nn.AdaptiveAvgPool2d(1)
    setattr(model, head, MeanOverPositions())
    return model
