"""Codes of every shallow method on a fixed small array, and their presets, word by word.

A change that is meant to alter codes alters these digests with them: `main` below prints what
the code at hand gives.
"""

from __future__ import annotations

import hashlib
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmark.registry import methods

#: Digests of 8-bit codes by method; parameters keep each fit small.
GOLDEN = {
    "lsh": "595ae290ab9a64e7",
    "pcah": "fd397dbdf96a44c5",
    "itq": "f93c6f3217fd56b8",
    "itq[n_iter=3]": "4ee851d51a561757",
    "sh": "485c669da12035fd",
    "sh[range=percentile]": "573a773581085171",
    "sph": "4df1d523d341a65b",
    "agh[n_anchors=40]": "c2549d19a404ec7d",
    "agh2[n_anchors=40]": "4392f987420fc6c4",
    "dgh[n_anchors=40]": "51081dd5502d05fc",
    "dgh[n_anchors=40,rotate=true]": "2abed829a69b22d1",
    "dsh": "df9347431966e569",
    "selve[n_anchors=40]": "6c54cf0590ad9a67",
    "ksh[n_anchors=30,n_labelled=100,n_steps=20]": "e218e8e95e64da90",
    "ksh[n_anchors=30,n_labelled=100,n_steps=20,labels=tags]": "b16a7a693a1170d5",
    "wmh": "a3215946b17fa023",
    "wmh[preset=paper]": "00eedd076284d077",
    "dih": "3164c3de10dbcd3d",
    "cca-itq": "500d2aa046e367b7",
    "cca-itq-labels": "f58173251b0eec89",
    "ridge-itq": "7d47dd365793b024",
    "pca-rr": "335e4fc4771debc0",
    "isohash": "3a66d292390fe343",
    "sdh[n_anchors=40]": "ea2422f27b47f204",
    "sdh[n_anchors=40,preset=paper]": "f1446eb706cbfda4",
}

#: What presets of shallow methods set; "default" is the constructor.
PRESETS = {
    "sdh": {"paper": {"ridge": "none"}},
    "wmh": {"paper": {"rotation": "none"}},
}


def items():
    """Features (300, 16) in ten overlapping groups, tags (300, 12), labels (300, 10)."""
    rng = np.random.RandomState(7)
    groups = np.arange(300) % 10
    X = 2 * rng.standard_normal((10, 16))[groups] + rng.standard_normal((300, 16))
    tags = rng.random_sample((300, 12)) < 0.1
    tags[np.arange(300), groups] = True
    return X, csr_array(tags), groups[:, None] == np.arange(10)


def codes_of(name):
    """Scores and codes of the last hundred items, learnt from the first two hundred."""
    X, tags, labels = items()
    variant = methods.parse(name)
    hasher = methods.find(variant.name).load()(8, random_state=0, **dict(variant.parameters))
    wanted = hasher.supervised_by(tags=tags[:200], labels=labels[:200])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hasher.fit(X[:200], **wanted)
    return hasher.project(X[200:]), hasher.encode(X[200:])


def digest(codes):
    return hashlib.sha256(np.packbits(codes).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("name", GOLDEN)
def test_codes_are_those_recorded(name):
    scores, codes = codes_of(name)
    # Far enough from the threshold that another processor's rounding changes no bit; where a
    # score is exactly zero, as on a part that an eigenvector does not reach, it is so anywhere.
    sizes = np.abs(scores) / np.abs(scores).max(axis=0)
    assert (sizes[scores != 0] > 1e-6).all()
    assert digest(codes) == GOLDEN[name]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_those_recorded_and_in_force(name):
    cls = methods.find(name).load()
    assert cls.presets == PRESETS[name]
    for preset, values in cls.presets.items():
        in_force = cls(8, preset=preset).in_force().get_params()
        assert {key: in_force[key] for key in values} == values


def test_no_other_shallow_method_has_presets():
    names = {methods.parse(name).name for name in GOLDEN}
    assert {name for name in names if methods.find(name).load().presets} == set(PRESETS)


def main():
    for name in GOLDEN:
        scores, codes = codes_of(name)
        sizes = np.abs(scores) / np.abs(scores).max(axis=0)
        print(f'    "{name}": "{digest(codes)}",  # {sizes[scores != 0].min():.1e}')


if __name__ == "__main__":
    main()
