"""Speed of the evaluation against the common way of doing it, in one process.

    python tests/performance/bench_evaluation.py

The common way: codes as float32 -1/+1, inner products by one matrix product per query batch, one
``argsort`` per query, AP of the top 5,000 from the sorted relevance; mAP@5000 only, ties as the
sort leaves them.  Ours: the packed kernel, then mAP@5000, mAP@50000 and mAP over everything, each
by exact expectation with bounds, precision within radius 2 and the 1,000-level PR curve.

The floor per pair: 16 bytes read (one word of code, one of labels) that stay in the cache for a
tile, and 6 operations (xor, popcount, and, compare, combine, increment) of which the increment
of a counter cannot be vectorised: one per cycle and core at best.
"""

from __future__ import annotations

import os
import time

import numba
import numpy as np

from benchmark.execution.costs import MemoryGrowth
from benchmark.protocol import metrics
from benchmark.protocol.hamming import hamming_profile, pack

N_QUERY, N_DATABASE, N_LABELS, K = 2000, 100_000, 21, 5000
REPEATS = 5


def make_items(n_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes that carry noisy labels, so that distances and ties are spread as in real runs."""
    rng = np.random.default_rng(0)
    labels = rng.random((N_QUERY + N_DATABASE, N_LABELS)) < 0.1
    scores = labels @ rng.normal(size=(N_LABELS, n_bits))
    return scores + rng.normal(size=scores.shape) > 0, labels


def evaluate_fast(codes: np.ndarray, labels: np.ndarray) -> tuple[float, dict[str, float]]:
    """mAP@5000 and the seconds of each stage."""
    q, x = codes[:N_QUERY], codes[N_QUERY:]
    seconds, start = {}, time.perf_counter()

    def stage(name: str) -> None:
        nonlocal start
        now = time.perf_counter()
        seconds[name], start = now - start, now

    packed = pack(q), pack(x), pack(labels[:N_QUERY]), pack(labels[N_QUERY:])
    stage("pack")
    profile = hamming_profile(*packed, codes.shape[1])
    stage("kernel")
    value = metrics.average_precision(profile, K).value.mean()
    metrics.average_precision(profile, 50_000)
    metrics.average_precision(profile)
    stage("mAP")
    metrics.precision_within(profile, 2)
    stage("P@r2")
    np.nanmean(metrics.precision_recall(profile), axis=0)
    stage("PR")
    return value, seconds


def evaluate_common(codes: np.ndarray, labels: np.ndarray) -> float:
    """mAP@5000 as most published code computes it."""
    signs = np.where(codes, 1, -1).astype(np.float32)
    q, x = signs[:N_QUERY], signs[N_QUERY:]
    targets = labels.astype(np.float32)
    q_targets, x_targets = targets[:N_QUERY], targets[N_QUERY:]
    ranks = np.arange(1, K + 1)
    values = []
    for first in range(0, N_QUERY, 100):
        rows = slice(first, first + 100)
        distances = 0.5 * (codes.shape[1] - q[rows] @ x.T)
        relevance = q_targets[rows] @ x_targets.T > 0
        for distance, relevant in zip(distances, relevance, strict=True):
            r = relevant[np.argsort(distance)][:K]
            hits = np.cumsum(r)
            values.append((r * hits / ranks).sum() / max(hits[-1], 1))
    return float(np.mean(values))


def main() -> None:
    pairs = N_QUERY * N_DATABASE
    cores = numba.get_num_threads()
    print(f"{N_QUERY} queries x {N_DATABASE} items, {N_LABELS} labels, {cores} threads")
    print("bits  ours s  kernel ns/pair  mAP s  PR s  peak MB  common s  peak MB  ratio  mAP@5000")
    for n_bits in (12, 24, 48, 64):
        codes, labels = make_items(n_bits)
        evaluate_fast(codes, labels)  # compiles, or loads the compiled kernels
        memory = MemoryGrowth()
        runs = [evaluate_fast(codes, labels) for _ in range(REPEATS)]
        peak = memory.megabytes()
        value, stages = min(runs, key=lambda run: sum(run[1].values()))
        ours = sum(stages.values())
        memory = MemoryGrowth()
        start = time.perf_counter()
        common_value = evaluate_common(codes, labels)
        common = time.perf_counter() - start
        common_peak = memory.megabytes()
        print(
            f"{n_bits:4}  {ours:6.3f}  {stages['kernel'] / pairs * 1e9:14.2f}  "
            f"{stages['mAP']:5.3f}  {stages['PR']:4.2f}  {peak:7.0f}  {common:8.1f}  "
            f"{common_peak:7.0f}  {common / ours:5.0f}  {value:.4f} {common_value:.4f}"
        )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    main()
