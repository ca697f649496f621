"""Weakly supervised deep hyperspherical quantisation (WSDHQ)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from features.pixels import ImageArray
from methods import Quantizer, Task, register
from methods.algebra.codebooks import (
    Codebooks,
    icm_codes,
    initial_codebooks,
    metric_factor,
    skip_codebooks,
    sweep_order,
    update_codebooks,
)
from methods.deep.network import HashNetwork, finished, first_output, make_network
from methods.deep.recipe import ROUND, Recipe
from methods.deep.training import train
from methods.deep.views import mean_output_of_views
from methods.tag_vectors import word_vectors
from methods.tags.wsdhq.merging import merged_tags, unit_rows
from methods.tags.wsdhq.objective import Objective, make_head
from methods.tags.wsdhq.training_codes import TrainingCodes
from methods.unsuitable import Unsuitable

#: Sweeps over the codebooks in which the code words of an item are chosen.
N_SWEEPS = 3


@register("wsdhq", paper="Wang et al., AAAI 2021", supervision="tags", fidelity="adapted")
class WSDHQ(Quantizer):
    """Codebooks for embeddings that lie near the word vectors of an image's tags.

    Word vectors are first enhanced and near-duplicates merged, see
    :func:`methods.tags.wsdhq.merging.merged_tags`, which keeps the 2,000 most frequent tags
    (``MOST_TAGS``) and leaves T tags v_t.  **That step is a reconstruction**: its program was not
    released.  The rest follows the released code with ``preset="paper"``; the defaults differ
    from it in `gamma`, `normalize`, `restart` and `hidden`, for which they are called adapted.

    A network maps an image to r in (-1, 1)^e, which has as many dimensions as the word vectors,
    and is trained on ``L_emb + lam L_q``:

    * L_emb, :func:`methods.tags.wsdhq.margins.embedding_loss`: r has a larger cosine with each tag
      of the image than with any other tag, by a margin that grows with the distance of the two;
    * L_q: mean over images of ``sum_t (v_t . (r - x))^2``, where x is the sum of M code words, one
      from each codebook, that stands for the image.

    Every so many steps codes and codebooks follow the network: codes by iterated conditional
    modes, codebooks by least squares (:mod:`methods.algebra.codebooks`); until the first time L_q
    counts nothing.  An item is stored as its M code words, and a query q is compared with it by
    ``r_q . x`` (asymmetric quantiser distance, AQD), a sum of M table entries, or by ``x_q . x``
    (symmetric quantiser distance, SQD).

    Parameters
    ----------
    n_bits : int
        Bits of an item's M code words together.
    n_neighbors, tau : int, float
        At most so many neighbours of a tag in its graph, whose cosine is at least `tau`.
    eps : float
        Cosine distance up to which tags are merged; 0 merges none.  0.05 leaves 87 % of the tags
        of Corel5k, and the paper's data 85 to 93 %.
    gamma : float
        Bend of the margin ``2^(1 - gamma) (1 - v_i . v_j)^gamma``.  The released code has 1; with 2
        tags of similar meaning need not be told apart, which is better on validation data (Corel5k
        at 12 and 32 bits: 0.303 and 0.316 against 0.278 and 0.290).
    margin : float
        A margin for all pairs of tags in place of that, where it is above 0; the released code
        offers 0.7.
    lam : float
        Weight of L_q.  With `normalize` it does not depend on number and length of the v_t;
        1e-4 belongs to L_q as the released code has it.
    normalize : bool
        Quantise on the sphere: r and v_t scaled to unit length, and L_q a mean over tags.  The
        released code does so in L_emb alone.
    hidden : int
        ReLU units between features and r, which stand for the layers that the paper trains
        along; 0: none, as on its backbone.
    dropout : float
        Share of features left out in training.
    every : int
        Steps between updates of the codebooks, which come between two rounds.
    restart : bool
        Whether the final codebooks are k-means centres once more, on the trained network, which
        leaves a larger error but ranks better (0.303 and 0.316 against 0.283 and 0.303); else
        they are updated a last time, as in the released code.
    search : {"aqd", "sqd", "real"}
        Whether a query is compared as r or as the sum of its code words; ``real`` ranks the items'
        r by cosine, without code words, the bound of both (*features* in the paper's tables).
    views : {1, 10}
        Views of an image over whose mean r is taken where the network sees images: the middle, or
        ten crops (:func:`methods.deep.views.ten_views`), as in the released code.
    lr, backbone_lr, optimizer, halve_every, batch_size
        See :class:`methods.deep.recipe.Recipe`.
    steps, epochs, schedule, validation, patience
        Likewise.  The best round of steps is that of the smallest L_emb.
    preset : {"default", "paper"}
        ``paper``: the settings of the released code, with its 1,500 steps on NUS-WIDE, where two
        epochs, after which it updates the codebooks, are 78 steps; on MIR-FLICKR it takes 800.
    random_state : int, optional
        Seed of weights, batches, dropout, validation part and k-means.

    Attributes
    ----------
    network_ : HashNetwork
    codebooks_ : Codebooks
    factor_ : (e, f) array
        F with ``||(r - x) F||^2 = L_q`` for one image.
    order_ : array of int
        Order in which code words are chosen.
    history_ : History
        Losses of every round of steps.

    Raises
    ------
    ValueError
        If fewer than two training images carry a tag with a word vector, or if there are more
        codebooks than dimensions of a word vector.

    References
    ----------
    J. Wang, B. Chen, Q. Zhang, Z. Meng, S. Liang, S.-T. Xia, "Weakly supervised deep hyperspherical
    quantization for image retrieval", AAAI 2021.
    """

    end_to_end: ClassVar[bool] = True
    choices: ClassVar[dict] = {
        "search": ("aqd", "sqd", "real"),
        "optimizer": ("adam", "sgd"),
    }
    presets: ClassVar[dict] = {
        "paper": {
            "gamma": 1.0,
            "lam": 1e-4,
            "normalize": False,
            "hidden": 0,
            "dropout": 0.5,
            "every": 78,
            "restart": False,
            "views": 10,
            "steps": 1500,
            "epochs": None,
            "batch_size": 256,
            "lr": 3e-4,
            "schedule": "constant",
            "halve_every": 300,
            "validation": 0.0,
        }
    }
    grid: ClassVar[dict] = {"gamma": (1.0, 2.0, 3.0), "lam": (1.0, 5.0, 20.0)}

    def __init__(
        self,
        n_bits: int = 32,
        *,
        n_neighbors: int = 5,
        tau: float = 0.5,
        eps: float = 0.05,
        gamma: float = 2.0,
        margin: float = 0.0,
        lam: float = 5.0,
        normalize: bool = True,
        hidden: int = 512,
        dropout: float = 0.3,
        every: int = 75,
        restart: bool = True,
        search: str = "aqd",
        views: int = 1,
        steps: int | None = 450,
        epochs: int | None = 100,
        batch_size: int = 256,
        lr: float = 3e-3,
        backbone_lr: float = 1e-4,
        optimizer: str = "adam",
        schedule: str = "constant",
        halve_every: int = 0,
        validation: float = 0.1,
        patience: int = 250,
        preset: str = "default",
        random_state: int | None = None,
    ) -> None:
        self.n_bits = n_bits
        self.n_neighbors = n_neighbors
        self.tau = tau
        self.eps = eps
        self.gamma = gamma
        self.margin = margin
        self.lam = lam
        self.normalize = normalize
        self.hidden = hidden
        self.dropout = dropout
        self.every = every
        self.restart = restart
        self.search = search
        self.views = views
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.backbone_lr = backbone_lr
        self.optimizer = optimizer
        self.schedule = schedule
        self.halve_every = halve_every
        self.validation = validation
        self.patience = patience
        self.preset = preset
        self.random_state = random_state

    def recipe(self) -> Recipe:
        """How the network is trained, on features and end to end."""
        return Recipe.of(self.in_force(), weight_decay=0.0)

    def check_parameters(self) -> None:
        super().check_parameters()
        self.recipe()
        if self.views not in (1, 10):
            raise ValueError(f"views must be 1 or 10, not {self.views}")

    @property
    def ranked_by(self) -> str:
        return "cosine" if self.search == "real" else "scores"

    @property
    def _n_features_out(self) -> int:
        return len(self.factor_) if self.search == "real" else len(self.codebook_sizes)

    def skip(self, task: Task) -> str | None:
        return skip_codebooks(self.n_bits)

    def operations(self, task: Task) -> float:
        p = self.in_force()
        inner = p.hidden or 300
        return 6.0 * self.recipe().n_seen(task.n_train) * (task.n_features + 300) * inner

    def fit(self, X: np.ndarray | ImageArray, *, tags: Any = None, labels: None = None) -> WSDHQ:
        X = self.check_training_data(X)
        p = self.in_force()
        merged = merged_tags(tags, word_vectors(tags), k=p.n_neighbors, tau=p.tau, eps=p.eps)
        tagged = np.flatnonzero(merged.carried.sum(axis=1))
        if len(tagged) < 2:
            raise Unsuitable("WSDHQ: fewer than two training images carry a tag with a word vector")
        X, (T, e) = X[tagged], merged.vectors.shape
        metric = unit_rows(merged.vectors) / np.sqrt(T) if p.normalize else merged.vectors
        self.factor_ = metric_factor(metric)
        self.order_ = sweep_order(len(self.codebook_sizes), N_SWEEPS, self.random_state)
        network = make_network(X, lambda width: make_head(width, e, p), seed=self.random_state)
        # Part of the network while it is trained, so that a checkpoint keeps codes and codebooks.
        network.codes = codes = TrainingCodes(len(X), e, self.codebook_sizes)
        objective = Objective(merged.carried[tagged], merged.vectors, self.factor_, codes, p)

        def follow(step: int) -> None:
            if p.lam > 0 and step > 0 and step % p.every < ROUND:
                codes.replace(*self._alternated(codes.codebooks, self._embedded(network, X)))

        self.history_ = train(
            network,
            X,
            objective,
            self.recipe(),
            seed=self.random_state,
            stage="wsdhq",
            depends_on=(p.get_params(), merged.carried[tagged], merged.vectors),
            choose=objective.L_emb,
            each_round=follow,
        )
        last = None if p.restart else codes.codebooks
        del network.codes
        self.network_ = finished(network)
        R = self.embed(X)
        self.codebooks_ = self._alternated(last, R)[0] if last else self._started(R)
        return self

    def embed(self, X: np.ndarray | ImageArray) -> np.ndarray:
        """Embeddings r of items, (n, e) array of float64; of unit length with `normalize`."""
        if self.in_force().views == 10 and isinstance(X, ImageArray):
            return self._placed(mean_output_of_views(self.network_, X))
        return self._embedded(self.network_, X)

    def encode(self, X: np.ndarray | ImageArray) -> np.ndarray:
        """Code words (n, M) of uint8; with ``search="real"`` r of the items, (n, e) of float32."""
        return self._embeddings(X) if self.search == "real" else super().encode(X)

    def encode_queries(self, X: np.ndarray | ImageArray) -> np.ndarray:
        """Look-up tables of queries; with ``search="real"`` their r, (q, e) of float32."""
        return self._embeddings(X) if self.search == "real" else super().encode_queries(X)

    def assign(self, X: np.ndarray | ImageArray) -> np.ndarray:
        return icm_codes(self.embed(X), self.codebooks_, self.factor_, self.order_)

    def tables(self, X: np.ndarray | ImageArray) -> np.ndarray:
        sqd = self.in_force().search == "sqd"
        queries = self.codebooks_.reconstruct(self.assign(X)) if sqd else self.embed(X)
        return self.codebooks_.tables(queries)

    def _embeddings(self, X: np.ndarray | ImageArray) -> np.ndarray:
        check_is_fitted(self)
        return self._in_blocks(X, self.embed, (len(self.factor_),), np.float32)

    def _embedded(self, network: HashNetwork, X: np.ndarray | ImageArray) -> np.ndarray:
        return self._placed(first_output(network, X))

    def _placed(self, outputs: np.ndarray) -> np.ndarray:
        R = outputs.astype(np.float64, copy=False)
        return unit_rows(R) if self.in_force().normalize else R

    def _started(self, R: np.ndarray) -> Codebooks:
        return initial_codebooks(R, self.codebook_sizes, self.random_state)

    def _alternated(
        self, codebooks: Codebooks | None, R: np.ndarray
    ) -> tuple[Codebooks, np.ndarray]:
        """New codes of R for the codebooks (at first k-means), and new codebooks for the codes."""
        before = codebooks or self._started(R)
        codes = icm_codes(R, before, self.factor_, self.order_)
        return update_codebooks(before, R, codes), codes
