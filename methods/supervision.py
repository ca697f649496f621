"""What ``fit`` is given besides features, brought into the form that methods learn from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

import numpy as np
from scipy.sparse import issparse, sparray, spmatrix
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets

from features.pixels import ImageArray
from methods.algebra.threads import single_threaded

#: What a method may be handed besides features, by the supervision that it declares.
ALLOWED = {
    "none": ("copies",),
    "tags": ("tags", "copies"),
    "labels": ("tags", "labels", "copies"),
}

#: What is said where they are needed and not there; scikit-learn's tools look for the last words.
MISSING = {
    "tags": "needs tags",
    "labels": "needs labels; it requires y to be passed, but the target y is None",
}


def handed_over(hasher: Any, supervision: str, available: Mapping[str, Any]) -> dict[str, Any]:
    """What of these a method uses and, by its supervision, may be handed.

    Parameters
    ----------
    hasher : Hasher
    supervision : {"none", "tags", "labels"}
    available : mapping of str to object
        By the names of :data:`ALLOWED`.
    """
    allowed, uses = ALLOWED[supervision], hasher.uses
    return {name: value for name, value in available.items() if name in uses and name in allowed}


def taking_y(fit: Callable) -> Callable:
    """A method's own ``fit(self, X, *, tags, labels)`` as ``fit(self, X, y=None, *, ...)``.

    scikit-learn hands the target over as second argument.  A method whose ``uses`` names labels
    gets it as `labels`, in the form of :func:`multi_hot`; no other method sees it.

    Features are learnt from in one thread (:mod:`methods.algebra.threads`), images in as many as
    there are, since a network's convolutions take long.

    Parameters
    ----------
    fit : function
        As a subclass of :class:`methods.Hasher` defines it.

    Returns
    -------
    function
        It raises ValueError where tags or labels that ``uses`` names are missing or have another
        number of rows than X, and where labels come both as `y` and as `labels`.
    """

    @wraps(fit)
    def with_y(self: Any, X: Any, y: Any = None, **given: Any) -> Any:
        if "labels" in self.uses:
            if y is not None and given.get("labels") is not None:
                raise ValueError("give the labels either as y or as labels, not as both")
            labels = given.get("labels") if y is None else y
            given["labels"] = None if labels is None else multi_hot(labels)
        # A subclass may have its own use for tags and labels, and call this fit with X alone.
        if type(self).fit is with_y:
            for name in filter(MISSING.get, self.uses):
                if given.get(name) is None:
                    raise ValueError(f"{type(self).__name__}: {MISSING[name]}")
                check_consistent_length(X, given[name])
        with in_one_thread(X):
            return fit(self, X, **given)

    signature = inspect.signature(fit)
    parameters = list(signature.parameters.values())
    if "y" not in signature.parameters:
        y = inspect.Parameter("y", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
        parameters.insert(2, y)
    with_y.__signature__ = signature.replace(parameters=parameters)
    return with_y


def in_one_thread(X: Any) -> AbstractContextManager[None]:
    """A block in which features are handled in one thread, and images in as many as there are."""
    return nullcontext() if isinstance(X, ImageArray) else single_threaded()


def multi_hot(labels: Any) -> np.ndarray | sparray | spmatrix:
    """Labels as a matrix with a column for each class.

    Parameters
    ----------
    labels : (n,) array of integers or strings, or (n, c) matrix of bool or of 0 and 1
        One class id an item, or for each item and class whether it belongs.  A single column of
        numbers is refused, because it may hold class ids.

    Returns
    -------
    (n, c) array of bool, or sparse matrix
        A boolean or sparse matrix is returned as it is.  The columns of class ids are sorted.

    Raises
    ------
    ValueError
        If the labels have another shape or other values, or if there is only one class.

    Examples
    --------
    >>> multi_hot(["sea", "sky", "sea"]).astype(int)
    array([[1, 0],
           [0, 1],
           [1, 0]])
    """
    labels = labels if issparse(labels) else np.asarray(labels)
    if labels.ndim == 1:
        check_classification_targets(labels)
        classes, ids = np.unique(labels, return_inverse=True)
        labels = ids[:, None] == np.arange(len(classes))
        if len(classes) == 1:
            raise ValueError("labels hold only 1 class; at least two are needed")
    elif labels.ndim != 2 or (labels.shape[1] < 2 and labels.dtype != bool):
        raise ValueError(
            f"labels have shape {labels.shape}; give class ids of shape (n,), or a boolean matrix "
            "of shape (n, c) with a column for each of c >= 2 classes"
        )
    if issparse(labels) or labels.dtype == bool:
        return labels
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("a matrix of labels holds true and false, or 0 and 1, and nothing else")
    return labels.astype(bool)
