from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from methods.unsupervised.itq import ITQ
from methods.unsupervised.pca_rr import PCARR
from methods.unsupervised.pcah import PCAH


def test_it_is_itq_without_a_round(features):
    first = PCARR(6, random_state=3).fit(features)
    assert first.project(features) == pytest.approx(
        ITQ(6, n_iter=0, random_state=3).fit(features).project(features)
    )


def test_the_rotation_keeps_distances_and_spreads_variance(features):
    axes, turned = PCAH(6).fit(features), PCARR(6, random_state=0).fit(features)
    scores = turned.project(features)
    assert pdist(scores) == pytest.approx(pdist(axes.project(features)))
    spread = np.ptp(np.log(scores.var(axis=0)))
    assert spread < 0.8 * np.ptp(np.log(axes.variances_))


def test_seeds_turn_differently(features):
    one, other = (PCARR(6, random_state=seed).fit(features).W_ for seed in (0, 1))
    assert np.abs(one - other).max() > 0.1
