"""Methods are scikit-learn transformers: its own checks, pipelines, and class ids as labels."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import methods
from methods import Hasher
from methods.labels.ksh.ksh import KSH
from methods.supervision import multi_hot
from methods.tags.wmh import WMH
from methods.unsupervised.itq import ITQ

#: Methods, at sizes that fit the data of scikit-learn's checks: 10 to 300 items, from 2 features.
SMALL = {
    "lsh": {},
    "pcah": {},
    "itq": {},
    "sh": {},
    "sph": {},
    "agh": {"n_anchors": 8},
    "dgh": {"n_anchors": 8},
    "dsh": {},
    "selve": {"n_anchors": 8},
    "ksh": {"n_anchors": 8},
    "deep-dsh": {"epochs": 1},
}

#: The checks that do not pass, for every method alike, with the reason.
EXCEPTIONS = {
    "check_array_api_input": "scikit-learn skips it unless SCIPY_ARRAY_API=1 was set before SciPy "
    "was imported; there it passes",
}
if os.environ.get("SCIPY_ARRAY_API") == "1":
    EXCEPTIONS.pop("check_array_api_input")


class TagsFromFeatures(WMH):
    """WMH on tags that follow from the features: the checks hand no tags over."""

    uses = ()

    def fit(self, X, *, tags=None, labels=None):
        X = self.check_training_data(X)
        return super().fit(X, tags=csr_array(np.median(X, axis=0) < X))


SMALL_METHODS = [
    *(pytest.param(methods.make(name, n_bits=2, **p), id=name) for name, p in SMALL.items()),
    pytest.param(TagsFromFeatures(n_bits=2, n_neighbors=3), id="wmh"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("hasher", SMALL_METHODS)
def test_checks_of_scikit_learn(hasher):
    outcomes = check_estimator(hasher, on_skip=None, on_fail=None)
    without = {o["check_name"]: o["exception"] for o in outcomes if o["status"] != "passed"}
    assert without.keys() == EXCEPTIONS.keys(), without
    assert len(outcomes) > 40


class Remembers(Hasher):
    """Keeps the labels and tags that its fit was handed."""

    def fit(self, X, *, tags=None, labels=None):
        self.check_training_data(X)
        self.tags_, self.labels_ = tags, labels
        return self

    def project(self, X):
        return np.zeros((len(X), self.n_bits))


class LearnsFromLabels(Remembers):
    supervision = "labels"


class LearnsFromTags(Remembers):
    supervision = "tags"


class AddsToAnother(LearnsFromLabels):
    """Has its own use for labels, and hands none to the method that it builds on."""

    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        self.own_labels_ = labels
        return self


X6 = np.arange(12.0).reshape(6, 2)
NAMES = ["sea", "sky", "sea", "dog", "dog", "sky"]
HOT = np.array(NAMES)[:, None] == ["dog", "sea", "sky"]


@pytest.mark.parametrize(
    "labels",
    [
        NAMES,
        np.array(NAMES),
        np.array([3, 7, 3, -1, -1, 7]),
        np.array([1.0, 2.0, 1.0, 0.0, 0.0, 2.0]),
        pd.Series(NAMES, index=range(10, 16)),
        HOT,
        HOT.astype(np.uint8),
        HOT.astype(float).tolist(),
        csr_array(HOT),
    ],
    ids=["list", "strings", "integers", "floats", "series", "bool", "uint8", "lists", "sparse"],
)
def test_class_ids_and_matrices_reach_a_method_as_one_matrix(labels):
    if isinstance(labels, np.ndarray) and labels.ndim == 1 and labels.dtype.kind == "i":
        expected = labels[:, None] == [-1, 3, 7]
    else:
        expected = HOT
    for hasher in (LearnsFromLabels().fit(X6, labels), LearnsFromLabels().fit(X6, labels=labels)):
        given = hasher.labels_
        given = given.toarray() if isinstance(given, csr_array) else given
        assert given.dtype == bool and (given == expected).all()


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_a_single_label_of_yes_or_no_is_taken(kind):
    """A data set with one label has such a column; a column of numbers may hold class ids."""
    column = HOT[:, :1]
    np.testing.assert_array_equal(csr_array(multi_hot(kind(column))).toarray(), column)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (HOT[:, :1].astype(int), r"shape \(6, 1\).*\(n,\).*\(n, c\)"),
        (np.zeros((6, 0)), r"shape \(6, 0\)"),
        (csr_array(HOT[:, :1].astype(int)), r"shape \(6, 1\)"),
        (np.zeros((6, 2, 2)), r"shape \(6, 2, 2\)"),
        ("sea", r"shape \(\)"),
        (["sea"] * 6, "only 1 class"),
        (np.linspace(0, 1, 6), "continuous"),
        (2 * HOT.astype(int), "true and false, or 0 and 1"),
        (np.where(HOT, np.nan, 0), "true and false, or 0 and 1"),
        (NAMES[:5], r"inconsistent numbers of samples: \[6, 5\]"),
        (HOT[:5], r"inconsistent numbers of samples: \[6, 5\]"),
        (None, "LearnsFromLabels: needs labels"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        LearnsFromLabels().fit(X6, labels)


def test_labels_come_once():
    with pytest.raises(ValueError, match="not as both"):
        LearnsFromLabels().fit(X6, NAMES, labels=HOT)


def test_a_method_that_does_not_learn_from_labels_does_not_see_y():
    assert Remembers().fit(X6, np.linspace(0, 1, 6)).labels_ is None
    tagged = LearnsFromTags().fit(X6, NAMES, tags=csr_array(HOT))
    assert tagged.labels_ is None and (tagged.tags_.toarray() == HOT).all()


def test_missing_tags_and_tags_of_other_items_are_refused():
    with pytest.raises(ValueError, match="LearnsFromTags: needs tags"):
        LearnsFromTags().fit(X6, NAMES)
    with pytest.raises(ValueError, match="inconsistent"):
        LearnsFromTags().fit(X6, tags=csr_array(HOT[:4]))


def test_a_method_may_build_on_another_without_handing_its_labels_on():
    hasher = AddsToAnother().fit(X6, NAMES)
    assert hasher.labels_ is None and (hasher.own_labels_ == HOT).all()


def test_class_ids_give_the_codes_of_the_boolean_matrix(features):
    ids = np.argmax(features[:, :4], axis=1)
    by_ids, by_matrix = (KSH(4, n_anchors=20, n_steps=20, random_state=0) for _ in range(2))
    by_ids.fit(features, ids)
    by_matrix.fit(features, labels=ids[:, None] == np.arange(4))
    assert (by_ids.transform(features) == by_matrix.encode(features)).all()


def test_a_pipeline_gives_the_codes_of_its_steps(features):
    pipeline = make_pipeline(StandardScaler(), ITQ(8, random_state=0))
    codes = pipeline.fit_transform(features)
    scaled = StandardScaler().fit_transform(features)
    assert codes.dtype == bool
    assert (codes == ITQ(8, random_state=0).fit(scaled).encode(scaled)).all()
    assert (clone(pipeline).fit(features).transform(features) == codes).all()
    assert list(pipeline[1:].get_feature_names_out()) == [f"itq{bit}" for bit in range(8)]


def test_a_pipeline_hands_tags_on(features):
    tags = csr_array(features > 5)
    pipeline = make_pipeline(StandardScaler(), WMH(4, random_state=0)).fit(features, wmh__tags=tags)
    scaled = StandardScaler().fit_transform(features)
    alone = WMH(4, random_state=0).fit(scaled, tags=tags)
    assert (pipeline.transform(features) == alone.encode(scaled)).all()


def test_data_frames_go_in_and_come_out(features):
    frame = pd.DataFrame(features, columns=[f"f{i}" for i in range(10)])
    itq = ITQ(4, random_state=0).fit(frame)
    assert itq.n_features_in_ == 10 and list(itq.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        itq.encode(frame.rename(columns={"f0": "g0"}))
    codes = itq.set_output(transform="pandas").transform(frame)
    assert list(codes.columns) == ["itq0", "itq1", "itq2", "itq3"]
    assert (codes.to_numpy() == itq.encode(frame)).all()


def test_what_cannot_be_encoded_or_learnt_from_is_refused_in_plain_words(features):
    with pytest.raises(NotFittedError):
        ITQ(4).transform(features)
    with pytest.raises(ValueError, match=r"bits <= min\(d, n - 1\) = 10 \(n_samples = 400"):
        ITQ(11).fit(features)
    itq = ITQ(4, random_state=0).fit(features)
    with pytest.raises(ValueError, match="X has 9 features, but ITQ is expecting 10"):
        itq.transform(features[:, 1:])
