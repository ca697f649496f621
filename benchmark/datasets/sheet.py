"""The data sheet of a data set, and its text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.base import Dataset
from benchmark.log import escaped

#: Width of the text and of its left margin, in characters.
WIDTH, INDENT = 100, 13

#: A database is sorted by class if neighbours share a label this many times as often as chance.
MIN_SORTED_RATIO = 1.5


@dataclass(frozen=True)
class TagStatistics:
    """Statistics of the tags of a data set.

    Attributes
    ----------
    vocabulary : int
        Distinct tags.
    mean : float
    most : int
        Mean and largest number of tags of an item.
    untagged : int
        Items without a tag.
    once : int
        Tags that occur once.
    frequent : list of (str, int)
        The most frequent tags with their counts.
    """

    vocabulary: int
    mean: float
    most: int
    untagged: int
    once: int
    frequent: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class ImageFindings:
    """Result of decoding every image.

    Attributes
    ----------
    unreadable : list of (str, str)
        Name of each unreadable image, and the reason.
    duplicates : list of tuples of int
        Items whose files are identical, or whose pixels are if there are no files.
    leaked : int
        Groups of duplicates that hold both a query and a database item.
    """

    unreadable: Sequence[tuple[str, str]]
    duplicates: Sequence[tuple[int, ...]]
    leaked: int


@dataclass(frozen=True)
class DataSheet:
    """Everything that ``--lint`` prints, with :meth:`lines` as text.

    Attributes
    ----------
    dataset : Dataset
    base_rate : float
        Exact share of query-database pairs that share a label.
    unanswerable : int
        Queries without a relevant database item, also for lack of a label.
    neighbour_rate : float
        Share of neighbouring database items, in database order, that share a label.
    tags : TagStatistics or None
    images : ImageFindings or None
        None where there are no images, or where nobody has looked at them.
    """

    dataset: Dataset
    base_rate: float
    unanswerable: int
    neighbour_rate: float
    tags: TagStatistics | None
    images: ImageFindings | None = None

    @property
    def is_sorted(self) -> bool:
        """Whether the database is sorted by class."""
        return self.neighbour_rate > MIN_SORTED_RATIO * self.base_rate

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The sheet as text, at most 100 columns wide."""
        paragraphs = [
            self._summary(),
            self._labels(),
            self._relevance(),
            self._tag_lines(),
            self._image_lines(),
            self._note_lines(),
        ]
        return [escaped(line) for part in paragraphs for line in _wrapped(part)]

    def _summary(self) -> list[str]:
        data, split = self.dataset, self.dataset.split
        shared = np.isin(split.train, split.database).sum()
        leaked = len(np.intersect1d(split.query, np.union1d(split.train, split.database)))
        drawn = "given with the data" if split.seed is None else f"drawn with seed {split.seed}"
        used = len(np.union1d(np.union1d(split.train, split.database), split.query))
        return [
            f"Data set     {data.name}: {len(data):,} items, fingerprint {data.fingerprint[:16]}",
            f"Split        {len(split.query):,} queries, {len(split.database):,} database, "
            f"{len(split.train):,} training items ({shared:,} of them in the database); {drawn}, "
            f"checksum {split.checksum}",
            f"             Queries that are also database or training items: {leaked or 'none'}; "
            f"items in no part of the split: {len(data) - used or 'none'}",
        ]

    def _labels(self) -> list[str]:
        labels, names = self.dataset.labels, self.dataset.label_names
        counts, per_item = labels.sum(axis=0), labels.sum(axis=1)
        order = np.argsort(-counts, kind="stable")
        listed = _counts((names[k], counts[k]) for k in order[:100] if counts[k])
        more = f", and {len(order) - 100} more" if len(order) > 100 else ""
        empty = [names[k] for k in order if counts[k] == 0]
        lines = [
            f"Labels       {len(names)} labels, {per_item.mean():.2f} per item (at most "
            f"{per_item.max()}); items without a label: {(per_item == 0).sum() or 'none'}",
            f"             {listed}{more}",
        ]
        if empty:
            lines.append(f"             WARNING: no item has {', '.join(empty[:20])}")
        return lines

    def _relevance(self) -> list[str]:
        split = self.dataset.split
        blank = (~self.dataset.labels[split.query].any(axis=1)).sum()
        lines = [
            f"Relevance    base rate {self.base_rate:.4f}: the share of query-database pairs with "
            f"a common label, and about the mAP of a random ranking",
            f"             Queries without a label: {blank or 'none'}; queries without a relevant "
            f"database item: {self.unanswerable or 'none'}",
        ]
        if self.unanswerable:
            lines.append("             WARNING: these queries score 0 and lower every mean")
        rates = f"{self.neighbour_rate:.3f}, against a base rate of {self.base_rate:.3f}"
        if self.is_sorted:
            lines.append(
                f"Order        WARNING: the database is sorted by class: neighbours in it share a "
                f"label at a rate of {rates}. Programs that break ties by index report figures "
                f"that depend on this order; the expectation over ties does not."
            )
        else:
            lines.append(
                f"Order        not sorted by class: neighbours in the database share a label at a "
                f"rate of {rates}"
            )
        return lines

    def _tag_lines(self) -> list[str]:
        tags = self.tags
        if tags is None:
            return ["Tags         none: methods that learn from tags cannot run"]
        return [
            f"Tags         {tags.vocabulary:,} distinct tags, {tags.mean:.2f} per item (at most "
            f"{tags.most}); items without a tag: {tags.untagged or 'none'}; tags that occur once: "
            f"{tags.once:,}",
            f"             Most frequent: {_counts(tags.frequent)}",
        ]

    def _image_lines(self) -> list[str]:
        images = self.images
        if self.dataset.images is not None and images is None:
            return []
        if images is None:
            given = ", ".join(self.dataset.features)
            return [f"Images       none: features are given ({given})"]
        bad, groups = images.unreadable, images.duplicates
        across = f"; groups across queries and database: {images.leaked:,}" if groups else ""
        lines = [
            f"Images       {len(self.dataset):,} decoded; unreadable: {len(bad) or 'none'}; groups "
            f"of images with identical content: {len(groups) or 'none'}{across}",
        ]
        lines += [f"             Unreadable: {name} ({reason})" for name, reason in bad[:10]]
        name = self.dataset.images.name
        lines += [f"             Identical: {', '.join(map(name, g[:5]))}" for g in groups[:10]]
        if images.leaked:
            lines.append(
                "             WARNING: a query whose copy lies in the database finds it at "
                "distance 0"
            )
        return lines

    def _note_lines(self) -> list[str]:
        return [f"Note         {note}" for note in self.dataset.notes]


def _counts(pairs: Iterable[tuple[str, int]]) -> str:
    """Names with their counts, joined by blanks at which no line is broken."""
    return ", ".join(f"{name}\N{NO-BREAK SPACE}{count:,}" for name, count in pairs)


def _wrapped(lines: Sequence[str]) -> Iterator[str]:
    """Lines broken between words; continued lines are indented."""
    for line in lines:
        for part in textwrap.wrap(line, WIDTH, subsequent_indent=" " * INDENT):
            yield part.replace("\N{NO-BREAK SPACE}", " ")
