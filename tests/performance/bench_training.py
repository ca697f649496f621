"""Time of a step of WDHT, and the part of it that its matrix products alone would take.

Run by hand: ``python tests/performance/bench_training.py [--items 100000] [--features 4096]``.
Heads on features are trained in one thread; so are the products here.

Floor: a step on k items of d features multiplies k x d by d x 256 twice (forward, and for the
gradient of the weights; the features themselves need none), and the small matrices behind the
shared layer three times each.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from scipy.sparse import csr_array

from features.tags import TagMatrix
from methods.deep.recipe import ROUND
from methods.tags.wdht import HIDDEN, WDHT

#: Steps that are timed.
N_STEPS = 5 * ROUND

N_BITS, N_TAGS, TAGS_PER_ITEM, WORDS = 32, 1000, 8, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=4096)
    args = parser.parse_args()
    X = made_up_features(args.items, args.features)
    tags = made_up_tags(args.items)

    few, many = (seconds_of_fit(X, tags, steps) for steps in (ROUND, ROUND + N_STEPS))
    hasher = WDHT(N_BITS)
    step = (many - few) / N_STEPS
    seconds, operations = seconds_of_products(hasher.batch_size, args.features, N_STEPS)
    products = seconds / N_STEPS
    print(f"{args.items:,} x {args.features} features, {N_BITS} bits, one thread")
    print(f"a step:                {1e3 * step:7.2f} ms   (with validation)")
    speed = f"{operations / seconds / 1e9:.0f} GFLOP/s"
    print(f"its products alone:    {1e3 * products:7.2f} ms   ({speed})")
    print(f"share of the products: {products / step:7.0%}")
    print(f"a training at most:    {step * hasher.recipe().n_steps(args.items):7.1f} s")


def made_up_features(n: int, d: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = np.empty((n, d), np.float32)
    for start in range(0, n, 4096):
        block = X[start : start + 4096]
        block[:] = np.maximum(rng.standard_normal(block.shape, np.float32), 0)
    return X


def made_up_tags(n: int) -> TagMatrix:
    rng = np.random.default_rng(1)
    columns = rng.integers(0, N_TAGS, (n, TAGS_PER_ITEM))
    rows = np.repeat(np.arange(n), TAGS_PER_ITEM)
    hot = csr_array((np.ones(columns.size, bool), (rows, columns.ravel())), shape=(n, N_TAGS))
    vectors = rng.standard_normal((N_TAGS, WORDS)).astype(np.float32)
    return TagMatrix(hot, words=tuple(map(str, range(N_TAGS))), vectors=vectors)


def seconds_of_fit(X: np.ndarray, tags: TagMatrix, steps: int) -> float:
    hasher = WDHT(N_BITS, steps=steps, random_state=0)
    start = time.perf_counter()
    hasher.fit(X, tags=tags)
    return time.perf_counter() - start


def seconds_of_products(k: int, d: int, n_steps: int) -> tuple[float, float]:
    """The products of these steps and nothing else; their seconds and operations."""
    torch.set_num_threads(1)
    shapes = [
        (k, d, HIDDEN),  # shared layer
        (d, k, HIDDEN),  # gradient of its weights
        *[(k, HIDDEN, N_BITS)] * 3,
        *[(k, HIDDEN, WORDS)] * 3,
        *[(k, N_BITS, k)] * 3,  # distances of outputs, and back
        (k, WORDS, k),  # cosines of targets
        *[(k, WORDS, k)] * 2,  # scores of predictions, and back
    ]
    pairs = [(torch.randn(a, b), torch.randn(b, c)) for a, b, c in shapes]
    for A, B in pairs:
        A @ B
    start = time.perf_counter()
    for _ in range(n_steps):
        for A, B in pairs:
            A @ B
    operations = 2.0 * n_steps * sum(a * b * c for a, b, c in shapes)
    return time.perf_counter() - start, operations


if __name__ == "__main__":
    main()
