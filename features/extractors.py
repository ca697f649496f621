"""What an extractor is, and the decorator that makes one known."""

from __future__ import annotations

import hashlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from features.errors import FeatureError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

E = TypeVar("E", bound="type[Extractor]")


class Registration(NamedTuple):
    """A registered class: its name, what the decorator says of it, and the class."""

    name: str
    facts: Mapping[str, Any]
    cls: type


#: What has been registered since the registry looked last.  The registry empties this list; this
#: package stands below it and cannot call it.
waiting: list[Registration] = []


def register_extractor(name: str, **facts: Any) -> Callable[[E], E]:
    """Class decorator that makes an extractor known by a name.

    Parameters
    ----------
    name : str
        What ``--features`` takes.
    family : bool
        Whether the class stands for many names.  It then has a class method ``names()``, a
        dictionary ``examples`` of names and descriptions for the listing, and a constructor
        parameter ``name``.  False by default.

    Examples
    --------
    >>> import numpy as np
    >>> @register_extractor("mean-colour")
    ... class MeanColour(Extractor):
    ...     n_features = 3
    ...
    ...     def prepare(self, image):
    ...         return np.asarray(image, dtype=np.float32)
    ...
    ...     def extract(self, batch):
    ...         return batch.mean(axis=(1, 2))
    >>> MeanColour().extract(np.ones((2, 8, 8, 3), np.float32)).shape
    (2, 3)
    """

    def enter(cls: E) -> E:
        cls.name = name
        waiting.append(Registration(name, facts, cls))
        return cls

    return enter


class Extractor(ABC):
    """Images to vectors.

    The constructor says what an extractor takes.  One with a parameter ``weights`` is handed the
    file of ``--weights``, one with ``device`` is told ``cpu`` or ``cuda``; every other parameter
    can be set by the user, ``--features 'name[parameter=value]'``.  Making one is cheap: networks
    are loaded by the first call that needs them.

    Attributes
    ----------
    name : str
        What it is called on the command line, with the parameters that differ from the defaults.
    n_features : int
        Length d of the vectors.
    dtype : str
        Type of their numbers, as numpy spells it: ``<f4``, or ``|u1`` for pixels.
    version : str or None
        To be raised when the vectors change.  With None a digest of the source file takes its
        place, so that each change of the file extracts the features again.
    weights : Path or None
        File of the network's weights, if the user has given one.
    """

    name: str
    n_features: int
    dtype: str = "<f4"
    version: str | None = None
    weights: Path | None = None

    @abstractmethod
    def prepare(self, image: Image.Image) -> np.ndarray:
        """One RGB image as the extractor's input array; called from several threads."""

    @abstractmethod
    def extract(self, batch: np.ndarray) -> np.ndarray:
        """Vectors of k prepared images, shape (k, d)."""

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Everything that determines the vectors: extractor, weights, version."""
        return {
            "extractor": self.name,
            "weights": f"sha256:{sha256_of(self.weights)}" if self.weights else "none",
            "version": self.version or self._digest_of_source(),
        }

    def _digest_of_source(self) -> str:
        file = getattr(sys.modules.get(type(self).__module__), "__file__", None)
        if file is None:
            raise FeatureError(
                f"features {self.name}: the source of {type(self).__name__} is in no file; give "
                "the class an attribute version"
            )
        return f"sha256:{sha256_of(Path(file))}"


def sha256_of(path: Path) -> str:
    """Digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
