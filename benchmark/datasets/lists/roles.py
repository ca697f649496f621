"""Which part of a data set a list file is, told from the words of its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.datasets.lists.content import SUFFIXES, Content, ListFile, look_at
from benchmark.errors import InputError

PARTS = {
    "train": "train",
    "training": "train",
    "test": "query",
    "query": "query",
    "database": "database",
    "db": "database",
    "retrieval": "database",
}
#: Words that say what a file holds, or nothing.
NUMBERS = ("ind", "index", "idx")
TAGS = ("tag", "tags")
OTHERS = (
    *("img", "image", "images", "name", "names", "list", "label", "labels", "hot", "onehot"),
    *("target", "targets", "allannots", "hash", "split", "for"),
)
#: What ``lists=`` calls files whose names have no further word.
PLAIN = "plain"


@dataclass
class Group:
    """Files that belong together.

    Attributes
    ----------
    files : dict of (str, str) to ListFile
        By part (``train``, ``database``, ``query`` or ``all``) and what they hold (``labelled``,
        ``paths``, ``labels``, ``numbers``, ``tags``).
    """

    files: dict[tuple[str, str], ListFile] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether there are images and labels of all parts, or of everything."""
        return any(
            all(self._has(part) for part in parts) for parts in (("database", "query"), ("all",))
        )

    def names(self) -> str:
        """The files, for messages."""
        return ", ".join(sorted(file.path.name for file in self.files.values()))

    def _has(self, part: str) -> bool:
        pair = {(part, "paths"), (part, "labels")}
        return (part, "labelled") in self.files or pair <= self.files.keys()


@dataclass(frozen=True)
class Lists:
    """The list files of a folder.

    Attributes
    ----------
    groups : dict of str to Group
        Complete groups by the words of the file names that all their files share.
    splits : tuple of Path
        JSON files with a split.
    """

    groups: dict[str, Group]
    splits: tuple[Path, ...] = ()


def find_lists(folder: Path) -> Lists:
    """The list files of a folder, told apart by content and grouped by name."""
    groups: dict[str, Group] = {}
    splits = []
    if not folder.is_dir():
        return Lists({})
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        file = look_at(path)
        if file is None:
            continue
        if file.content is Content.SPLIT:
            splits.append(path)
            continue
        part, role, words = _place(file)
        if role is None:
            continue
        known = groups.setdefault("-".join(words) or PLAIN, Group()).files
        other = known.get((part, role))
        # Of two files of labels the one of zeros and ones also shows classes without an image.
        if other is None or other.content is Content.CLASSES:
            known[part, role] = file
    return Lists({name: g for name, g in groups.items() if g.is_complete}, tuple(splits))


def chosen_group(folder: Path, lists: Lists, wanted: str | None) -> tuple[str, Group]:
    """The only group, or the one that was asked for.

    Raises
    ------
    InputError
        If there are several to choose from, or not the one that was asked for.
    """
    groups = lists.groups
    if wanted is None and len(groups) == 1:
        return next(iter(groups.items()))
    shown = " and ".join(f"{name} ({group.names()})" for name, group in groups.items())
    if wanted is None:
        choices = " or ".join(f"'{folder}[lists={name}]'" for name in groups)
        raise InputError(f"{folder} has {len(groups)} sets of lists: {shown}; write {choices}")
    if str(wanted) not in groups:
        raise InputError(f"{folder}: there are no lists {wanted}, but {shown}")
    return str(wanted), groups[str(wanted)]


def chosen_split(splits: Sequence[Path]) -> Path | None:
    """The JSON file with the split, if there is one.

    Raises
    ------
    InputError
        If there are several.
    """
    if len(splits) > 1:
        names = " and ".join(path.name for path in splits)
        raise InputError(f"{splits[0].parent} has several splits: {names}; keep one of them there")
    return splits[0] if splits else None


def _place(file: ListFile) -> tuple[str, str | None, list[str]]:
    """Part, what the file holds, and the other words of its name."""
    words = re.findall(r"[a-z]+|\d+", file.path.stem.lower())
    whole = [word for word in re.split(r"[^a-z0-9]+", file.path.stem.lower()) if word]
    part = next((PARTS[word] for word in whole if word in PARTS), "all")
    role: str | None = {
        Content.LABELLED: "labelled",
        Content.PATHS: "paths",
        Content.ONE_HOT: "labels",
        Content.CLASSES: "labels",
    }[file.content]
    if role == "labels" and any(word in TAGS for word in words):
        role = "tags"
    elif file.content is Content.CLASSES:
        if any(word in NUMBERS for word in whole):
            role = "numbers"
        elif not any(word.startswith(("label", "target")) for word in words):
            # Any file of numbers could be meant.
            role = None
    ignored = {*PARTS, *NUMBERS, *TAGS, *OTHERS}
    rest = [re.sub(r"^allannots", "", word) for word in whole if word not in ignored]
    return part, role, [word for word in rest if word]
