"""The features themselves, which are no codes: what unsupervised codes of them are to keep."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from methods import Hasher, Task, register


@register("features", paper="none; cosine similarity", supervision="none")
class Features(Hasher):
    """The features without hashing, ranked by cosine: a bound beside the codes made from them.

    Nothing is learnt, and the code length changes nothing.

    Parameters
    ----------
    n_bits : int
        Only the column of a table.
    random_state : int, optional
        Without effect.
    """

    ranked_by: ClassVar[str] = "cosine"

    def operations(self, task: Task) -> float:
        return 0.0

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> Features:
        self.check_training_data(X)
        return self

    @property
    def _n_features_out(self) -> int:
        return self.n_features_in_

    def encode(self, X: np.ndarray) -> np.ndarray:
        """The items as they are.

        Parameters
        ----------
        X : (n, d) array of float

        Returns
        -------
        (n, d) array of float32

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`Hasher.encode` does.
        """
        check_is_fitted(self)
        return self._in_blocks(X, np.asarray, (self.n_features_in_,), np.float32)
