"""The conformance suite passes every registered method and catches broken ones."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.registry import methods
from methods import Hasher
from methods.algebra.pca import principal_axes
from methods.conformance import checks
from methods.conformance.checks import run_checks
from methods.conformance.codes import form_of
from methods.conformance.trial import Trial, query_items, training_items
from methods.sharing import sharing
from methods.tags.wp.wp import WeaklyPretrained
from methods.tags.wsdhq.binary import BinaryWSDHQ

#: Steps of a short training.
STEPS = 30


class Sound(Hasher):
    """Random projections; the broken methods below differ from it in one thing each."""

    def fit(self, X, *, tags=None, labels=None):
        X = self.check_training_data(X)
        self.mean_ = X.mean(axis=0)
        rng = np.random.default_rng(self.random_state)
        self.W_ = rng.standard_normal((X.shape[1], self.n_bits))
        return self

    def project(self, X):
        return (X - self.mean_) @ self.W_


class StoresMore(Sound):
    def __init__(self, n_bits=32, *, random_state=None):
        super().__init__(n_bits, random_state=random_state)
        self.half = n_bits // 2


class ChangesArgument(Sound):
    def __init__(self, n_bits=32, *, scale=1, random_state=None):
        super().__init__(n_bits, random_state=random_state)
        self.scale = float(scale)


class ReturnsNothing(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)


class WritesInTrainingData(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        X -= self.mean_
        return self


class WritesInQueries(Sound):
    def project(self, X):
        X -= self.mean_
        return X @ self.W_


class ChangesParameters(Sound):
    def fit(self, X, *, tags=None, labels=None):
        self.n_bits = min(self.n_bits, 4)
        return super().fit(X)


class NamesStateBadly(Sound):
    def fit(self, X, *, tags=None, labels=None):
        self.offset = 0.0
        return super().fit(X)


class OneColumnTooMany(Sound):
    def project(self, X):
        return np.hstack([super().project(X), X[:, :1]])


class OneColumn(Sound):
    def project(self, X):
        return super().project(X)[:, :1]


class GivesNaN(Sound):
    def project(self, X):
        return super().project(X) * np.nan


class GivesIntegers(Sound):
    def encode(self, X):
        return super().encode(X).astype(np.uint8)


class Unseeded(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        self.W_ = np.random.default_rng().standard_normal(self.W_.shape)
        return self


class GoesOnFromLastFit(Sound):
    def fit(self, X, *, tags=None, labels=None):
        before = getattr(self, "W_", np.zeros((1, 1)))
        super().fit(X)
        self.W_ = self.W_ + before[::-1]
        return self


class CentresTheBatch(Sound):
    def project(self, X):
        return (X - X.mean(axis=0)) @ self.W_


class DependsOnPosition(Sound):
    def project(self, X):
        return super().project(X) + 0.1 * (np.arange(len(X))[:, None] % 7)


class CannotBePickled(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        self.shift_ = lambda X: X - self.mean_
        return self


class ForgetsInPickle(Sound):
    def __setstate__(self, state):
        super().__setstate__({**state, "W_": -state["W_"]})


class AcceptsAnyLength(Sound):
    def check_training_data(self, X):
        n_bits, self.n_bits = self.n_bits, max(self.n_bits, 1)
        X = super().check_training_data(X)
        self.n_bits = max(n_bits, 0)
        return X


class IgnoresItsSkip(Sound):
    def skip(self, task):
        return "needs an even number of bits" if self.n_bits % 2 else None

    def check_training_data(self, X):
        self.n_features_in_ = X.shape[1]
        return X if self.n_bits > 0 and np.isfinite(X).all() else super().check_training_data(X)


class FailsUnclearly(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        self.W_[2] *= 2
        return self


class Constant(Sound):
    def project(self, X):
        return np.ones((len(X), self.n_bits))


class Noise(Sound):
    def project(self, X):
        return np.sin(1e4 * super().project(X))


class DividesByDeviation(Sound):
    def fit(self, X, *, tags=None, labels=None):
        super().fit(X)
        with np.errstate(divide="ignore"):
            self.W_ = self.W_ / np.std(X, axis=0)[:, None]
        return self

    def project(self, X):
        with np.errstate(invalid="ignore"):
            return super().project(X)


class ReplacesNaN(Sound):
    def fit(self, X, *, tags=None, labels=None):
        return super().fit(np.nan_to_num(X))


class TransformsToSigns(Sound):
    def transform(self, X):
        return np.where(self.encode(X), 1.0, -1.0)


class NamesTooFewBits(Sound):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out(input_features)[1:]


class FitsWithoutY(Sound):
    pass


# Set afterwards, it is not the fit that the base class has given a second argument.
FitsWithoutY.fit = lambda self, X, *, tags=None, labels=None: Sound.fit(self, X)


class NeedsManyItems(Sound):
    def skip(self, task):
        return "needs n >= 5000" if task.n_train < 5000 else None


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (StoresMore, "check_constructor"),
        (ReturnsNothing, "check_fit"),
        (WritesInTrainingData, "check_fit"),
        (WritesInQueries, "check_fit"),
        (ChangesParameters, "check_fit"),
        (NamesStateBadly, "check_fit"),
        (OneColumnTooMany, "check_shape_and_type"),
        (OneColumn, "check_shape_and_type"),
        (GivesNaN, "check_shape_and_type"),
        (GivesIntegers, "check_shape_and_type"),
        (Unseeded, "check_same_seed_same_codes"),
        (GoesOnFromLastFit, "check_same_seed_same_codes"),
        (CentresTheBatch, "check_batch_equals_items"),
        (CannotBePickled, "check_round_trip"),
        (ForgetsInPickle, "check_round_trip"),
        (AcceptsAnyLength, "check_constraints_are_clear"),
        (IgnoresItsSkip, "check_constraints_are_clear"),
        (FailsUnclearly, "check_constraints_are_clear"),
        (Constant, "check_clusters"),
        (Noise, "check_clusters"),
        (DividesByDeviation, "check_constant_and_nan_columns"),
        (ReplacesNaN, "check_constant_and_nan_columns"),
        (TransformsToSigns, "check_scikit_learn"),
        (NamesTooFewBits, "check_scikit_learn"),
        (FitsWithoutY, "check_scikit_learn"),
        (NeedsManyItems, "check_fit"),
    ],
)
def test_a_broken_method_fails_exactly_the_check_meant_for_it(broken, check):
    failed = [outcome for outcome in run_checks(broken) if not outcome.passed]
    assert [outcome.name for outcome in failed] == [check], failed
    assert len(failed[0].message) > 20


def test_a_sound_method_passes_every_check():
    outcomes = run_checks(Sound)
    assert [outcome.name for outcome in outcomes] == [check.__name__ for check in checks.CHECKS]
    assert all(outcome.passed and not outcome.message for outcome in outcomes)


def test_codes_that_depend_on_the_position_fail_for_duplicates_too():
    failed = {outcome.name for outcome in run_checks(DependsOnPosition) if not outcome.passed}
    assert failed == {"check_batch_equals_items", "check_duplicates"}


def test_a_changed_argument_is_noticed():
    assert run_checks(ChangesArgument, {"scale": 1.5})[0].passed
    outcome = run_checks(ChangesArgument, {"scale": 1})[-1]
    assert outcome == ("check_constructor", False, "__init__ changes its argument scale")


def test_messages_say_what_is_wrong():
    def message(broken):
        return next(outcome.message for outcome in run_checks(broken) if not outcome.passed)

    assert "(40, 9) instead of (40, 8)" in message(OneColumnTooMany)
    assert "NaN or infinite scores at 8 bits" in message(GivesNaN)
    assert "read-only" in message(WritesInTrainingData)
    assert "offset" in message(NamesStateBadly)
    assert "n_bits = 0" in message(AcceptsAnyLength)
    assert "chance is 0.20" in message(Constant)
    assert "needs n >= 5000" in message(NeedsManyItems)
    assert "IndexError" in message(FailsUnclearly)


@pytest.mark.parametrize("kind", ["none", "tags", "labels"])
def test_only_the_declared_supervision_is_handed_over(kind):
    seen = {}

    class Supervised(Sound):
        supervision = kind

        def fit(self, X, *, tags=None, labels=None):
            seen.update(tags=tags, labels=labels)
            return super().fit(X)

    Trial(Supervised, {}).fitted.encode(query_items().X)
    assert {name for name, value in seen.items() if value is not None} == {kind} - {"none"}


def test_tags_and_labels_tell_of_the_clusters():
    items = training_items()
    assert items.tags.shape[0] == len(items.labels) == len(items.X) == 1200
    assert set(items.tags.data) == {1}
    assert (items.labels.argmax(axis=1) == items.clusters).all()
    in_cluster = items.tags.toarray().reshape(1200, -1)[:, :15].reshape(1200, 5, 3).sum(axis=2)
    assert (in_cluster.argmax(axis=1) == items.clusters).mean() > 0.9


def counted_vectors(tags, *, size, seed):
    """Rows of the square root of how often tags occur together, in place of skip-gram vectors."""
    together = (tags.T @ tags).toarray().astype(float)
    values, axes = np.linalg.eigh(together)
    vectors = np.zeros((len(together), size), np.float32)
    vectors[:, : len(values)] = axes * np.sqrt(np.maximum(values, 0)) @ axes.T
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def quick(name):
    """Parameters with which a method is trained shortly, enough for separate clusters."""
    short = {"steps": STEPS, "n_steps": 50, "n_labelled": 300}
    return {k: v for k, v in short.items() if k in methods.find(name).parameters}


@pytest.fixture
def brief_training(monkeypatch):
    whole = WeaklyPretrained.supervised
    monkeypatch.setattr(
        WeaklyPretrained, "supervised", lambda self: whole(self).set_params(steps=STEPS)
    )
    # Skip-gram vectors have tests of their own and take longer than most trainings here.
    monkeypatch.setattr("methods.tag_vectors.skip_gram_vectors", counted_vectors)
    embedding = BinaryWSDHQ.embedding
    monkeypatch.setattr(
        BinaryWSDHQ, "embedding", lambda self: embedding(self).set_params(steps=STEPS)
    )


@pytest.mark.usefixtures("brief_training")
@pytest.mark.parametrize("name", methods.names())
def test_every_registered_method_passes(name, tmp_path):
    with sharing(tmp_path):
        outcomes = run_checks(methods.find(name).load(), quick(name))
    assert not [outcome for outcome in outcomes if not outcome.passed]
    assert len(outcomes) == len(checks.CHECKS)


@pytest.mark.usefixtures("brief_training")
@pytest.mark.parametrize("name", methods.names())
def test_neither_sharing_nor_single_precision_features_change_a_code(name, tmp_path):
    trial, items = Trial(methods.find(name).load(), quick(name)), training_items()
    alone, X = trial.fitted, query_items().X
    for _ in range(2):
        with sharing(tmp_path):
            assert (trial.fit(trial.make(), items).encode(X) == alone.encode(X)).all()
    X = items.X.astype(np.float32)
    assert (alone.encode(X) == alone.encode(X.astype(np.float64))).all()
    single = trial.fit(trial.make(), items._replace(X=X))
    assert single.encode(X).shape == (1200, *form_of(single).code_shape(single))


def test_shared_axes_are_computed_once_for_all_lengths_and_methods(tmp_path, monkeypatch):
    X, computed = training_items().X, []
    real = principal_axes.__globals__["eigh"]
    monkeypatch.setitem(
        principal_axes.__globals__, "eigh", lambda *a, **k: computed.append(1) or real(*a, **k)
    )
    with sharing(tmp_path):
        for name in ("pcah", "itq", "sh"):
            for n_bits in (8, 12):
                methods.find(name).load()(n_bits, random_state=0).fit(X)
    assert len(computed) == 1
