"""``index.mat``, ``label.mat`` and ``caption.mat``, as CLIP-based cross-modal hashing has them.

They hold the paths of the photos (``index``), labels of 0 and 1 (``category``), and a line of tags
for each photo (``caption``).
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.copies.matlab import opened, texts_of
from benchmark.datasets.copies.place import Place
from benchmark.datasets.lists.items import Listed, to_dataset
from benchmark.errors import InputError

#: Each file and its variable.
FILES = {"index.mat": "index", "label.mat": "category", "caption.mat": "caption"}


def found_captions(path: Path) -> str:
    """The three files; '' unless all are in a folder."""
    return ", ".join(FILES) if all((path / name).is_file() for name in FILES) else ""


def read_captions(place: Place) -> Dataset:
    """Read the three files; a split is drawn.

    Raises
    ------
    InputError
        If a variable is missing, or if their lengths differ.
    """
    with ExitStack() as stack:
        found = {}
        for file, name in FILES.items():
            variables = stack.enter_context(opened(place.path / file))
            if name not in variables:
                raise InputError(
                    f"{place.path / file}: the variable {name} is missing; there are "
                    f"{', '.join(variables) or 'none'}"
                )
            found[name] = variables[name]
        names = [text.replace("\\", "/") for text in texts_of(found["index"])]
        captions = texts_of(found["caption"])
        labels = found["category"].of_items(len(names)).whole() > 0
    if len(captions) != len(names):
        raise InputError(
            f"{place.path}: caption.mat has {len(captions)} lines, but index.mat {len(names)} paths"
        )
    tags = [tuple(dict.fromkeys(caption.split())) for caption in captions]
    notes = [f"read as captions: {', '.join(FILES)}"]
    return to_dataset(Listed(names, labels, tags=tags, notes=notes), place)
