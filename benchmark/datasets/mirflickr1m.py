"""MIRFLICKR-1M: a million photos of Flickr with user tags, the first 25,000 with annotations."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmark.datasets import register_dataset
from benchmark.datasets.base import Dataset, reader_name
from benchmark.datasets.collection import Collection, choose_items, find_home, require
from benchmark.datasets.mirflickr import ANNOTATIONS, N_IMAGES, read_topics
from benchmark.datasets.reading import files_in, read_text
from benchmark.errors import InputError

TITLE = "MIRFLICKR-1M"
SOURCE = (
    "the official MIRFLICKR page of the LIACS Medialab (images0.zip to images9.zip and tags.zip of "
    "the million, annotations v080 of the 25,000)"
)
#: Images per sub-folder: image i is in folder i // 10,000.
IN_FOLDER = 10_000
#: Images of the million.
N_MILLION = 1_000_000
#: Queries of the published split.
N_QUERY = 2000


@register_dataset("mirflickr1m", source="MIRFLICKR-1M, Huiskes et al., MIR 2010")
class MIRFlickr1M:
    """MIRFLICKR-1M: training on tagged images and 23,000 labelled, 2,000 labelled queries.

    Queries and database are drawn from the first 25,000 images, which are those of MIRFLICKR-25K:
    image i of the million is ``im<i + 1>.jpg`` there.  The training set holds the database and
    every image with one of the most frequent tags (897,500 in the paper), but no query.  Images
    after the first 25,000 have no labels, and label-supervised methods leave them out.

    Tags are stored as word numbers of 2 bytes (4 while they are counted), so that reading the
    million images and drawing the split takes less than 1 GB (measured: 60 MB for 100,000 images).
    Features take another 4 kB per image and 1,000 dimensions.

    Parameters
    ----------
    n_tags : int
        Number of most frequent tags that are kept.
    n_query, n_database : int, optional
        Sizes other than the published ones.
    split_seed : int
        Seed of the split.
    """

    def __init__(
        self,
        n_tags: int = 1000,
        n_query: int = N_QUERY,
        n_database: int | None = None,
        split_seed: int = 0,
    ) -> None:
        self.n_tags = n_tags
        self.n_query = n_query
        self.n_database = n_database
        self.split_seed = split_seed

    def load(self, root: Path, cache: Path) -> Dataset:
        """Read the official files below ``root/mirflickr1m`` (or MIRFLICKR-1M)."""
        if not 1 <= self.n_tags <= 2**15:
            raise InputError(f"data set mirflickr1m: n_tags must be 1 to 32768, not {self.n_tags}")
        home = find_home(root, ("mirflickr1m", "MIRFLICKR-1M", "mirflickr1M"), ("tags", "images"))
        collection = read_mirflickr1m(home, self.n_tags)
        rest = int(collection.usable.sum()) - self.n_query
        return choose_items(
            collection,
            reader_name(self),
            cache,
            n_query=self.n_query,
            n_database=max(rest, 1) if self.n_database is None else self.n_database,
            seed=self.split_seed,
        )


def read_mirflickr1m(home: Path, n_tags: int) -> Collection:
    """The whole collection; row i is image i.

    Parameters
    ----------
    home : Path
        Folder that holds ``images``, ``tags`` and the annotations of MIRFLICKR-25K.
    n_tags : int

    Raises
    ------
    InputError
        If files are missing; all of them are named.
    """
    tag_folder = home / "tags"
    images = home / "images"
    require(TITLE, SOURCE, [home / ANNOTATIONS, tag_folder], images)
    notes: list[str] = []
    names, topics = read_topics(home, 38, notes)
    tags = read_frequent_tags(tag_folder, n_tags)
    n = max(len(tags), *(max(numbers, default=0) for numbers in topics))
    tags = tags.lengthened(n)
    labels = np.zeros((n, len(names)), dtype=bool)
    for column, numbers in zip(labels.T, topics, strict=True):
        column[np.array(numbers, dtype=np.int64) - 1] = True
    labelled = np.arange(n) < N_IMAGES
    notes.append(
        f"{int(tags.counts.astype(bool).sum()):,} of {n:,} images have one of the {n_tags:,} most "
        "frequent tags"
    )
    return Collection(
        title=TITLE,
        source=SOURCE,
        home=home,
        images=images if images.is_dir() else None,
        names=ImageNames(n),
        labels=labels,
        label_names=names,
        tags=tags,
        usable=labelled,
        notes=notes,
        tagged=tags.counts > 0,
    )


class ImageNames(Sequence):
    """``<folder>/<number>.jpg`` of images 0 to n - 1."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> str:
        if not 0 <= i < self.n:
            raise IndexError(i)
        return f"{i // IN_FOLDER}/{i}.jpg"


class FrequentTags(Sequence):
    """Tags of each image, stored as word numbers and turned into words on access.

    Parameters
    ----------
    words : sequence of str
    codes : array of int16
        Word numbers of all images, one after the other.
    ends : (n,) array of int64
        End of each image's part of `codes`.
    """

    def __init__(self, words: Sequence[str], codes: np.ndarray, ends: np.ndarray) -> None:
        self.words = tuple(words)
        self.codes = codes
        self.ends = ends

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: int) -> tuple[str, ...]:
        if not 0 <= i < len(self):
            raise IndexError(i)
        start = self.ends[i - 1] if i else 0
        return tuple(self.words[code] for code in self.codes[start : self.ends[i]].tolist())

    @property
    def counts(self) -> np.ndarray:
        """Number of tags of each image."""
        return np.diff(self.ends, prepend=0)

    def lengthened(self, n: int) -> FrequentTags:
        """The same tags for n images; the added images have none."""
        last = self.ends[-1] if len(self) else 0
        more = np.full(n - len(self), last, dtype=np.int64)
        return FrequentTags(self.words, self.codes, np.concatenate([self.ends, more]))


def read_frequent_tags(folder: Path, n_tags: int) -> FrequentTags:
    """The most frequent tags of all images, ties in alphabetical order.

    Parameters
    ----------
    folder : Path
        Has sub-folders ``0``, ``1``, ... with files ``<number>.txt`` (or ``tags<number>.txt``), one
        tag per line; a missing or empty file means no tags.
    n_tags : int
        Number of tags to keep.
    """
    number_of: dict[str, int] = {}
    codes, ends = array("i"), array("q")
    for image, path in _tag_files(folder):
        ends.extend([len(codes)] * (image - len(ends)))
        words = read_text(path, errors="replace").split()
        codes.extend(number_of.setdefault(word, len(number_of)) for word in dict.fromkeys(words))
        ends.append(len(codes))
    all_codes = np.frombuffer(codes, dtype=np.int32) if codes else np.zeros(0, dtype=np.int32)
    words = list(number_of)
    counts = np.bincount(all_codes, minlength=len(words))
    # Only words that can be among the most frequent are sorted.
    least = np.partition(counts, -n_tags)[-n_tags] if len(words) > n_tags else 0
    ranked = sorted(np.flatnonzero(counts >= least).tolist(), key=lambda c: (-counts[c], words[c]))
    chosen = ranked[:n_tags]
    new_code = np.full(len(words), -1, dtype=np.int16)
    new_code[chosen] = np.arange(len(chosen))
    kept = np.concatenate([[0], np.cumsum(new_code[all_codes] >= 0)])
    new_codes = new_code[all_codes]
    return FrequentTags(
        [words[c] for c in chosen],
        new_codes[new_codes >= 0],
        kept[np.frombuffer(ends, dtype=np.int64)] if ends else np.zeros(0, dtype=np.int64),
    )


def _tag_files(folder: Path) -> Iterator[tuple[int, Path]]:
    """Number and file of each image with a tag file, ascending."""
    pattern = re.compile(r"(?:tags)?(0|[1-9][0-9]*)\.txt")
    places = [place for place in files_in(folder) if re.fullmatch("[0-9]{1,9}", place.name)]
    for place in sorted(filter(Path.is_dir, places), key=lambda place: int(place.name)):
        number = int(place.name)
        matches = ((pattern.fullmatch(path.name), path) for path in files_in(place))
        files = {_image_number(path, match[1]): path for match, path in matches if match}
        for image in sorted(files):
            if image // IN_FOLDER != number:
                raise InputError(
                    f"{files[image]}: image {image} belongs in folder {image // IN_FOLDER}"
                )
            yield image, files[image]


def _image_number(path: Path, digits: str) -> int:
    if len(digits) > 6:
        raise InputError(f"{path}: {TITLE} has images 0 to {N_MILLION - 1:,}; remove the file")
    return int(digits)
