"""Memory and load of a run."""

import numpy as np

from benchmark.execution.costs import MemoryGrowth, load, threads


def test_growth_is_what_was_allocated_at_the_peak():
    held = np.ones(5_000_000)
    memory = MemoryGrowth()
    assert memory.megabytes() < 20
    grown = np.ones(10_000_000)
    del grown, held
    assert 60 <= memory.megabytes() < 120


def test_load_and_threads_are_numbers():
    assert load() >= 0 and threads() >= 1
