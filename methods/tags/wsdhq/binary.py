"""Binary codes from the embedding of WSDHQ."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from features.pixels import ImageArray
from methods import Hasher, Task, register
from methods.deep.recipe import Recipe
from methods.tags.wsdhq.wsdhq import WSDHQ
from methods.unsupervised.itq import ITQ


@register("wsdhq-itq", paper="Wang et al., AAAI 2021", supervision="tags", fidelity="adapted")
class BinaryWSDHQ(Hasher):
    """ITQ on the embedding of WSDHQ: what the embedding gives where codes must be binary.

    The embedding is trained as :class:`~methods.tags.wsdhq.wsdhq.WSDHQ` trains it by default, and
    ``search="real"`` there shows what it holds before it is quantised.  The combination is ours.

    Parameters
    ----------
    n_bits : int
        Code length b, at most the length of the word vectors and n - 1.
    n_iter : int
        Rounds of ITQ's alternation.
    random_state : int, optional
        Seed of the embedding and of ITQ.

    Attributes
    ----------
    embedding_ : WSDHQ
    itq_ : ITQ

    References
    ----------
    J. Wang, B. Chen, Q. Zhang, Z. Meng, S. Liang, S.-T. Xia, "Weakly supervised deep hyperspherical
    quantization for image retrieval", AAAI 2021.
    """

    end_to_end: ClassVar[bool] = True

    def __init__(
        self, n_bits: int = 32, *, n_iter: int = 50, random_state: int | None = None
    ) -> None:
        self.n_bits = n_bits
        self.n_iter = n_iter
        self.random_state = random_state

    def embedding(self) -> WSDHQ:
        """The method that trains the embedding, unfitted."""
        return WSDHQ(self.n_bits, random_state=self.random_state)

    def recipe(self) -> Recipe:
        return self.embedding().recipe()

    def operations(self, task: Task) -> float:
        rotation = 4.0 * self.n_iter * task.n_train * self.n_bits**2
        return self.embedding().operations(task) + rotation

    def fit(self, X: np.ndarray | ImageArray, *, tags: Any = None, labels: None = None) -> Self:
        X = self.check_training_data(X)
        self.embedding_ = self.embedding().fit(X, tags=tags)
        itq = ITQ(self.n_bits, n_iter=self.n_iter, random_state=self.random_state)
        self.itq_ = itq.fit(self.embedding_.embed(X))
        return self

    def project(self, X: np.ndarray | ImageArray) -> np.ndarray:
        return self.itq_.project(self.embedding_.embed(X))
