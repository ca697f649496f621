"""The base class of quantisers, and the conformance suite on sound and broken ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from methods import Quantizer
from methods.conformance import checks
from methods.conformance.checks import run_checks
from methods.conformance.codes import form_of
from methods.quantizer import codebook_bits


class Sound(Quantizer):
    """Training items as code words of feature blocks, score by squared distance."""

    def skip(self, task):
        needed = max(self.codebook_sizes)
        return f"needs n >= {needed}" if task.n_train < needed else None

    def fit(self, X, *, tags=None, labels=None):
        X = self.check_training_data(X)
        rng = np.random.default_rng(self.random_state)
        self.words_ = [
            part[rng.choice(len(X), size, replace=False)]
            for size, part in zip(self.codebook_sizes, self.parts(X), strict=True)
        ]
        return self

    def parts(self, X):
        return np.array_split(X, len(self.codebook_sizes), axis=1)

    def distances(self, X):
        pairs = zip(self.parts(X), self.words_, strict=True)
        return [((part[:, None] - words) ** 2).sum(axis=2) for part, words in pairs]

    def assign(self, X):
        return np.column_stack([distance.argmin(axis=1) for distance in self.distances(X)])

    def tables(self, X):
        sizes = self.codebook_sizes
        tables = np.zeros((len(X), len(sizes), max(sizes)), dtype=np.float32)
        for m, distance in enumerate(self.distances(X)):
            tables[:, m, : sizes[m]] = -distance
        return tables


class WritesInQueries(Sound):
    def tables(self, X):
        X -= 1
        return super().tables(X + 1)


class GivesFractions(Sound):
    def assign(self, X):
        return super().assign(X) + 0.5


class GivesWordsThatAreNotThere(Sound):
    def assign(self, X):
        return super().assign(X) + 256


class OneCodebookTooMany(Sound):
    def assign(self, X):
        codes = super().assign(X)
        return np.hstack([codes, codes[:, :1]])


class TablesOfOneCodebook(Sound):
    def tables(self, X):
        return super().tables(X)[:, 0]


class GivesNaN(Sound):
    def tables(self, X):
        return super().tables(X) * np.nan


class TakesMoreBits(Sound):
    @property
    def codebook_sizes(self):
        return (*super().codebook_sizes, 2)


class UnseededTables(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        self.shift_ = np.random.default_rng().standard_normal()
        return self

    def tables(self, X):
        return super().tables(X) + np.float32(self.shift_)


class CentresTheQueries(Sound):
    def tables(self, X):
        return super().tables(X - X.mean(axis=0))


class RanksTheFarthestFirst(Sound):
    def tables(self, X):
        return -super().tables(X)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (WritesInQueries, "check_fit"),
        (GivesFractions, "check_shape_and_type"),
        (GivesWordsThatAreNotThere, "check_shape_and_type"),
        (OneCodebookTooMany, "check_shape_and_type"),
        (TablesOfOneCodebook, "check_shape_and_type"),
        (GivesNaN, "check_shape_and_type"),
        (TakesMoreBits, "check_shape_and_type"),
        (UnseededTables, "check_same_seed_same_codes"),
        (RanksTheFarthestFirst, "check_clusters"),
    ],
)
def test_a_broken_quantiser_fails_exactly_the_check_meant_for_it(broken, check):
    failed = [outcome for outcome in run_checks(broken) if not outcome.passed]
    assert [outcome.name for outcome in failed] == [check], failed
    assert len(failed[0].message) > 20


def test_tables_that_depend_on_the_batch_are_noticed():
    failed = {outcome.name for outcome in run_checks(CentresTheQueries) if not outcome.passed}
    assert "check_batch_equals_items" in failed


def test_a_sound_quantiser_passes_every_check():
    outcomes = run_checks(Sound)
    assert [outcome.name for outcome in outcomes] == [check.__name__ for check in checks.CHECKS]
    assert all(outcome.passed for outcome in outcomes), outcomes


@pytest.mark.parametrize(
    ("n_bits", "expected"),
    [
        (1, (1,)),
        (8, (8,)),
        (9, (5, 4)),
        (12, (6, 6)),
        (20, (7, 7, 6)),
        (24, (8, 8, 8)),
        (32, (8, 8, 8, 8)),
        (48, (8,) * 6),
    ],
)
def test_bits_are_spread_evenly_over_codebooks_of_a_byte_at_most(n_bits, expected):
    assert codebook_bits(n_bits) == expected


def test_an_item_takes_exactly_the_bits_asked_for():
    for n_bits in range(1, 130):
        sizes = Sound(n_bits).codebook_sizes
        assert math.prod(sizes) == 2**n_bits
        assert max(sizes) <= min(256, 2 * min(sizes))
        assert len(sizes) == math.ceil(n_bits / 8)


def test_codes_are_bytes_and_tables_single_precision_also_beyond_one_block(features, monkeypatch):
    hasher = Sound(12, random_state=0).fit(features)
    monkeypatch.setattr("methods.base.ENCODED_AT_ONCE", 30)
    X = features[:100]
    codes, tables = hasher.encode(X), hasher.encode_queries(X)
    assert codes.dtype == np.uint8 and codes.shape == (len(X), 2)
    assert tables.dtype == np.float32 and tables.shape == (len(X), 2, 64)
    assert (codes == hasher.assign(X)).all()
    assert tables == pytest.approx(hasher.tables(X))


def test_transform_gives_the_code_words(features):
    X = features[:300]
    codes = Sound(12, random_state=0).fit_transform(X)
    assert codes.dtype == np.uint8 and codes.shape == (300, 2)
    hasher = Sound(12, random_state=0).fit(X)
    assert (codes == hasher.encode(X)).all() and (codes == hasher.transform(X)).all()
    assert list(hasher.get_feature_names_out()) == ["sound0", "sound1"]


def test_items_are_checked_as_those_of_every_hasher(features):
    with pytest.raises(NotFittedError):
        Sound(8).encode_queries(features)
    hasher = Sound(8, random_state=0).fit(features)
    for encode in (hasher.encode, hasher.encode_queries):
        with pytest.raises(ValueError, match="expecting 10 features"):
            encode(features[:, 1:])
        with pytest.raises(ValueError, match="NaN"):
            encode(np.full((1, 10), np.nan))


def test_the_query_of_a_binary_method_is_its_code(features):
    from methods.unsupervised.itq import ITQ

    hasher = ITQ(8, random_state=0).fit(features)
    assert (hasher.encode_queries(features) == hasher.encode(features)).all()
    assert form_of(hasher).n_bits(hasher) == 8
