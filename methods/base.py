"""The base class of all hashing methods, and the only place where a sign is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils import Tags, gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from features.pixels import ImageArray
from methods.algebra.threads import in_parallel
from methods.parameters import check_numbers, check_words
from methods.supervision import handed_over, taking_y
from methods.task import Task
from methods.unsuitable import Unsuitable

#: Rows that one thread encodes at once (4096-d: 16 MB in float64).
ENCODED_AT_ONCE = 512


class Hasher(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A method that turns feature vectors into binary codes: a scikit-learn transformer.

    A subclass writes ``__init__`` (which only stores its arguments), :meth:`project` and
    ``fit(self, X, *, tags=None, labels=None)``.  This class adds the second argument `y` to that
    ``fit``; ``get_params``, ``clone``, ``fit_transform`` and ``set_output`` are scikit-learn's.
    Learnt state ends in an underscore and comes from the training data alone, so that an item's
    code never depends on the batch it is encoded with.

    Parameters
    ----------
    n_bits : int
        Code length in bits.
    random_state : int, optional
        Seed of everything random in :meth:`fit`.

    Examples
    --------
    Random hyperplanes through the mean:

    >>> import numpy as np
    >>> class Hyperplanes(Hasher):
    ...     def fit(self, X, *, tags=None, labels=None):
    ...         X = self.check_training_data(X)
    ...         rng = np.random.default_rng(self.random_state)
    ...         self.mean_ = X.mean(axis=0)
    ...         self.normals_ = rng.standard_normal((X.shape[1], self.n_bits))
    ...         return self
    ...
    ...     def project(self, X):
    ...         return (X - self.mean_) @ self.normals_
    >>> X = np.random.default_rng(0).standard_normal((50, 8))
    >>> Hyperplanes(n_bits=4, random_state=0).fit_transform(X).shape
    (50, 4)
    """

    # Set by @register.
    id: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    supervision: ClassVar[str] = "none"
    fidelity: ClassVar[str] = "paper"
    inputs: ClassVar[str] = "features"

    #: Whether :meth:`fit` also takes images (:class:`features.pixels.ImageArray`) in place of X.
    end_to_end: ClassVar[bool] = False
    #: How items are found again: by ``hamming`` distance of codes, by ``scores`` of tables, or by
    #: ``cosine`` of real-valued vectors.
    ranked_by: ClassVar[str] = "hamming"
    #: Parameters that take one of a few words, and those words.
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: Values of ``preset`` other than "default", and the parameters that each of them sets.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    #: Values that ``--tune`` tries for some parameters.
    grid: ClassVar[Mapping[str, tuple]] = {}

    def __init__(self, n_bits: int = 32, *, random_state: int | None = None) -> None:
        self.n_bits = n_bits
        self.random_state = random_state

    def __init_subclass__(cls, **keywords: Any) -> None:
        if "fit" in vars(cls):
            cls.fit = taking_y(cls.fit)
        super().__init_subclass__(**keywords)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = "labels" in self.uses
        # Codes are not floating-point numbers, whatever the features are.
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def uses(self) -> tuple[str, ...]:
        """What :meth:`fit` needs besides features: some of ``tags``, ``labels``, ``copies``.

        By default what the method declares as its supervision.  A method that declares labels may
        take tags with them or in their place, by its parameters.  ``copies`` are features of
        rotated images (:class:`features.rotations.RotatedCopies`), which hold no supervision;
        None where there are no images.
        """
        return () if self.supervision == "none" else (self.supervision,)

    def supervised_by(self, **available: Any) -> dict[str, Any]:
        """What of these :meth:`fit` is to be handed; a run goes by the registry instead."""
        return handed_over(self, self.supervision, available)

    def fit(self, X: np.ndarray, y: Any = None, *, tags: Any = None, labels: Any = None) -> Self:
        """Learn from training data.

        Parameters
        ----------
        X : (n, d) array of float
            Training features.
        y : array, optional
            The labels, where scikit-learn hands them over; a method whose :attr:`uses` does not
            name labels ignores it.
        tags : (n, V) sparse matrix, optional
            Image-tag matrix; needed by methods whose :attr:`uses` names it.
        labels : (n,) array of integers or strings, or (n, c) array of bool, optional
            Class ids, or for each item and label whether it belongs; likewise.  A subclass gets
            the matrix in either case, see :func:`methods.supervision.multi_hot`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is not a finite two-dimensional array, if needed tags or labels are missing or
            have another form, or if the method cannot run on X; the message then is the reason
            that :meth:`skip` gives.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define fit")

    def project(self, X: np.ndarray) -> np.ndarray:
        """Real-valued scores whose signs are the bits.

        Parameters
        ----------
        X : (n, d) array of float
            Items to encode; each row is handled on its own.  Blocks of items may be handed over
            from several threads at a time.

        Returns
        -------
        (n, n_bits) array of float
        """
        raise NotImplementedError(f"{type(self).__name__} does not define project")

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Binary codes: a bit is 1 where the score is strictly positive.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, n_bits) array of bool

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        ValueError
            If X has NaN, infinite values or another number of columns than the training data,
            or if :meth:`project` gives scores of another shape or scores that are not finite.
        """
        return self._in_blocks(X, lambda x: self._checked_scores(x) > 0, (self.n_bits,), bool)

    def scores(self, X: np.ndarray) -> np.ndarray:
        """What :meth:`project` gives, checked and computed in blocks.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, n_bits) array of float64

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`encode` does.
        """
        return self._in_blocks(X, self._checked_scores, (self.n_bits,), np.float64)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Codes of items as the step of a pipeline gives them: what :meth:`encode` returns.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, n_bits) array of bool
            Or a data frame, after scikit-learn's ``set_output``.
        """
        return self.encode(X)

    @property
    def _n_features_out(self) -> int:
        return self.n_bits

    def encode_queries(self, X: np.ndarray) -> np.ndarray:
        """What a query is compared by: its code, or whatever a subclass ranks items by instead."""
        return self.encode(X)

    def _in_blocks(
        self, X: np.ndarray, function: Callable, shape: tuple[int, ...], dtype: type
    ) -> np.ndarray:
        """Check items and apply a function to blocks of them, in double precision.

        The function gives an array of the same shape for each item, which are put together.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        blocks = gen_batches(len(X), ENCODED_AT_ONCE)
        if isinstance(X, ImageArray):
            made = [function(X[rows]) for rows in blocks]
        else:
            made = in_parallel(lambda rows: function(np.asarray(X[rows], np.float64)), blocks)
        return np.concatenate([np.empty((0, *shape), dtype), *made], dtype=dtype, casting="unsafe")

    def _check_shape(self, function: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
        """ValueError if one of the method's functions gave an array of another shape."""
        if values.shape != shape:
            raise ValueError(
                f"{type(self).__name__}.{function} gave an array of shape {values.shape} "
                f"instead of {shape}"
            )

    def _checked_scores(self, X: np.ndarray) -> np.ndarray:
        scores = np.asarray(self.project(X))
        self._check_shape("project", scores, (len(X), self.n_bits))
        if not np.isfinite(scores).all():
            raise ValueError(f"{type(self).__name__}.project gave scores that are not finite")
        return scores

    def skip(self, task: Task) -> str | None:
        """Why this method cannot run on the task, or None if it can."""
        return None

    def operations(self, task: Task) -> float:
        """Rough number of floating-point operations of :meth:`fit`, for ``--dry-run``."""
        return 2.0 * task.n_train * task.n_features * self.n_bits

    def check_parameters(self) -> None:
        """Raise ValueError unless words are those of :attr:`choices`, and numbers can be."""
        presets = {"preset": ("default", *self.presets)} if self.presets else {}
        check_words(self, {**self.choices, **presets})
        check_numbers(self)

    def in_force(self) -> Self:
        """The method with the parameters that its preset stands for, unfitted."""
        if not self.presets:
            return self
        return clone(self).set_params(**self.presets.get(self.preset, {}))

    def check_training_data(self, X: np.ndarray) -> np.ndarray:
        """Validate training features and the constraints of :meth:`skip`; call it first in fit.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, d) array of float32 or float64
            X itself where it is such an array already.

        Raises
        ------
        ValueError
            If X is not a finite two-dimensional array with at least two rows, if ``n_bits`` is
            not positive, if a parameter is not what it can be, or for the reason that
            :meth:`skip` gives.
        """
        if self.n_bits < 1:
            raise ValueError(f"n_bits must be at least 1, not {self.n_bits}")
        self.check_parameters()
        X = self._checked(X, reset=True, ensure_min_samples=2)
        # Pixels are counted for images: the width of the backbone's output is unknown here.
        n_features = math.prod(X.shape[1:])
        task = Task(len(X), n_features, has_tags=True, has_labels=True, has_images=True)
        reason = self.skip(task)
        if reason:
            size = f"n_samples = {len(X)}, n_features = {n_features}"
            raise Unsuitable(f"{type(self).__name__}: {reason} ({size})")
        return X

    def _checked(
        self, X: np.ndarray | ImageArray, *, reset: bool, **conditions: Any
    ) -> np.ndarray | ImageArray:
        """X as finite features, or as images where the method takes them.

        The number of features and their names are remembered (reset) or compared with those
        that :meth:`fit` saw.
        """
        if not isinstance(X, ImageArray):
            return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], **conditions)
        if not self.end_to_end:
            raise ValueError(f"{type(self).__name__} takes features, not images")
        return validate_data(self, X, reset=reset, skip_check_array=True)
