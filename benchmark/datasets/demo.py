"""The demo data set: rendered scenes with labels and tags, all made from a seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.datasets import register_dataset, scenes
from benchmark.datasets.base import Dataset, reader_name
from benchmark.datasets.splits import draw_split, stored_split
from benchmark.datasets.tagging import draw_tags
from benchmark.digests import code_digest, package_digest
from benchmark.errors import InputError


@dataclass(frozen=True)
class SceneKind:
    """A kind of scene: its frequency, its subject and what else it may show.

    Attributes
    ----------
    weight : float
        Relative frequency.
    subject : str
        The concept that is always present and painted large.
    others : dict of str to float
        Further concepts and their probabilities.
    """

    weight: float
    subject: str
    others: dict[str, float]


def _chances(text: str) -> dict[str, float]:
    """Probabilities from alternating names and percentages."""
    words = text.split()
    return {name: int(p) / 100 for name, p in zip(words[::2], words[1::2], strict=True)}


#: The kinds of scene; other concepts with their probabilities in percent.
SCENE_KINDS: tuple[SceneKind, ...] = (
    SceneKind(
        9, "beach", _chances("sea 80 water 100 person 40 boat 20 bird 25 clouds 30 sunset 30")
    ),
    SceneKind(10, "grass", _chances("tree 35 flower 30 animal 50 clouds 40 sunset 10")),
    SceneKind(12, "mountain", _chances("snow 40 clouds 40 tree 30 water 25 sunset 15 grass 30")),
    SceneKind(18, "city", _chances("buildings 100 car 60 person 30 road 75 night 35 moon 10")),
    SceneKind(15, "sea", _chances("water 100 boat 60 bird 35 clouds 35 sunset 30 moon 5")),
    SceneKind(7, "snow", _chances("tree 35 mountain 50 person 35 animal 15 night 10")),
    SceneKind(12, "forest", _chances("tree 100 animal 35 flower 20 grass 40 bird 20 road 10")),
    SceneKind(
        8, "road", _chances("car 80 grass 35 mountain 30 clouds 35 tree 15 sunset 15 night 15")
    ),
    SceneKind(5, "bridge", _chances("water 90 city 20 clouds 30 boat 35 night 25 sunset 15")),
    SceneKind(8, "flower", _chances("grass 60 animal 10 bird 10")),
    SceneKind(
        10, "person", _chances("grass 15 buildings 25 beach 15 tree 10 animal 15 road 10 car 10")
    ),
    SceneKind(6, "animal", _chances("grass 60 tree 20 person 10 snow 10")),
    SceneKind(4, "moon", _chances("night 100 clouds 30 tree 20 mountain 30 water 20")),
    SceneKind(4, "buildings", _chances("tree 35 grass 40 road 35 mountain 25 clouds 30 snow 15")),
)

#: Concepts that imply another one.
IMPLIED = {"sea": "water", "beach": "water", "city": "buildings", "forest": "tree"}

#: The labels, in column order.
CONCEPTS: tuple[str, ...] = tuple(sorted(scenes.PAINTERS))


#: The most items: their labels and tags take 2 GB.
MOST = 10_000_000

#: Second numbers of the seeds, which make labels, tags and pictures independent.
LABELS, TAGS, PICTURES = 1, 2, 3


@register_dataset("demo", source="made by the project itself")
class Demo:
    """Small rendered scenes with several objects each, and tags as users give them.

    Everything is made from the seed, in any size, without a download.  A twelfth of the items, at
    most 2,000, are queries; the others are both database and training set.  Pictures are rendered
    on demand.

    Parameters
    ----------
    n : int
        Number of items, from 24 to 10 million.
    seed : int
        Seed of scenes, tags and split; at least 0.
    split_seed : int, optional
        Seed of the split alone, for another split of the same items.
    """

    def __init__(self, n: int = 6000, seed: int = 0, split_seed: int | None = None) -> None:
        self.n = n
        self.seed = seed
        self.split_seed = split_seed

    def load(self, root: Path, cache: Path) -> Dataset:
        """Draw labels, tags and split; the split is stored below `cache`, `root` is not used."""
        split_seed = self.seed if self.split_seed is None else self.split_seed
        if not 24 <= self.n <= MOST or self.seed < 0:
            raise InputError(
                f"data set demo needs n >= 24 and seed >= 0, and at most {MOST:,} items, not "
                f"n={self.n}, seed={self.seed}"
            )
        which, labels = draw_scenes(self.n, np.random.default_rng((self.seed, LABELS)))
        tags = draw_tags(labels, CONCEPTS, np.random.default_rng((self.seed, TAGS)))
        fingerprint = self._fingerprint()
        name = reader_name(self)
        split, notes = stored_split(
            cache,
            name,
            f"{fingerprint} {split_seed}",
            lambda: draw_split(np.arange(self.n), min(2000, self.n // 12), None, split_seed),
        )
        return Dataset(
            name=name,
            labels=labels,
            label_names=CONCEPTS,
            tags=tags,
            split=split,
            fingerprint=fingerprint,
            images=SceneImages(which, labels, self.seed),
            default_features="gist",
            notes=notes,
        )

    def _fingerprint(self) -> str:
        """Digest of the parameters and of the code that turns them into data."""
        code = code_digest("benchmark.datasets.demo"), code_digest("benchmark.datasets.tagging")
        scenes_code = package_digest("benchmark.datasets.scenes")
        spec = f"{self.n} {self.seed} {' '.join(code)} {scenes_code}"
        return hashlib.sha256(spec.encode()).hexdigest()


class SceneImages:
    """Pictures of the demo's scenes, rendered one by one on demand.

    Parameters
    ----------
    which : (n,) array of int
        Row of :data:`SCENE_KINDS` of each item.
    labels : (n, c) array of bool
        Concepts of each item.
    seed : int
    """

    def __init__(self, which: np.ndarray, labels: np.ndarray, seed: int) -> None:
        self.which = which
        self.labels = labels
        self.seed = seed

    def __len__(self) -> int:
        return len(self.which)

    def name(self, i: int) -> str:
        return f"scene {i}"

    def load(self, i: int) -> Image.Image:
        contents = {CONCEPTS[k] for k in np.flatnonzero(self.labels[i])}
        rng = np.random.default_rng((self.seed, PICTURES, i))
        return scenes.render(contents, SCENE_KINDS[self.which[i]].subject, rng)


def draw_scenes(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and contents of n scenes.

    Returns
    -------
    which : (n,) array of int
        Row of :data:`SCENE_KINDS`.
    labels : (n, c) array of bool
        Which of :data:`CONCEPTS` are in the scene; at least one.
    """
    weights = np.array([kind.weight for kind in SCENE_KINDS], dtype=float)
    chances = np.zeros((len(SCENE_KINDS), len(CONCEPTS)))
    for row, kind in zip(chances, SCENE_KINDS, strict=True):
        for concept, chance in {**kind.others, kind.subject: 1}.items():
            row[CONCEPTS.index(concept)] = chance
    draws = rng.random((n, 1 + len(CONCEPTS)))
    steps = np.cumsum(weights)[:-1] / weights.sum()
    which = np.searchsorted(steps, draws[:, 0], side="right")
    labels = draws[:, 1:] < chances[which]
    for narrow, wide in IMPLIED.items():
        labels[:, CONCEPTS.index(wide)] |= labels[:, CONCEPTS.index(narrow)]
    return which, labels
