"""A fitted method as arrays and plain values, without pickle.

Everything that a method keeps is written down: numbers, words, arrays and tensors as they are,
containers element by element, and objects (networks, nested estimators, records of a training) as
the name of their class with their attributes.  Reading makes the objects again without running
their constructors.  Only classes of the modules of :data:`TRUSTED`, of a registered method's own
module and of loaded plug-ins are made, so that a file cannot run code of its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn

from methods.base import Hasher

#: Packages whose classes and functions a state may name.
TRUSTED = ("methods", "features", "torch", "torchvision", "collections", "numpy")
#: Modules of plug-ins, which the user names on the command line.
PLUGIN = "hashbench_plugin_"
#: Version of the form.
FORMAT = 1
#: Where the tree of values stands among the arrays.
TREE = "state"


class StateError(ValueError):
    """A state cannot be written, or a file does not hold one that can be read."""


def to_arrays(hasher: Hasher) -> dict[str, np.ndarray]:
    """A fitted method as arrays by name, for ``numpy.savez``.

    Parameters
    ----------
    hasher : Hasher
        Fitted.

    Returns
    -------
    dict of str to array
        The arrays of the method, and the tree of its values in JSON.

    Raises
    ------
    StateError
        If the method keeps something that is neither plain nor an object of a known module.
    """
    writer = _Writer()
    tree = {"format": FORMAT, "hasher": writer.write(hasher)}
    return {TREE: np.array(json.dumps(tree)), **writer.arrays}


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Hasher:
    """The method that :func:`to_arrays` wrote down.

    Raises
    ------
    StateError
        If the arrays are not such a method, or if a class is unknown here.
    """
    try:
        tree = json.loads(str(arrays[TREE]))
        if tree["format"] != FORMAT:
            raise StateError(f"the model has the format {tree['format']}, not {FORMAT}")
        hasher = _read(tree["hasher"], arrays)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(f"this is not a stored model ({type(error).__name__}: {error})") from None
    if not isinstance(hasher, Hasher):
        raise StateError(f"this is not a stored method but a {type(hasher).__name__}")
    return hasher


class _Writer:
    """Values as JSON, and their arrays on the side, each once."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._known: dict[int, str] = {}
        # Keeps what was seen, so that no other object takes its id.
        self._seen: list[Any] = []

    def write(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array("scalar" if isinstance(value, np.generic) else "array", value)
        if isinstance(value, torch.Tensor):
            kind = "parameter" if isinstance(value, nn.Parameter) else "tensor"
            return self._array(kind, value) | {"trained": value.requires_grad}
        if isinstance(value, Path):
            return {"path": str(value)}
        if isinstance(value, (torch.device, torch.dtype)):
            return {"torch": str(value)}
        if isinstance(value, (list, tuple, set, dict)):
            return self._container(value)
        if sparse.issparse(value):
            return self._sparse(value)
        if callable(value) and hasattr(value, "__qualname__"):
            return {"name": _name_of(value)}
        return {"object": _name_of(type(value)), "attributes": self.write(_attributes(value))}

    def _container(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            kind = "ordered" if isinstance(value, OrderedDict) else "dict"
            return {kind: [[self.write(key), self.write(item)] for key, item in value.items()]}
        items = [self.write(item) for item in value]
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return {"named": _name_of(type(value)), "items": items}
        kind = next(kind for kind in (list, tuple, set) if isinstance(value, kind))
        return {kind.__name__: items}

    def _sparse(self, value: Any) -> dict[str, Any]:
        csr = sparse.csr_array(value)
        parts = [self.write(part) for part in (csr.data, csr.indices, csr.indptr)]
        return {"sparse": parts, "shape": list(csr.shape)}

    def _array(self, kind: str, value: Any) -> dict[str, Any]:
        key = self._known.get(id(value))
        if key is None:
            array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
            array = np.asarray(array)
            if array.dtype.kind == "O":
                raise StateError("an array of Python objects cannot be stored")
            key = f"a{len(self.arrays)}"
            self.arrays[key] = array
            self._known[id(value)] = key
            self._seen.append(value)
        return {kind: key}


def _attributes(value: Any) -> dict[str, Any]:
    attributes = getattr(value, "__dict__", None)
    if attributes is None:
        raise StateError(f"a {type(value).__name__} cannot be stored")
    # What a class computes from other attributes when it is asked for is computed again.
    cached = {
        name for cls in type(value).__mro__ for name, item in vars(cls).items() if _is_cached(item)
    }
    return {name: item for name, item in attributes.items() if name not in cached}


def _is_cached(item: Any) -> bool:
    return type(item).__name__ == "cached_property"


def _name_of(thing: Any) -> str:
    name = f"{thing.__module__}:{thing.__qualname__}"
    if not _is_trusted(thing.__module__) or "<" in name:
        raise StateError(f"{name} cannot be stored: it belongs to no module that can be read again")
    return name


def _is_trusted(module: str) -> bool:
    return module.partition(".")[0] in TRUSTED or module.startswith(PLUGIN) or _has_method(module)


def _has_method(module: str) -> bool:
    """Whether a registered method, which an installed package may bring, is of this module."""
    from benchmark.registry import methods

    return any(entry.module == module for entry in methods.entries())


def _thing_of(name: str) -> Any:
    """The class or function of that name."""
    module, _, path = name.partition(":")
    if not _is_trusted(module):
        raise StateError(
            f"the model needs {module}, which is not known here; name its file as a plug-in"
        )
    thing = sys.modules.get(module)
    try:
        thing = thing or importlib.import_module(module)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError):
        raise StateError(f"the model needs {name}, which is not there") from None
    if getattr(thing, "__module__", None) != module:
        # A module may have another one among its names, and that one anything.
        raise StateError(f"{name} is of another module")
    return thing


def _class_of(name: str) -> type:
    thing = _thing_of(name)
    if not isinstance(thing, type):
        raise StateError(f"{name} is not a class")
    return thing


def _read(tree: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(tree, dict):
        return tree
    kind = next(iter(tree))
    return _READERS[kind](tree, arrays)


def _items(tree: dict, kind: str, arrays: Mapping[str, np.ndarray]) -> Iterator[Any]:
    return (_read(item, arrays) for item in tree[kind])


def _pairs(tree: dict, kind: str, arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[Any, Any]]:
    return ((_read(key, arrays), _read(item, arrays)) for key, item in tree[kind])


def _read_tensor(tree: dict, arrays: Mapping[str, np.ndarray]) -> torch.Tensor:
    kind = next(iter(tree))
    tensor = torch.from_numpy(np.array(arrays[tree[kind]]))
    if kind == "parameter":
        return nn.Parameter(tensor, requires_grad=tree["trained"])
    return tensor.requires_grad_(tree["trained"])


def _read_object(tree: dict, arrays: Mapping[str, np.ndarray]) -> Any:
    cls = _class_of(tree["object"])
    made = cls.__new__(cls)
    made.__dict__.update(_read(tree["attributes"], arrays))
    return made


def _read_named(tree: dict, arrays: Mapping[str, np.ndarray]) -> Any:
    cls = _class_of(tree["named"])
    if not issubclass(cls, tuple):
        raise StateError(f"{tree['named']} is not a named tuple")
    return tuple.__new__(cls, _items(tree, "items", arrays))


def _read_sparse(tree: dict, arrays: Mapping[str, np.ndarray]) -> Any:
    return sparse.csr_array(tuple(_items(tree, "sparse", arrays)), shape=tuple(tree["shape"]))


def _read_torch(tree: dict, arrays: Mapping[str, np.ndarray]) -> Any:
    text = tree["torch"]
    return getattr(torch, text.removeprefix("torch.")) if "." in text else torch.device(text)


_READERS = {
    "array": lambda tree, arrays: np.array(arrays[tree["array"]]),
    "scalar": lambda tree, arrays: arrays[tree["scalar"]][()],
    "tensor": _read_tensor,
    "parameter": _read_tensor,
    "torch": _read_torch,
    "path": lambda tree, arrays: Path(tree["path"]),
    "name": lambda tree, arrays: _thing_of(tree["name"]),
    "list": lambda tree, arrays: list(_items(tree, "list", arrays)),
    "tuple": lambda tree, arrays: tuple(_items(tree, "tuple", arrays)),
    "set": lambda tree, arrays: set(_items(tree, "set", arrays)),
    "dict": lambda tree, arrays: dict(_pairs(tree, "dict", arrays)),
    "ordered": lambda tree, arrays: OrderedDict(_pairs(tree, "ordered", arrays)),
    "named": _read_named,
    "sparse": _read_sparse,
    "object": _read_object,
}
