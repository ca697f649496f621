"""Which defaults of the trained methods are best on validation items of several data sets.

Run by hand, from the root: ``python tests/performance/defaults.py --shared ../shared/data``.  It
fits every candidate of :data:`CANDIDATES` on parts of several data sets, and prints a table with
the mAP of each.  ``results/reference/defaults.md`` is such a table.

Only training items of the data sets are used.  A fifth of a part's items, at most 500, become
validation queries; the methods are fitted on the others, which are also searched.  Relevant means
a common label.  Queries of the benchmark are never touched.

Each trial is a line of ``trials.jsonl`` in the results folder, and is not run again.  A change of
the code is not noticed there: name another folder, or remove the file.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from benchmark.preparation.bundle import open_bundle
from benchmark.preparation.features import prepare
from benchmark.protocol.protocol import Protocol
from benchmark.protocol.search import SEARCHES
from benchmark.registry import methods
from benchmark.study.session import Session
from features.tags import TagMatrix
from methods.sharing import sharing

#: What is compared: method ids with parameters, as ``--methods`` takes them.  The first of each
#: group is its default, but for the first group, by which the others are measured.
CANDIDATES = {
    "Without training of a network": ["pcah", "itq", "cca-itq", "ridge-itq"],
    "wdht": [
        "wdht",
        "wdht[targets=raw]",
        "wdht[targets=unit]",
        "wdht[steps=1000,schedule=cosine]",
        "wdht[steps=500,schedule=cosine]",
        "wdht[aggregation=itf]",
    ],
    "binary-tag": [
        "binary-tag",
        "binary-tag[steps=1000,schedule=cosine]",
        "binary-tag[steps=500,schedule=cosine]",
        "binary-tag[lr=0.003]",
    ],
    "dih": ["dih", "dih[mu=0.3]", "dih[mu=3.0]", "dih[lam=0.1]", "dih[lam=10.0]"],
    "wp-dsh": [
        "wp-dsh[finetune=false]",
        "wp-dsh[finetune=false,delta=0.1]",
        "wp-dsh[finetune=false,steps=1300]",
    ],
    "wsdhq": ["wsdhq", "wsdhq[steps=900]", "wsdhq[steps=450,schedule=cosine]"],
    "deep-dsh": ["deep-dsh", "deep-dsh[schedule=cosine]", "deep-dsh[steps=700,schedule=cosine]"],
    "drsch": ["drsch", "drsch[steps=1000,schedule=cosine]", "drsch[steps=500,schedule=cosine]"],
}


@dataclass(frozen=True)
class Sample:
    """What is taken of a data set.

    Attributes
    ----------
    source : str
    n_items : int or None
        Training items, drawn at random; None for all.
    noise : float
        Share of the assignments of tags that are exchanged between items.
    n_tags : int or None
        Most frequent tags that are kept; None for all.
    """

    source: str
    n_items: int | None = None
    noise: float = 0.0
    n_tags: int | None = None


SAMPLES = {
    "corel 300": Sample("corel5k", 300),
    "corel 600, 23 tags": Sample("corel5k", 600, n_tags=23),
    "corel 1000": Sample("corel5k", 1000),
    "corel 4500": Sample("corel5k"),
    "demo 550": Sample("demo[n=600]"),
    "demo 1375": Sample("demo[n=1500]"),
    "demo 1375, noise .5": Sample("demo[n=1500]", noise=0.5),
    "demo 5500": Sample("demo[n=6000]"),
    "mirflickr 2000": Sample("mirflickr", 2000),
}

#: Validation queries: this share of a part, up to a maximum.
SHARE, MOST = 1 / 5, 500

PROTOCOL = Protocol("validation", map_at=(), precision_at=())


@dataclass(frozen=True)
class Part:
    """Training items of a data set: features (n, d), tags (n, V), labels (n, c)."""

    X: np.ndarray
    tags: TagMatrix
    labels: np.ndarray

    def rows(self, chosen: np.ndarray) -> Part:
        """Some of the items, with those tags that they carry."""
        tags = self.tags[chosen]
        carried = np.flatnonzero(tags.sum(axis=0))
        return Part(self.X[chosen], tags[:, carried], self.labels[chosen])


@dataclass(frozen=True)
class Places:
    """Where the shared data are, and where features and trials are kept."""

    shared: Path
    results: Path


@lru_cache(maxsize=2)
def data_set(name: str, places: Places) -> Part:
    """All training items of a data set."""
    if name == "mirflickr":
        return made_up_features(places.shared / "mirflickr25k" / "mirflickr25k_dcmh.npz")
    session = Session(results=places.results)
    if name == "corel5k":
        session = Session(
            results=places.results,
            weights=places.shared / "weights" / "squeezenet1_0.pth",
            word_vectors=places.shared / "word-vectors" / "glove300-tags.bin",
        )
        data = session.open(str(places.shared / name), "squeezenet1_0")
    else:
        data = session.open(name)
    bundle = open_bundle(prepare(data, places.results / "cache").bundle)
    return Part(bundle.features.train, bundle.train_tags, bundle.labels.train)


def made_up_features(path: Path) -> Part:
    """Users' real tags and the labels of MIRFLICKR-25K; features made from the labels.

    Each label is a direction of its own length in 256 dimensions; an item is the sum of those of
    its labels, with as much noise, through a ReLU.
    """
    with np.load(path) as stored:
        tags, labels = csr_array(stored["tags"] > 0), stored["labels"] > 0
    rng = np.random.default_rng(0)
    lengths = rng.uniform(0.2, 1, (labels.shape[1], 1))
    directions = lengths * rng.standard_normal((labels.shape[1], 256))
    X = labels @ directions + 4 * rng.standard_normal((len(labels), 256))
    return Part(np.maximum(X, 0).astype(np.float32), TagMatrix(tags), labels)


@lru_cache(maxsize=2)
def part(name: str, places: Places) -> Part:
    sample = SAMPLES[name]
    whole = data_set(sample.source, places)
    rng = np.random.default_rng(0)
    if sample.n_items is not None:
        whole = whole.rows(np.sort(rng.choice(len(whole.X), sample.n_items, replace=False)))
    if sample.n_tags is not None:
        kept = np.sort(np.argsort(-whole.tags.sum(axis=0), kind="stable")[: sample.n_tags])
        whole = replace(whole, tags=whole.tags[:, kept])
    return replace(whole, tags=noisy(whole.tags, sample.noise, rng)) if sample.noise else whole


def noisy(tags: TagMatrix, share: float, rng: np.random.Generator) -> TagMatrix:
    """The same tags as often, but a share of the assignments exchanged between items."""
    items, columns = csr_array(tags).tocoo().coords
    exchanged = np.flatnonzero(rng.random(len(items)) < share)
    columns = columns.copy()
    columns[exchanged] = rng.permutation(columns[exchanged])
    hot = csr_array((np.ones(len(items), bool), (items, columns)), shape=tags.shape)
    return TagMatrix(hot > 0, words=tags.words, vectors=tags.vectors)


def trial(method: str, name: str, bits: int, seed: int, places: Places) -> dict:
    """Fit on a part less its validation items and search for these."""
    whole = part(name, places)
    n_queries = min(MOST, int(SHARE * len(whole.X)))
    order = np.random.default_rng((seed, 1)).permutation(len(whole.X))
    queries, fitted = whole.rows(order[:n_queries]), whole.rows(np.sort(order[n_queries:]))
    variant = methods.parse(method)
    hasher = methods.find(variant.name).load()(bits, random_state=seed, **dict(variant.parameters))
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = hasher.supervised_by(tags=fitted.tags, labels=fitted.labels)
        with sharing(places.results / "shared"):
            hasher.fit(fitted.X, **wanted)
    seconds = time.process_time() - start
    codes = hasher.encode_queries(queries.X), hasher.encode(fitted.X)
    values = SEARCHES[hasher.ranked_by].evaluate(*codes, queries.labels, fitted.labels, PROTOCOL)
    key = {"method": method, "set": name, "bits": bits, "seed": seed}
    return {**key, "mAP": float(values["mAP@all"]), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--results", type=Path, default=Path("results/defaults"))
    parser.add_argument("--groups", nargs="+", default=list(CANDIDATES), metavar="GROUP")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="instead of the groups")
    parser.add_argument(
        "--sets", nargs="+", default=list(SAMPLES), choices=list(SAMPLES), metavar="SET"
    )
    parser.add_argument("--stored", action="store_true", help="print, and run nothing")
    parser.add_argument("--bits", nargs="+", type=int, default=[12, 32])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    args = parser.parse_args()
    places = Places(args.shared.resolve(), args.results)
    groups = {"": args.methods} if args.methods else {g: CANDIDATES[g] for g in args.groups}
    wanted = [] if args.stored else [m for group in groups.values() for m in group]
    trials = run(wanted, args, places)
    for title, group in groups.items():
        print("\n".join(table(title, group, trials, args)), end="\n\n", flush=True)


def run(wanted: list[str], args: argparse.Namespace, places: Places) -> dict[tuple, dict]:
    """All trials by method, set, bits and seed; those that are not stored yet are run."""
    args.results.mkdir(parents=True, exist_ok=True)
    path = args.results / "trials.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    done = {(t["method"], t["set"], t["bits"], t["seed"]): t for t in map(json.loads, lines)}
    for name in args.sets:
        for method in wanted:
            for bits in args.bits:
                for seed in args.seeds:
                    key = (method, name, bits, seed)
                    if key not in done:
                        done[key] = trial(*key, places)
                        with path.open("a") as file:
                            file.write(json.dumps(done[key]) + "\n")
    return done


def table(
    title: str, group: list[str], trials: dict[tuple, dict], args: argparse.Namespace
) -> list[str]:
    """Lines of Markdown: mean mAP over the seeds at each code length, and seconds of a fit.

    A trial that was not run leaves a dash, and a method none of whose trials were run is left out.
    """
    lines = [f"## {title}", "", f"| {args.bits} bits | " + " | ".join(args.sets) + " |"]
    lines.append("|:---|" + "---:|" * len(args.sets))
    for method in group:
        cells = []
        for name in args.sets:
            keys = [[(method, name, b, s) for s in args.seeds] for b in args.bits]
            chosen = [[trials[key] for key in some if key in trials] for some in keys]
            means = [f"{np.mean([t['mAP'] for t in c]):.3f}"[1:] if c else "–" for c in chosen]
            spent = [t["seconds"] for some in chosen for t in some]
            cells.append(" ".join(means) + (f" ({np.mean(spent):.1f} s)" if spent else ""))
        if any("." in cell for cell in cells):
            lines.append(f"| `{method}` | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
