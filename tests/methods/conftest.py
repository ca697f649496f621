"""Features that several tests of methods look at."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def features() -> np.ndarray:
    """Correlated Gaussian features off the origin, read-only, shape (400, 10)."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 10)) * np.linspace(3, 0.5, 10)
    X = X @ np.linalg.qr(rng.standard_normal((10, 10)))[0] + 5
    X.setflags(write=False)
    return X


@pytest.fixture(scope="session")
def two_groups() -> np.ndarray:
    """Thirty items about (-10, 0) and thirty about (10, 0), shape (60, 2)."""
    rng = np.random.default_rng(2)
    centers = np.repeat([[-10.0, 0.0], [10.0, 0.0]], 30, axis=0)
    return centers + rng.standard_normal((60, 2))
