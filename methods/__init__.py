"""Hashing methods: one short file each, found by the registry through ``@register``."""

from __future__ import annotations

from typing import Any

from benchmark.registry import methods, register
from methods.base import Hasher, Task
from methods.quantizer import Quantizer

__all__ = ["Hasher", "Quantizer", "Task", "make", "register"]


def make(name: str, **parameters: Any) -> Hasher:
    """An untrained method by its id.

    Parameters
    ----------
    name : str
        An id such as ``itq``, or a variant such as ``itq[n_iter=100]``.
    **parameters
        Constructor parameters, for instance ``n_bits``.

    Raises
    ------
    InputError
        With the nearest names, if there is no such method.
    ValueError
        For an option such as ``search=asymmetric``, which belongs to a run.

    Examples
    --------
    >>> make("itq", n_bits=32)
    ITQ()
    >>> make("itq[n_iter=100]", n_bits=16, random_state=0)
    ITQ(n_bits=16, n_iter=100, random_state=0)

    The method is a scikit-learn transformer; its codes are boolean, one column a bit.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((200, 32))
    >>> make("itq", n_bits=16, random_state=0).fit_transform(X).shape
    (200, 16)

    A method that learns from labels takes them as class ids or as a boolean matrix.

    >>> ids = np.arange(200) % 4
    >>> make("ksh", n_bits=8, n_anchors=50, random_state=0).fit(X, ids).encode(X[:3]).shape
    (3, 8)
    """
    variant = methods.parse(name)
    if variant.options:
        raise ValueError(f"{variant}: how a method is searched is set where it is run")
    return methods.find(variant.name).load()(**dict(variant.parameters), **parameters)
