"""What is computed in a single-threaded block does not depend on the number of threads."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from methods.algebra.pca import principal_axes
from methods.algebra.threads import single_threaded
from methods.labels.ksh.ksh import KSH
from methods.unsupervised.uh_bdnn.uh_bdnn import UHBDNN


@pytest.fixture(scope="module")
def X():
    """Wide enough that BLAS divides products and eigenvalue problems among its threads."""
    return np.maximum(np.random.default_rng(0).standard_normal((400, 300)), 0)


def threads():
    return {pool["num_threads"] for pool in threadpool_info()}


def with_threads(n_threads, function):
    with threadpool_limits(n_threads):
        return function()


def test_a_block_and_a_function_have_one_thread_and_give_the_others_back():
    function = single_threaded()(threads)
    with threadpool_limits(2):
        with single_threaded():
            assert threads() == {1}
        assert threads() == {2}
        assert function() == function() == {1}
        assert threads() == {2}


def test_principal_axes(X):
    one, two = (with_threads(t, lambda: principal_axes(X, 20)) for t in (1, 2))
    assert np.array_equal(one.axes, two.axes)


def test_uh_bdnn(X):
    one, two = (
        with_threads(t, lambda: UHBDNN(8, n_rounds=1, n_steps=10, random_state=0).fit(X))
        for t in (1, 2)
    )
    assert np.array_equal(one.axes_, two.axes_)
    assert np.array_equal(one.weights_.flat(), two.weights_.flat())


def test_ksh(X):
    labels = np.random.default_rng(1).random((400, 6)) < 0.2
    one, two = (
        with_threads(t, lambda: KSH(4, n_anchors=130, random_state=0).fit(X, labels=labels))
        for t in (1, 2)
    )
    assert np.array_equal(one.kernel_.mean, two.kernel_.mean)
    assert np.array_equal(one.W_, two.W_)
