"""Speed of quantised search against the common way of doing it, in one process.

    python tests/performance/bench_quantised_search.py

The common way: items reconstructed from their code words as float32 vectors, inner products by one
matrix product per query batch, one ``argsort`` per query, AP of the top 5,000 from the sorted
relevance; mAP@5000 only, ties as the sort leaves them.  Ours: table look-ups, a radix sort, then
mAP@5000, mAP@50000 and mAP over everything, P@N, and the 1,000-level PR curve, each by exact
expectation.

The floor per pair is measured: the scan of the code words, which reads one byte and one table
entry for each codebook, and the traffic of the sort, three passes that read every 8-byte key twice
and write it once, here to neighbouring places.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numba
import numpy as np

from benchmark import evaluate_scores
from benchmark.execution.costs import MemoryGrowth
from benchmark.protocol.hamming import pack
from benchmark.protocol.scores import DIGIT, TILE, _add_scores, score_profile

N_QUERY, N_DATABASE, N_LABELS, N_FEATURES, K = 2000, 100_000, 21, 300, 5000
#: Queries ranked at once, as evaluate_scores does at this size.
BLOCK = 40


def make_items(n_codebooks: int) -> tuple[np.ndarray, ...]:
    """Query vectors, additive codebooks, codes that carry noisy labels, and labels."""
    rng = np.random.default_rng(0)
    labels = rng.random((N_QUERY + N_DATABASE, N_LABELS)) < 0.1
    width = N_FEATURES // n_codebooks
    words = np.zeros((n_codebooks, 256, N_FEATURES), dtype=np.float32)
    codes = np.empty((N_DATABASE, n_codebooks), dtype=np.uint8)
    topics = rng.normal(size=(N_LABELS, N_FEATURES))
    X = (labels @ topics + rng.normal(size=(len(labels), N_FEATURES))).astype(np.float32)
    queries, items = X[:N_QUERY], X[N_QUERY:]
    for m in range(n_codebooks):
        columns = slice(m * width, (m + 1) * width)
        chosen = items[rng.choice(N_DATABASE, 256, replace=False), columns]
        words[m, :, columns] = chosen
        products = items[:, columns] @ chosen.T
        codes[:, m] = (products - (chosen**2).sum(axis=1) / 2).argmax(axis=1)
    return queries, words, codes, labels


def evaluate_common(
    queries: np.ndarray, words: np.ndarray, codes: np.ndarray, labels: np.ndarray
) -> tuple[float, dict[str, float]]:
    """mAP@5000 as most published code computes it, and the seconds of each stage."""
    seconds = dict.fromkeys(("product", "argsort", "AP"), 0.0)
    items = sum(words[m][codes[:, m]] for m in range(len(words)))
    targets = labels.astype(np.float32)
    q_targets, x_targets = targets[:N_QUERY], targets[N_QUERY:]
    ranks = np.arange(1, K + 1)
    values = []
    for first in range(0, N_QUERY, 100):
        rows = slice(first, first + 100)
        times = [time.perf_counter()]
        scores = queries[rows] @ items.T
        times.append(time.perf_counter())
        orders = [np.argsort(-row) for row in scores]
        times.append(time.perf_counter())
        relevance = q_targets[rows] @ x_targets.T > 0
        for order, row in zip(orders, relevance, strict=True):
            r = row[order[:K]]
            hits = np.cumsum(r)
            values.append((r * hits / ranks).sum() / max(hits[-1], 1))
        times.append(time.perf_counter())
        for name, passed in zip(seconds, np.diff(times), strict=True):
            seconds[name] += passed
    return float(np.mean(values)), seconds


@numba.njit(parallel=True, nogil=True)
def scan(tables, codes, n_threads, out) -> None:
    """The look-ups alone."""
    n = codes.shape[1]
    for thread in numba.prange(n_threads):
        buffer = np.empty(TILE, dtype=np.float32)
        for q in range(thread, len(tables), n_threads):
            for start in range(0, n, TILE):
                score = buffer[: min(TILE, n - start)]
                _add_scores(tables[q], codes, start, score)
                out[q] += score[0]


@numba.njit(parallel=True, nogil=True)
def move_keys(n, n_queries, n_threads, out) -> None:
    """The traffic of the sort without its arithmetic."""
    for thread in numba.prange(n_threads):
        key, spare = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
        for q in range(thread, n_queries, n_threads):
            for _ in range(-(-32 // DIGIT)):
                total = np.uint64(0)
                for i in range(n):
                    total += key[i]
                for i in range(n):
                    spare[i] = key[i] + total
                key, spare = spare, key
            out[q] = key[0]


def seconds_of(work: Callable[[], object], repeats: int = 3) -> float:
    """The fastest of some runs, after one that compiles."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    pairs, threads = N_QUERY * N_DATABASE, numba.get_num_threads()
    print(f"{N_QUERY} queries x {N_DATABASE} items, {N_LABELS} labels, {threads} threads")
    print("ns per pair: scan of the codes, floor (scan and traffic of the sort), scan and ranking,")
    print("whole evaluation; then the common way: matrix product, argsort, whole")
    print(
        "bits   scan  floor  ranked  ranked/floor  whole  peak MB | product  argsort  whole  "
        "peak MB  ratio  mAP@5000"
    )
    for n_codebooks in (1, 2, 4, 6):
        queries, words, codes, labels = make_items(n_codebooks)
        tables = np.einsum("qe,mke->qmk", queries, words, optimize=True)
        tables = np.ascontiguousarray(tables)
        columns, labels_q = np.ascontiguousarray(codes.T), pack(labels[:N_QUERY])
        labels_x, out = pack(labels[N_QUERY:]), np.zeros(N_QUERY)

        def rank_all(tables=tables, columns=columns, labels_q=labels_q, labels_x=labels_x) -> None:
            for start in range(0, N_QUERY, BLOCK):
                rows = slice(start, start + BLOCK)
                score_profile(tables[rows], columns, labels_q[rows], labels_x)

        per_pair = 1e9 / pairs
        scanned = seconds_of(lambda t=tables, c=columns, o=out: scan(t, c, threads, o)) * per_pair
        moved = seconds_of(lambda o=out: move_keys(N_DATABASE, N_QUERY, threads, o)) * per_pair
        ranked = seconds_of(rank_all) * per_pair
        arguments = (tables, codes, labels[:N_QUERY], labels[N_QUERY:])
        evaluate_scores(tables[:1], codes, labels[:1], labels[N_QUERY:])
        memory = MemoryGrowth()
        start = time.perf_counter()
        value = evaluate_scores(*arguments)["mAP@5000"]
        whole = (time.perf_counter() - start) * per_pair
        peak = memory.megabytes()
        memory = MemoryGrowth()
        start = time.perf_counter()
        common_value, stages = evaluate_common(queries, words, codes, labels)
        common = (time.perf_counter() - start) * per_pair
        common_peak = memory.megabytes()
        floor = scanned + moved
        print(
            f"{8 * n_codebooks:4}  {scanned:5.2f}  {floor:5.2f}  {ranked:6.2f}  "
            f"{ranked / floor:12.1f}  {whole:5.1f}  {peak:7.0f} | "
            f"{stages['product'] * per_pair:7.1f}  {stages['argsort'] * per_pair:7.1f}  "
            f"{common:5.1f}  {common_peak:7.0f}  {common / whole:5.1f}  "
            f"{value:.4f} {common_value:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    main()
