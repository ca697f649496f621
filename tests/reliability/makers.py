"""What the cases of the corpus write: small data sets, and the contents of single files.

A content is a text, which is written as it is, or a table with one of the makers below::

    files."notes.txt" = "one line\\n"
    files."pets/a.png" = { png = [8, 6] }
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CONCEPTS = (
    *("animal", "beach", "buildings", "clouds", "flowers", "grass", "lake", "mountain"),
    *("ocean", "person", "plants", "reflection", "road", "rocks", "sky", "snow", "sunset"),
    *("tree", "vehicle", "water", "window"),
)
N_TRAIN, N_QUERY, N_FEATURES = 24, 6, 6


def write(path: Path, content: Any) -> None:
    """Write one file, link or folder of a case."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="")
        return
    ((kind, value),) = content.items()
    if kind in PLACES:
        PLACES[kind](path, value)
    else:
        path.write_bytes(CONTENTS[kind](value))


def change(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, once; the text must be there."""
    text = path.read_bytes().decode()
    assert old in text, f"{path.name} holds no {old!r}"
    path.write_bytes(text.replace(old, new, 1).encode())


def _noise(n: int) -> bytes:
    return np.random.default_rng(0).bytes(n)


def _array(value: dict) -> bytes:
    """``{ shape = [30, 6], dtype = "float32", fill = "nan", at = [3, 0] }`` as a .npy file."""
    array = np.ones(value["shape"], dtype=value.get("dtype", "float32"))
    if "fill" in value:
        array[tuple(value.get("at", ()))] = float(value["fill"])
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npy(header: str) -> bytes:
    """A .npy file of version 1 with any text as its header, and 64 bytes of data."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(64)


def _npz(n: int) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{f"part{i}": np.ones((30, 2), np.float32) for i in range(n)})
    return stream.getvalue()


def _png(size: list[int]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", tuple(size), (90, 120, 60)).save(stream, "png")
    return stream.getvalue()


def _huge_png(size: list[int]) -> bytes:
    """A black PNG of many pixels and few bytes."""
    width, height = size
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + width)) for _ in range(height)) + packer.flush()
    return _png_header(width, height) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _png_header(width: int, height: int) -> bytes:
    """The beginning of a grey PNG of that size."""
    return b"\x89PNG\r\n\x1a\n" + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _torch(what: str) -> bytes:
    """What somebody may have saved with ``torch.save``."""
    import torch

    saved = {
        "numbers as keys": {1: torch.zeros(2), 2: torch.zeros(2)},
        "tuples as keys": {("a", "b"): torch.zeros(2)},
        "list": [torch.zeros(2)],
        "tensor": torch.zeros(2),
        "text": "weights",
        "numbers as values": {"features.0.weight": 1.0},
        "empty": {},
        "checkpoint": {"state_dict": {"features.0.weight": torch.zeros(2)}, "epoch": 3},
        "other shapes": {"features.0.weight": torch.zeros(2)},
        "other names": {f"layer{i}.weight": torch.zeros(2) for i in range(3)},
        "escape codes": {"\x1b[31mred\nline": torch.zeros(2)},
        "class": torch.nn.Linear(2, 2),
    }[what]
    stream = io.BytesIO()
    torch.save(saved, stream)
    return stream.getvalue()


def _words(value: dict) -> bytes:
    """A word2vec file in binary, ``{ header = "2 3", words = ["sky"], size = 3 }``."""
    vector = np.ones(value["size"], "<f4").tobytes()
    entries = [word.encode() + b" " + vector + b"\n" for word in value["words"]]
    return value["header"].encode() + b"\n" + b"".join(entries)


#: Makers of the bytes of a file.
CONTENTS: dict[str, Callable[[Any], bytes]] = {
    "hex": bytes.fromhex,
    "latin1": lambda text: text.encode("latin-1"),
    "utf16": lambda text: text.encode("utf-16"),
    "noise": lambda n: _noise(n),
    "repeat": lambda pair: (pair[0] * pair[1]).encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip_cut": lambda text: gzip.compress(text.encode() * 999)[:-20],
    "zip_noise": lambda n: b"PK\x03\x04" + _noise(n),
    "array": _array,
    "npy": _npy,
    "nested_npy": lambda n: _npy("(" * n),
    "npz": lambda n: _npz(n),
    "png": _png,
    "png_cut": lambda size: _png(size)[:40],
    "huge_png": _huge_png,
    "torch": _torch,
    "png_header": lambda size: _png_header(*size),
    "word2vec": _words,
    "glove_long": lambda n: b"sky 1 2 3\nsea " + b"1.25 " * n + b"\n",
    "fasttext_noise": lambda n: (793712314).to_bytes(4, "little") + _noise(n),
}


#: Makers of what is no plain file.
PLACES: dict[str, Callable[[Path, Any], None]] = {
    "folder": lambda path, _: path.mkdir(),
    "link": lambda path, target: path.symlink_to(target),
    "fifo": lambda path, _: os.mkfifo(path),
    "nothing": lambda path, _: None,
    "annotations": lambda path, numbers: _annotations(path, numbers),
}


def blobs(home: Path) -> None:
    """A folder data set with given features, tags and two classes."""
    rng = np.random.default_rng(0)
    n = N_TRAIN + N_QUERY
    classes = np.arange(n) % 2
    X = 4.0 * classes[:, None] + rng.normal(size=(n, N_FEATURES))
    (home / "features").mkdir(parents=True)
    np.save(home / "features" / "blobs.npy", X.astype(np.float32))
    parts = ["train+database"] * N_TRAIN + ["query"] * N_QUERY
    rows = [f",sky tag{c},class{c},{part}" for c, part in zip(classes, parts, strict=True)]
    (home / "manifest.csv").write_text("\n".join(["image,tags,labels,split", *rows]) + "\n")


def photos(home: Path) -> None:
    """A folder data set with six small pictures."""
    home.mkdir()
    rows = ["image,tags,labels,split"]
    for i in range(6):
        (home / f"p{i}.png").write_bytes(_png([20 + i, 18]))
        rows.append(f"p{i}.png,sky,class{i % 2},{'query' if i > 3 else 'train+database'}")
    (home / "manifest.csv").write_text("\n".join(rows) + "\n")


def nuswide(home: Path) -> None:
    """Twelve photos of NUS-WIDE in the official formats, with features in place of images."""
    n = 12
    for part in ("ImageList", "NUS_WID_Tags", "ConceptsList", "Groundtruth/AllLabels", "features"):
        (home / part).mkdir(parents=True)
    names = [f"actor\\{i:04d}_{100 + i}.jpg" for i in range(n)]
    (home / "ImageList" / "Imagelist.txt").write_text("".join(f"{name} \r\n" for name in names))
    tags = "".join(f"{100 + i}      sky blue \n" for i in range(n))
    (home / "NUS_WID_Tags" / "All_Tags.txt").write_text(tags)
    more = [f"concept{i}" for i in range(81 - len(CONCEPTS))]
    (home / "ConceptsList" / "Concepts81.txt").write_text("\n".join([*CONCEPTS, *more]))
    for k, concept in enumerate([*CONCEPTS, *more]):
        column = "".join(f"{int(i % 3 == k % 3)} \r\n" for i in range(n))
        (home / "Groundtruth" / "AllLabels" / f"Labels_{concept}.txt").write_text(column)
    np.save(home / "features" / "given.npy", np.ones((n, 3), np.float32))


def mirflickr25k(home: Path) -> None:
    """Ten photos of MIRFLICKR-25K in the official formats, with features in place of images."""
    tags = home / "mirflickr" / "meta" / "tags"
    for folder in (tags, home / "features"):
        folder.mkdir(parents=True)
    _annotations(home / "mirflickr25k_annotations_v080", "1\r\n2\r\n3\r\n4\r\n5\r\n")
    for i in range(1, 11):
        (tags / f"tags{i}.txt").write_text("sky\nblue\n")
    np.save(home / "features" / "given.npy", np.ones((10, 3), np.float32))


def mirflickr1m(home: Path) -> None:
    """Ten photos of MIRFLICKR-1M in the official formats, with features in place of images."""
    for folder in (home / "tags" / "0", home / "features"):
        folder.mkdir(parents=True)
    _annotations(home / "mirflickr25k_annotations_v080", "1\r\n2\r\n3\r\n4\r\n5\r\n")
    for i in range(10):
        (home / "tags" / "0" / f"{i}.txt").write_text("sky\nblue\n")
    np.save(home / "features" / "given.npy", np.ones((10, 3), np.float32))


def _annotations(folder: Path, numbers: str) -> None:
    """38 lists of image numbers, all alike."""
    folder.mkdir()
    for topic in ("sky", "tree", *(f"topic{i}" for i in range(36))):
        (folder / f"{topic}.txt").write_text(numbers)


#: Data sets that a case may have, by the name of their folder.
TREES: dict[str, Callable[[Path], None]] = {
    "blobs": blobs,
    "photos": photos,
    "data/nuswide": nuswide,
    "data/mirflickr25k": mirflickr25k,
    "data/mirflickr1m": mirflickr1m,
}
