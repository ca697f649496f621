"""The conformance suite: what every hashing method must satisfy, also one of your own.

Each property is a function that takes a :class:`~methods.conformance.trial.Trial` and raises
AssertionError with a message that says what is wrong. :func:`run_checks` runs them all::

    for outcome in run_checks(MyMethod, {"n_iter": 5}):
        print("ok" if outcome.passed else "FAILED", outcome.name, outcome.message)
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import average_precision_score

from methods.base import Hasher
from methods.conformance.codes import form_of
from methods.conformance.trial import (
    LENGTHS,
    N_QUERIES,
    N_TRAIN,
    Items,
    Trial,
    query_items,
    take,
    task_of,
    training_items,
)

#: Part of the way from the base rate to a perfect ranking that mean AP on clusters must make.
LEAST_GAIN = 0.2


class Outcome(NamedTuple):
    """What came of one check; the message is empty where it passed."""

    name: str
    passed: bool
    message: str = ""


def run_checks(cls: type[Hasher], parameters: Mapping[str, Any] | None = None) -> list[Outcome]:
    """Try a method on every property.

    Parameters
    ----------
    cls : type
        Subclass of Hasher.
    parameters : mapping of str to object, optional
        Constructor arguments other than ``n_bits`` and ``random_state``.

    Returns
    -------
    list of Outcome
        In the order of ``CHECKS``. A failure among the first three ends the list: the other
        checks would only repeat it.
    """
    trial = Trial(cls, dict(parameters or {}))
    outcomes = []
    for number, check in enumerate(CHECKS):
        outcomes.append(_run(check, trial))
        if number < 3 and not outcomes[-1].passed:
            break
    return outcomes


def check_constructor(trial: Trial) -> None:
    """The constructor stores its arguments and does nothing else; get_params and clone work."""
    hasher = trial.make(LENGTHS[0])
    parameters = hasher.get_params(deep=False)
    for name in ("n_bits", "random_state"):
        assert name in parameters, f"__init__ has no parameter {name}"
    extra = sorted(set(vars(hasher)) - set(parameters))
    assert not extra, f"__init__ sets {extra[0]}, which is no argument; move it to fit"
    for name, value in trial.parameters.items():
        assert parameters[name] is value, f"__init__ changes its argument {name}"
    copied = clone(hasher).get_params(deep=False)
    assert repr(copied) == repr(parameters), "clone gives other parameters"
    assert type(hasher).__name__ in repr(hasher), "repr does not name the class"


def check_fit(trial: Trial) -> None:
    """fit returns self, sets attributes that end in an underscore, and leaves its input alone."""
    hasher = trial.make()
    before = repr(hasher.get_params(deep=False))
    names = " or ".join(["fit", *form_of(hasher).shapes(hasher)])
    with _complaining(f"{names} fails on read-only features (does it write in X?)"):
        returned = trial.fit(hasher, training_items())
        form_of(hasher).outputs(hasher, query_items().X)
    assert returned is hasher, "fit does not return self"
    assert repr(hasher.get_params(deep=False)) == before, "fit changes the parameters"
    learnt = set(vars(hasher)) - set(hasher.get_params(deep=False))
    wrong = sorted(name for name in learnt if not name.endswith("_"))
    assert not wrong, f"fit sets {wrong[0]}: the name of learnt state ends in an underscore"


def check_shape_and_type(trial: Trial) -> None:
    """P1: scores and codes have the right shape and type and are finite, at every length."""
    X = query_items().X
    for n_bits in trial.lengths:
        hasher = trial.fitted_at(n_bits)
        form = form_of(hasher)
        for name, values in form.outputs(hasher, X).items():
            shape = len(X), *form.shapes(hasher)[name]
            assert values.shape == shape, f"{name} gives shape {values.shape} instead of {shape}"
            finite = np.isfinite(values).all()
            assert finite, f"{name} gives NaN or infinite scores at {n_bits} bits"
        codes, shape = hasher.encode(X), (len(X), *form.code_shape(hasher))
        wanted = np.dtype(form.dtype)
        assert codes.dtype == wanted, f"encode gives {codes.dtype} instead of {wanted}"
        assert codes.shape == shape, f"encode gives shape {codes.shape} instead of {shape}"
        taken = form.n_bits(hasher)
        assert taken <= n_bits + 1e-9, f"a code takes {taken:.2f} bits instead of {n_bits}"


def check_same_seed_same_codes(trial: Trial) -> None:
    """P2: the same seed gives the same codes, also from an object that was fitted before."""
    again = deepcopy(trial.fitted)
    trial.fit(again, training_items())
    _assert_agree(again, trial.fitted, "two fits of one object with the same random_state")


def check_batch_equals_items(trial: Trial) -> None:
    """P3: an item's code does not depend on the items it is encoded with."""
    X = query_items().X
    for encode in _encoders(trial.fitted):
        whole = encode(X)
        single = np.concatenate([encode(X[i : i + 1]) for i in range(len(X))])
        assert_same(single, whole, "encoding item by item and as one batch")
        assert_same(encode(X[::-1])[::-1], whole, "encoding in another order")


def check_round_trip(trial: Trial) -> None:
    """P4: a hasher that was pickled and loaded gives the same codes."""
    with _complaining("pickling the fitted hasher fails"):
        loaded = pickle.loads(pickle.dumps(trial.fitted))
    _assert_agree(loaded, trial.fitted, "the hasher and its pickled copy")


def check_constraints_are_clear(trial: Trial) -> None:
    """P5: what cannot work raises ValueError, with the reason that skip gives."""
    items = training_items()
    for n_bits in (0, -3):
        error = _error(lambda n_bits=n_bits: trial.fit(trial.make(n_bits), items))
        assert error, f"fit accepts n_bits = {n_bits}"
    cases = [(n_bits, items) for n_bits in LENGTHS if n_bits not in trial.lengths]
    cases += [(30, items), (8, take(items, slice(6))), (8, items._replace(X=items.X[:, :2]))]
    for n_bits, some in cases:
        _check_constraint(trial, n_bits, some)
    try:
        trial.make().encode(items.X)
    except NotFittedError:
        pass
    else:
        raise AssertionError("encode before fit does not raise NotFittedError")
    error = _error(lambda: trial.fitted.encode(items.X[:, 1:]))
    assert error, "encode accepts items with fewer features than the training items"


def check_duplicates(trial: Trial) -> None:
    """P6: equal items get equal codes, also where the training set repeats items."""
    rows = np.random.default_rng(0).integers(0, N_QUERIES, 3 * N_QUERIES)
    _, first, copy_of = np.unique(rows, return_index=True, return_inverse=True)
    repeating = trial.fit(trial.make(), take(training_items(), np.arange(N_TRAIN) // 2))
    for hasher in (trial.fitted, repeating):
        for encode in _encoders(hasher):
            codes = encode(query_items().X[rows])
            assert_same(codes, codes[first][copy_of], "equal items in a batch")


def check_clusters(trial: Trial) -> None:
    """P7: on separated Gaussian clusters the mean AP is far above the base rate."""
    items, queries = training_items(), query_items()
    hasher = trial.fitted
    similarities = form_of(hasher).similarities(
        hasher.encode_queries(queries.X), hasher.encode(items.X)
    )
    relevant = queries.clusters[:, None] == items.clusters
    precisions = [average_precision_score(*row) for row in zip(relevant, similarities, strict=True)]
    mean, base = np.mean(precisions), relevant.mean()
    least = base + LEAST_GAIN * (1 - base)
    assert mean >= least, (
        f"mean AP on separated clusters is {mean:.2f} at {hasher.n_bits} bits; chance is "
        f"{base:.2f}, and at least {least:.2f} is wanted"
    )


def check_constant_and_nan_columns(trial: Trial) -> None:
    """P8: constant columns do no harm, and NaN raises ValueError."""
    X = training_items().X.copy()
    X[:, 0], X[:, 1] = 0, 3.7
    hasher = trial.make()
    with _complaining("it fails on features with constant columns"):
        trial.fit(hasher, training_items()._replace(X=X))
        outputs = form_of(hasher).outputs(hasher, X).values()
    finite = all(np.isfinite(values).all() for values in outputs)
    assert finite, "scores are not finite where a training column is constant"
    X[:, 2] = np.nan
    error = _error(lambda: trial.fit(trial.make(), training_items()._replace(X=X)))
    assert error, "fit accepts a column of NaN"
    assert _error(lambda: hasher.encode(X)), "encode accepts a column of NaN"


def check_scikit_learn(trial: Trial) -> None:
    """P9: it is a step of a scikit-learn pipeline, whose output is the code."""
    hasher, X = trial.fitted, query_items().X
    parameters = list(signature(hasher.fit).parameters)
    assert parameters[:2] == ["X", "y"], f"fit takes {', '.join(parameters)}, not X, y first"
    codes = hasher.encode(X)
    transformed = hasher.transform(X)
    assert transformed.dtype == codes.dtype, f"transform gives {transformed.dtype}"
    assert_same(transformed, codes, "transform and encode")
    n_names = len(set(hasher.get_feature_names_out()))
    assert n_names == codes.shape[1], f"{n_names} names of features for codes {codes.shape}"


CHECKS: tuple[Callable[[Trial], None], ...] = (
    check_constructor,
    check_fit,
    check_shape_and_type,
    check_same_seed_same_codes,
    check_batch_equals_items,
    check_round_trip,
    check_constraints_are_clear,
    check_duplicates,
    check_clusters,
    check_constant_and_nan_columns,
    check_scikit_learn,
)


def assert_same(codes: np.ndarray, expected: np.ndarray, between: str) -> None:
    """AssertionError if two arrays of codes differ anywhere; scores may differ by rounding."""
    differ = codes != expected
    if np.issubdtype(expected.dtype, np.floating):
        differ = ~np.isclose(codes, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    differ = differ.reshape(len(differ), -1).any(axis=1)
    assert not differ.any(), f"codes differ for {differ.sum()} of {len(differ)} items: {between}"


def _assert_agree(hasher: Hasher, other: Hasher, between: str) -> None:
    for ours, theirs in zip(_encoders(hasher), _encoders(other), strict=True):
        assert_same(ours(query_items().X), theirs(query_items().X), between)


def _encoders(hasher: Hasher) -> tuple[Callable[[np.ndarray], np.ndarray], ...]:
    """What items and what queries go through."""
    return hasher.encode, hasher.encode_queries


def _run(check: Callable[[Trial], None], trial: Trial) -> Outcome:
    name = check.__name__
    try:
        check(trial)
    except AssertionError as failure:
        return Outcome(name, False, str(failure))
    except (Exception, SystemExit) as error:
        return Outcome(name, False, f"{type(error).__name__}: {error}")
    return Outcome(name, True)


def _check_constraint(trial: Trial, n_bits: int, items: Items) -> None:
    """Fit fails for the reason that skip gives; without one it works or says why it cannot."""
    hasher = trial.make(n_bits)
    reason = hasher.skip(task_of(items))
    error = _error(lambda: trial.fit(hasher, items))
    case = f"{n_bits} bits on {items.X.shape[0]} items with {items.X.shape[1]} features"
    if reason:
        assert error and reason in error, (
            f"skip says {reason!r} for {case}, but fit {f'says {error!r}' if error else 'works'}"
        )
    elif not error:
        shape = len(items.X), *form_of(hasher).code_shape(hasher)
        assert hasher.encode(items.X).shape == shape, f"wrong shape for {case}"


def _error(action: Callable[[], Any]) -> str:
    """The message of the ValueError that an action raises, or an empty string."""
    try:
        action()
    except ValueError as error:
        message = str(error)
        assert message, "a ValueError has no message"
        return message
    return ""


@contextmanager
def _complaining(complaint: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{complaint}: {type(error).__name__}: {error}") from error
