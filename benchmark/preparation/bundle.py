"""The data of a run as plain arrays on disk, which all processes map into their memory.

The maps are read-only and cannot be unlocked, so that no method changes what the next one sees;
features that need no change are mapped where they lie.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from filelock import FileLock
from sklearn.utils import gen_batches

from benchmark.digests import checksum, value_digest
from benchmark.files import written_folder
from benchmark.log import to_stderr
from features.pixels import ImageArray, squares
from features.rotations import ANGLES, RotatedCopies, drawn_rows
from features.tags import TagAccount, TagMatrix, account_tags

if TYPE_CHECKING:
    from benchmark.preparation.contents import Contents


#: Rows of features that are copied at a time (of 4,096 numbers: 16 MB).
BLOCK_ROWS = 1000

#: The file that says what the others are, and the arrays of a sparse matrix.
ABOUT, TAG_ARRAYS = "about.json", ("data", "indices", "indptr")

#: Raise it when the files of a bundle change although its contents stay the same.
LAYOUT = 2


class Parts(NamedTuple):
    """One thing of the three parts of the split: features, images or labels."""

    train: np.ndarray | ImageArray
    database: np.ndarray | ImageArray
    query: np.ndarray | ImageArray


@dataclass(frozen=True)
class Bundle:
    """Features, labels, tags and split of a data set.

    Attributes
    ----------
    features : Parts
        Arrays of float, (., d), maps that cannot be written, as all arrays here.
    labels : Parts
        Arrays of bool, (., c).
    train_tags : (n, V) TagMatrix of bool
        Image-tag matrix of the training items over their own vocabulary, with its words, and
        with word vectors if the user gave any.
    images : Parts or None
        For methods that are trained end to end.
    copies : RotatedCopies or None
        Features of rotated images of some training items.
    """

    features: Parts
    labels: Parts
    train_tags: TagMatrix
    images: Parts | None = None
    copies: RotatedCopies | None = None


def write_bundle(contents: Contents, folder: Path) -> tuple[Path, TagAccount]:
    """Write what workers need below `folder`; nothing is written if it is there already.

    Another run that wants the same bundle waits.

    Returns
    -------
    Path
        The bundle, for :func:`open_bundle`.
    TagAccount
        What there is to learn from the tags.
    """
    about = contents.identity()
    target = folder / f"bundle-{value_digest([about, LAYOUT])}"
    account = _sound_account(target)
    if account is not None:
        # Without the lock, so that a cache on a disk that cannot be written is of use.
        return target, account
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{target.name}.lock"):
        account = _sound_account(target)
        if account is None:
            if target.exists():
                to_stderr(f"the cached data {target} were altered; they are written again")
            account = _write(contents, about, target)
    return target, account


def _write(contents: Contents, about: dict[str, Any], target: Path) -> TagAccount:
    dataset, split = contents.dataset, contents.split
    tags = contents.tags.matrix([dataset.tags[i] for i in split.train])
    account = account_tags(tags, tags.vectors)
    with written_folder(target) as place:
        for part in Parts._fields:
            items = getattr(split, part)
            np.save(place / f"{part}_items.npy", items)
            np.save(place / f"{part}_labels.npy", dataset.labels[items])
        about["rows"] = _save_features(contents, place)
        _save_tags(tags, place)
        about["tag_account"] = asdict(account)
        about["checksums"] = {path.name: checksum(path) for path in sorted(place.iterdir())}
        (place / ABOUT).write_text(_sealed_text(about), encoding="utf-8")
    return account


def _sound_account(folder: Path) -> TagAccount | None:
    """What a bundle says of its tags; None unless all its files are as they were written."""
    try:
        text = (folder / ABOUT).read_text(encoding="utf-8")
        about = json.loads(text)
        about.pop("seal")
        sound = text == _sealed_text(about) and all(
            checksum(folder / name) == known for name, known in about["checksums"].items()
        )
        return TagAccount(**about["tag_account"]) if sound else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _sealed_text(about: dict[str, Any]) -> str:
    return json.dumps({**about, "seal": value_digest(about, 64)})


def open_bundle(folder: Path) -> Bundle:
    """Map what :func:`write_bundle` wrote; every caller has array objects of its own.

    The elements are shared by all processes of this machine.
    """
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    items = _open_parts(folder, "items")
    source = _map(Path(about["features"]))
    return Bundle(
        features=Parts(
            *(_open_features(folder, source, part, about["rows"][part]) for part in Parts._fields)
        ),
        labels=_open_parts(folder, "labels"),
        train_tags=_open_tags(folder),
        images=_open_images(about["images"], items),
        copies=about["copies"] and _open_copies(about, folder, len(items.train)),
    )


def _map(path: Path) -> np.ndarray:
    """A ``.npy`` file in memory that cannot be written, whoever tries."""
    about = path.stat()
    # The map stays, so that what is known of it does; the array around it is new.
    return np.asarray(_mapped(path, (about.st_ino, about.st_mtime_ns, about.st_size)))


@lru_cache(maxsize=32)
def _mapped(path: Path, version: tuple[int, ...]) -> np.memmap:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _open_parts(folder: Path, what: str) -> Parts:
    return Parts(*(_map(folder / f"{part}_{what}.npy") for part in Parts._fields))


def _save_features(contents: Contents, place: Path) -> dict[str, Any]:
    """Copy the features that cannot be mapped where they lie, and say where each part is.

    Returns
    -------
    dict
        Part to its first and last row (exclusive) in the features' own file, or to the name of
        the part whose copy holds it.
    """
    found: dict[str, Any] = {}
    source, l2 = _map(contents.features.path), contents.features.l2
    rows = {part: contents.features.rows[getattr(contents.split, part)] for part in Parts._fields}
    for part, wanted in rows.items():
        first = int(wanted[0]) if len(wanted) else 0
        if not l2 and np.array_equal(wanted, np.arange(first, first + len(wanted))):
            found[part] = [first, first + len(wanted)]
            continue
        same = (p for p, place_ in found.items() if p == place_ and np.array_equal(rows[p], wanted))
        found[part] = next(same, part)
        if found[part] == part:
            _copy_rows(source, wanted, l2, place / f"{part}_features.npy")
    if contents.copies and l2:
        copies = contents.copies.open()
        _copy_rows(copies, np.arange(len(copies)), l2, place / "copies_features.npy")
    return found


def _open_features(folder: Path, source: np.ndarray, part: str, where: Any) -> np.ndarray:
    if isinstance(where, str):
        return _map(folder / f"{where}_features.npy")
    first, end = where
    return source[first:end]


def _copy_rows(source: np.ndarray, rows: np.ndarray, l2: bool, path: Path) -> None:
    """Write some rows as a ``.npy`` file, block by block."""
    with open(path, "wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(source.dtype),
            "fortran_order": False,
            "shape": (len(rows), *source.shape[1:]),
        }
        np.lib.format.write_array_header_1_0(file, header)
        for block in _blocks(source, rows, l2):
            file.write(block.tobytes())


def _blocks(source: np.ndarray, rows: np.ndarray, l2: bool) -> Iterator[np.ndarray]:
    for batch in gen_batches(len(rows), BLOCK_ROWS):
        X = source[rows[batch]]
        if l2:
            norms = np.linalg.norm(X, axis=1, keepdims=True)
            X = X / np.where(norms > 0, norms, 1)
        yield X.astype(source.dtype, copy=False)


def _open_copies(about: dict, folder: Path, n_train: int) -> RotatedCopies:
    path = folder / "copies_features.npy" if about["l2"] else Path(about["copies"])
    rows = drawn_rows(n_train)
    features = _map(path).reshape(len(rows), len(ANGLES), -1)
    return RotatedCopies(rows, np.array(ANGLES), features)


def _open_images(about: dict | None, items: Parts) -> Parts | None:
    if about is None:
        return None
    pixels = squares(_map(Path(about["pixels"])))
    weights = about["weights"] and Path(about["weights"])
    return Parts(*(ImageArray(pixels, rows, about["backbone"], weights) for rows in items))


def _save_tags(tags: TagMatrix, folder: Path) -> None:
    for name in TAG_ARRAYS:
        np.save(folder / f"tags_{name}.npy", getattr(tags, name))
    (folder / "train_words.json").write_text(json.dumps(tags.words), encoding="utf-8")
    if tags.vectors is not None:
        np.save(folder / "train_vectors.npy", tags.vectors)


def _open_tags(folder: Path) -> TagMatrix:
    words = json.loads((folder / "train_words.json").read_text(encoding="utf-8"))
    path = folder / "train_vectors.npy"
    vectors = _map(path) if path.exists() else None
    data, indices, indptr = (_map(folder / f"tags_{name}.npy") for name in TAG_ARRAYS)
    shape = (len(indptr) - 1, len(words))
    return TagMatrix((data, indices, indptr), shape=shape, words=words, vectors=vectors)
