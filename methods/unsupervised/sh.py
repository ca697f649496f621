"""Spectral hashing (SH)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from methods import Hasher, Task, register
from methods.algebra.pca import principal_axes
from methods.unsuitable import Unsuitable

#: Percentiles of the scores that bound an axis with ``range="percentile"``.
PERCENTILES = (5, 95)


@register(
    "sh",
    paper="Weiss et al., NIPS 2008",
    supervision="none",
    fidelity="author-code",
)
class SH(Hasher):
    """Sinusoids along the principal axes, lowest spatial frequency first.

    If the items filled a box along their principal axes evenly, the smoothest functions on their
    neighbourhood graph would be ``cos(k pi (v_j - lo_j) / R_j)``, where v_j is the score on axis
    j, which ranges from lo_j over a width R_j, and k = 1, 2, ... Their eigenvalues grow with
    ``(k pi / R_j)^2``; the b smallest ones over all axes and k give the bits.

    Parameters
    ----------
    n_bits : int
        Code length b; may exceed d.
    range : {"minmax", "percentile"}
        Where an axis begins and ends: at the extreme training scores, or at their 5th and 95th
        percentiles, which outliers do not stretch.
    random_state : int, optional
        Not used; there is nothing random.

    Attributes
    ----------
    mean_ : (d,) array
        Training mean.
    modes_ : (b, 2) array of int
        Axis and frequency k of each bit.
    eigenvalues_ : (b,) array
        ``(k pi / R_j)^2`` of each bit, ascending.
    W_ : (d, b) array
        The principal axis of each bit.
    lower_ : (b,) array
        lo_j of each bit.
    frequencies_ : (b,) array
        ``k pi / R_j`` of each bit.

    References
    ----------
    Y. Weiss, A. Torralba, R. Fergus, "Spectral hashing", NIPS 2008.
    """

    choices: ClassVar[dict] = {"range": ("minmax", "percentile")}

    def __init__(
        self, n_bits: int = 32, *, range: str = "minmax", random_state: int | None = None
    ) -> None:
        self.n_bits = n_bits
        self.range = range
        self.random_state = random_state

    def operations(self, task: Task) -> float:
        n, d = task.n_train, task.n_features
        return 2 * n * d * (d + self.n_bits) + 9 * d**3

    def fit(self, X: np.ndarray, *, tags: None = None, labels: None = None) -> SH:
        X = self.check_training_data(X)
        pca = principal_axes(X, min(self.n_bits, X.shape[1], len(X) - 1))
        lower, upper = self._bounds(pca.scores(X))
        self.modes_, self.eigenvalues_ = smallest_modes(upper - lower, self.n_bits)
        axis = self.modes_[:, 0]
        self.mean_ = pca.mean
        self.W_ = pca.axes[:, axis]
        self.lower_ = lower[axis]
        self.frequencies_ = np.sqrt(self.eigenvalues_)
        return self

    def project(self, X: np.ndarray) -> np.ndarray:
        return np.cos(((X - self.mean_) @ self.W_ - self.lower_) * self.frequencies_)

    def _bounds(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.range == "minmax":
            return scores.min(axis=0), scores.max(axis=0)
        lower, upper = np.percentile(scores, PERCENTILES, axis=0)
        return lower, upper


def smallest_modes(widths: np.ndarray, n_modes: int) -> tuple[np.ndarray, np.ndarray]:
    """The smoothest sinusoids on a box: those with the smallest eigenvalues.

    Parameters
    ----------
    widths : (a,) array of float
        Width R_j of the box along each axis; axes of (almost) no width carry no mode.
    n_modes : int

    Returns
    -------
    modes : (n_modes, 2) array of int
        Axis j and frequency k >= 1, by ascending eigenvalue, ties by axis and then by k.
    eigenvalues : (n_modes,) array of float
        ``(k pi / R_j)^2``.

    Raises
    ------
    ValueError
        If no axis has a width.
    """
    widest = widths.max()
    if not widest > 0:
        raise Unsuitable("SH: the training scores do not vary along any axis")
    # The widest axis alone has n_modes modes up to k = n_modes; no other axis needs a mode whose
    # eigenvalue is beyond those.
    usable = widths >= 1e-12 * widest
    last = np.where(usable, np.ceil((n_modes + 1) * (widths / widest)) - 1, 0).astype(int)
    axis = np.repeat(np.arange(len(widths)), last)
    k = np.concatenate([np.arange(1, count + 1) for count in last])
    eigenvalues = (k * np.pi / widths[axis]) ** 2
    order = np.argsort(eigenvalues, kind="stable")[:n_modes]
    return np.column_stack([axis, k])[order], eigenvalues[order]
