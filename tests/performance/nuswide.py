"""The main command on a synthetic NUS-WIDE of the official size: its data, and what it takes.

    python tests/performance/nuswide.py make FOLDER
    python tests/performance/nuswide.py run FOLDER [OPTIONS OF run_benchmark.py ...]

``make`` writes the official layout below FOLDER/nuswide: the image list of 269,648 photos, a file
of labels for each of the 81 concepts, the tags of every photo, and ReLU-like features of 4096
dimensions in ``features/fc7.npy`` (4.4 GB).  The files are the same on every machine with the same
versions of the libraries, but for the last digits of the features.

``run`` runs ``run_benchmark.py --dataset nuswide`` once for each method, in the same results
folder FOLDER/results, and prints wall seconds, CPU seconds and the largest memory of all its
processes together.  Memory is the proportional set size: a page that k processes share counts
1/k for each.  Pages of mapped files are named apart, since the system takes them back when it
needs to.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.datasets.nuswide import FREQUENT

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / ".." / "shared" / "data" / "nuswide"

N_PHOTOS, N_CONCEPTS, N_FEATURES, N_TOPICS = 269_648, 81, 4096, 256
#: Concepts and tags of a photo on average, about those of the collection.
CONCEPTS_PER_PHOTO, TAGS_PER_PHOTO = 1.9, 7.0
#: Photos made at once.
BLOCK = 8192
#: Seconds between two looks at the memory of the processes.
INTERVAL = 0.25


@dataclass(frozen=True)
class Photos:
    """What the text files say of the photos.

    Attributes
    ----------
    concepts, tags : tuple of str
        The words.
    has_concept : (n, 81) array of bool
    given_tags : list of n arrays of int
        Numbers of the tags of each photo.
    """

    concepts: tuple[str, ...]
    tags: tuple[str, ...]
    has_concept: np.ndarray
    given_tags: list[np.ndarray]


def make(folder: Path, n_photos: int = N_PHOTOS) -> Path:
    """Write the collection below `folder`, which is returned with ``nuswide`` appended."""
    home = folder / "nuswide"
    photos = draw_photos(n_photos)
    write_texts(home, photos)
    write_features(home / "features" / "fc7.npy", photos)
    return home


def draw_photos(n: int) -> Photos:
    """Concepts and tags of photos, which hang together as they do in the collection."""
    rng = np.random.default_rng(0)
    words = (SHARED / "Concepts81.txt").read_text().split()
    concepts = (*FREQUENT, *(word for word in words if word not in FREQUENT))
    tags = tuple((SHARED / "TagList1k.txt").read_text().split())
    has_concept = np.zeros((n, N_CONCEPTS), dtype=bool)
    frequency = 1 / (np.arange(N_CONCEPTS) + 3.0)
    count = rng.poisson(CONCEPTS_PER_PHOTO, n)
    for place in range(count.max()):
        rows = np.flatnonzero(count > place)
        drawn = rng.choice(N_CONCEPTS, len(rows), p=frequency / frequency.sum())
        has_concept[rows, drawn] = True
    # Every concept has words of its own; a third of a photo's tags are words of any photo.
    popular = 1 / (np.arange(len(tags)) + 5.0)
    cumulated = np.cumsum(popular / popular.sum())
    own = rng.integers(0, len(tags), (N_CONCEPTS, 25))
    n_tags = rng.poisson(TAGS_PER_PHOTO, n)
    given = []
    for row in range(n):
        k = n_tags[row]
        drawn = np.searchsorted(cumulated, rng.random(k))
        shown = np.flatnonzero(has_concept[row])
        if len(shown):
            of_concept = own[shown[rng.integers(0, len(shown), k)], rng.integers(0, 25, k)]
            drawn = np.where(rng.random(k) < 2 / 3, of_concept, drawn)
        given.append(np.unique(drawn))
    return Photos(concepts, tags, has_concept, given)


def write_texts(home: Path, photos: Photos) -> None:
    """The image list, the concepts, the labels and the tags in their official files."""
    labels = home / "Groundtruth" / "AllLabels"
    for place in (home / "ImageList", home / "NUS_WID_Tags", home / "ConceptsList", labels):
        place.mkdir(parents=True, exist_ok=True)
    numbers = 100_000_000 + 7919 * np.arange(len(photos.given_tags))
    names = [
        f"{photos.concepts[i % N_CONCEPTS]}\\{i:06d}_{k}.jpg \r\n" for i, k in enumerate(numbers)
    ]
    (home / "ImageList" / "Imagelist.txt").write_text("".join(names))
    (home / "ConceptsList" / "Concepts81.txt").write_text("\n".join(sorted(photos.concepts)) + "\n")
    (home / "NUS_WID_Tags" / "Final_Tag_List.txt").write_text("\n".join(photos.tags) + "\n")
    lines = (
        f"{k}      {' '.join(photos.tags[j] for j in given)} \n"
        for k, given in zip(numbers, photos.given_tags, strict=True)
    )
    (home / "NUS_WID_Tags" / "All_Tags.txt").write_text("".join(lines))
    for c, concept in enumerate(photos.concepts):
        column = photos.has_concept[:, c].astype(np.uint8) + ord("0")
        text = np.column_stack([column, np.full(len(column), ord("\n"), np.uint8)])
        (labels / f"Labels_{concept}.txt").write_bytes(text.tobytes())


def write_features(path: Path, photos: Photos) -> None:
    """Features ``relu(topics + noise - 1)``, most of which are zero, in blocks of photos."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    scale = (np.arange(N_TOPICS, dtype=np.float32) + 1) ** -0.5
    topics = rng.standard_normal((N_TOPICS, N_FEATURES), dtype=np.float32) * scale[:, None]
    seen = rng.standard_normal((N_CONCEPTS, N_FEATURES), dtype=np.float32)
    n = len(photos.given_tags)
    X = np.lib.format.open_memmap(path, "w+", np.float32, (n, N_FEATURES))
    for start in range(0, n, BLOCK):
        rng = np.random.default_rng([2, start])
        has = photos.has_concept[start : start + BLOCK].astype(np.float32)
        block = rng.standard_normal((len(has), N_TOPICS), dtype=np.float32) @ topics
        block += 0.7 * has @ seen
        block += 0.5 * rng.standard_normal(block.shape, dtype=np.float32)
        X[start : start + BLOCK] = np.maximum(block - 1, 0)
    X.flush()


@dataclass
class Usage:
    """Largest memory of a process and all its descendants, in MB of 10^6 bytes.

    Attributes
    ----------
    most : float
        With pages of mapped files.
    most_own : float
        Without them.
    """

    pid: int
    most: float = 0.0
    most_own: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look until told that the process is over."""
        while not self.over.wait(INTERVAL):
            sizes = [_proportional(pid) for pid in (self.pid, *_descendants(self.pid))]
            self.most = max(self.most, sum(size for size, _ in sizes))
            self.most_own = max(self.most_own, sum(own for _, own in sizes))


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _proportional(pid: int) -> tuple[float, float]:
    """Proportional set size of a process, and what of it is no file; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return kilobytes["Pss"] * 1.024e-3, kilobytes.get("Pss_Anon", 0) * 1.024e-3


@dataclass(frozen=True)
class Taken:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    own_megabytes: float
    status: int


def measured(command: list[str]) -> Taken:
    """Run a command to its end and measure it with all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT)
    usage = Usage(process.pid)
    thread = threading.Thread(target=usage.watch)
    thread.start()
    status = process.wait()
    seconds = time.perf_counter() - start
    usage.over.set()
    thread.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(seconds, cpu, usage.most, usage.most_own, status)


def run(folder: Path, methods: list[str], together: bool, options: list[str]) -> None:
    """Print a line for each method, or one for all of them in one command."""
    main_command = [sys.executable, str(ROOT / "run_benchmark.py"), "--dataset", "nuswide"]
    main_command += ["--data-root", str(folder), "--results", str(folder / "results"), *options]
    print("method                  wall s   CPU s  peak MB  without files  status")
    for part in [methods] if together else [[method] for method in methods]:
        taken = measured([*main_command, "--methods", *part])
        name = f"{len(part)} methods" if together else part[0]
        print(
            f"{name:<22} {taken.seconds:>7.1f} {taken.cpu_seconds:>7.1f} {taken.megabytes:>8.0f} "
            f"{taken.own_megabytes:>14.0f} {taken.status:>7}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "run"):
        commands.add_parser(name).add_argument("folder", type=Path)
    runs = commands.choices["run"]
    runs.add_argument("--methods", nargs="+", required=True)
    runs.add_argument("--together", action="store_true", help="all methods in one command")
    args, options = parser.parse_known_args()
    if args.command == "make":
        print(make(args.folder))
    else:
        run(args.folder.resolve(), args.methods, args.together, options)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
    main()
