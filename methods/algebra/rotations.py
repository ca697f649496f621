"""Random rotations."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd


def random_rotation(size: int, random_state: int | None) -> np.ndarray:
    """Left singular vectors of a Gaussian matrix, shape (size, size)."""
    return svd(np.random.default_rng(random_state).standard_normal((size, size)))[0]
