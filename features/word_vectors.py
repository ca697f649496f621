"""Word vectors from files in word2vec, GloVe and fastText format."""

from __future__ import annotations

import gzip
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple

import numpy as np

from features.errors import FeatureError, one_line

_GZIP, _FASTTEXT, _ZIP = b"\x1f\x8b", (793712314).to_bytes(4, "little"), b"PK\x03\x04"
_HEADER = re.compile(rb"([0-9]{1,12})[ \t]+([0-9]{1,6})[ \t]*\r?\n")

#: Bytes from which the format is recognised, and bytes of a block; the limit of one entry.
_HEAD = 1 << 20

#: Lines of the beginning that are compared with the length that the first line states.
_COMPARED = 20


class _Layout(NamedTuple):
    """Start, number (None: up to the end), length and encoding of the vectors in a file."""

    start: int
    count: int | None
    size: int
    binary: bool


def load_word_vectors(path: str | Path, words: Sequence[str]) -> np.ndarray:
    """Vectors of words from a file, whose format is recognised from its content.

    Formats are word2vec binary and text, GloVe text (no header), fastText ``.vec`` text and
    Facebook's ``.bin`` models, each also compressed by gzip.  All but the last are read without
    keeping other words in memory, and their words may contain blanks.  A word is looked up as
    written, in lower case and capitalised, each also with underscores for blanks and hyphens.

    Parameters
    ----------
    path : Path
    words : sequence of V str

    Returns
    -------
    (V, e) array of float32
        A word without a vector has a row of zeros.  A fastText model builds a vector of nearly
        every word from its parts.

    Raises
    ------
    FeatureError
        If the file is missing, damaged or of another kind.
    """
    path = Path(path)
    try:
        with _opened(path) as file:
            fasttext = file.peek(4)[:4] == _FASTTEXT
            compressed = isinstance(file, gzip.GzipFile)
            vectors = None if fasttext else _from_list(file, words)
        if fasttext:
            vectors = _from_fasttext(path, compressed, words)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FeatureError(
            f"word vectors {path}: the gzip file is damaged; download it again"
        ) from error
    except OSError as error:
        raise FeatureError(f"word vectors {path}: {error.strerror or one_line(error)}") from error
    except FeatureError as error:
        raise FeatureError(f"word vectors {path}: {error}") from error
    if not np.isfinite(vectors).all():
        bad = words[int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])]
        raise FeatureError(f"word vectors {path}: the vector of {bad!r} is not finite")
    return vectors


def spellings(word: str) -> list[str]:
    """The forms under which a word is looked up, in order of preference."""
    forms = [word, word.lower(), word.capitalize()]
    parts = re.split("[ -]", word)
    if len(parts) > 1:
        forms += ["_".join(parts), "_".join(parts).lower()]
        forms.append("_".join(part.capitalize() for part in parts))
    return list(dict.fromkeys(forms))


def _opened(path: Path) -> BinaryIO:
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if compressed else open(path, "rb")


def _from_list(file: BinaryIO, words: Sequence[str]) -> np.ndarray:
    """Vectors from a text or binary file that lists words with their vectors."""
    layout = _recognise(file.read(_HEAD))
    file.seek(layout.start)
    forms = [[form.encode() for form in spellings(word)] for word in words]
    entries = _binary_entries if layout.binary else _text_entries
    found = _wanted(entries(file, layout), {form for each in forms for form in each}, layout)
    vectors = np.zeros((len(words), layout.size), dtype=np.float32)
    for row, each in zip(vectors, forms, strict=True):
        known = next((found[form] for form in each if form in found), None)
        if known is not None:
            row[:] = known
    return vectors


def _recognise(head: bytes) -> _Layout:
    """Recognise the format from the beginning of the file."""
    if head.startswith(_ZIP):
        raise FeatureError("the file is a zip archive; unpack it and give the file in it")
    if header := _HEADER.match(head):
        count, size = map(int, header.groups())
        lines = head[header.end() :].split(b"\n", _COMPARED)
        fields = lines[0].split()
        if size > 0:
            text = len(fields) > size and _are_numbers(fields[-size:])
            if text:
                _check_length(size, lines[:-1])
            return _Layout(header.end(), count, size, binary=not text)
    first, _, rest = head.partition(b"\n")
    if not rest and len(head) == _HEAD:
        raise FeatureError("the first line is longer than 1 MB; give each word a line of its own")
    numbers = first.split()[1:]
    if len(numbers) > 1 and _are_numbers(numbers):
        return _Layout(0, None, len(numbers), binary=False)
    raise FeatureError("the format is unknown; give a file in word2vec, GloVe or fastText format")


def _check_length(size: int, lines: list[bytes]) -> None:
    """Raise FeatureError if every line has more numbers than the header says.

    A single line may: its word may hold blanks and digits.
    """
    lengths = [len(line.split()) - 1 for line in lines if line.strip()]
    longer = all(_are_numbers(line.split()[1:]) for line in lines)
    if lengths and longer and min(lengths) > size:
        raise FeatureError(
            f"the first line says vectors of {size} numbers, but the next ones hold "
            f"{min(lengths)}; correct the first line"
        )


def _are_numbers(fields: list[bytes]) -> bool:
    try:
        return all(map(float, fields)) or True
    except ValueError:
        return False


def _wanted(
    entries: Iterator[tuple[bytes, bytes]], wanted: set[bytes], layout: _Layout
) -> Mapping[bytes, np.ndarray]:
    """The vectors of the wanted words; the first one if a word occurs twice."""
    found: dict[bytes, np.ndarray] = {}
    for word, content in entries:
        if word in wanted and word not in found:
            if layout.binary:
                found[word] = np.frombuffer(content, dtype="<f4")
            elif _are_numbers(content.split()):
                found[word] = np.array(content.split(), dtype=np.float32)
            else:
                raise FeatureError(
                    f"the vector of {word.decode()!r} has entries that are not numbers"
                )
    return found


def _binary_entries(file: BinaryIO, layout: _Layout) -> Iterator[tuple[bytes, bytes]]:
    """Words with the bytes of their vectors; a blank ends a word, a line feed may precede it."""
    width = 4 * layout.size
    block, start = b"", 0
    for number in range(layout.count):
        blank = block.find(b" ", start)
        while blank < 0 or len(block) <= blank + width:
            more = file.read(_HEAD)
            if not more:
                raise FeatureError(_truncated(number, layout))
            if blank < 0 and len(block) - start > _HEAD:
                raise FeatureError("the file is damaged, or its format is unknown")
            block, start = block[start:] + more, 0
            blank = block.find(b" ")
        yield block[start:blank].lstrip(b"\n"), block[blank + 1 : blank + 1 + width]
        start = blank + 1 + width
    if block[start:].strip() or file.read(_HEAD).strip():
        raise FeatureError(_too_long(layout))


def _text_entries(file: BinaryIO, layout: _Layout) -> Iterator[tuple[bytes, bytes]]:
    """Words with the text of their vectors, one per line; a word may contain blanks."""
    number = 0
    while line := file.readline(_HEAD):
        entry = line.rstrip()
        if not entry:
            continue
        if number == layout.count:
            raise FeatureError(_too_long(layout))
        if len(line) == _HEAD:
            raise FeatureError(f"the line of vector {number + 1} is longer than 1 MB")
        word, *numbers = entry.rsplit(b" ", layout.size)
        if len(numbers) < layout.size:
            raise FeatureError(
                f"vector {number + 1} has fewer than {layout.size} numbers; download the file again"
            )
        yield word, b" ".join(numbers)
        number += 1
    if layout.count is not None and number < layout.count:
        raise FeatureError(_truncated(number, layout))


def _truncated(number: int, layout: _Layout) -> str:
    return f"the file ends after {number:,} of {layout.count:,} vectors; download it again"


def _too_long(layout: _Layout) -> str:
    return (
        f"the file holds more than the {layout.count:,} vectors of {layout.size} numbers that its "
        "first line says; correct that line, or download the file again"
    )


def _from_fasttext(path: Path, compressed: bool, words: Sequence[str]) -> np.ndarray:
    """Vectors from Facebook's binary model, of whole words or else from their parts."""
    from gensim.models.fasttext import load_facebook_vectors

    try:
        with TemporaryDirectory() as folder:
            # gensim decides by the file's suffix, and misreads compressed models.
            plain = Path(folder) / "model.bin"
            if compressed:
                with _opened(path) as source, open(plain, "wb") as target:
                    shutil.copyfileobj(source, target)
            else:
                plain.symlink_to(path.resolve())
            model = load_facebook_vectors(str(plain))
    except Exception as error:
        # It raises nearly anything for damaged models: struct.error, AssertionError, ValueError.
        raise FeatureError(
            f"the file is not a usable fastText model ({one_line(error)})"
        ) from error
    vectors = np.zeros((len(words), model.vector_size), dtype=np.float32)
    for row, word in zip(vectors, words, strict=True):
        known = [form for form in spellings(word) if form in model.key_to_index]
        try:
            row[:] = model.get_vector(known[0] if known else word)
        except KeyError:
            # A model without subwords has no vector for it.
            continue
    return vectors
