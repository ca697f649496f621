"""The words that the columns of a matrix of tags stand for."""

from __future__ import annotations

from pathlib import Path

#: Files with the words, in the order of the columns.
WORD_LISTS = ("common_tags.txt", "TagList1k.txt")


def column_words(folder: Path, width: int, notes: list[str]) -> list[str]:
    """The words of the columns of tags; made-up ones where no list has that many.

    Parameters
    ----------
    folder : Path
        Where one of :data:`WORD_LISTS` may lie; the first word of a line counts.
    width : int
        Number of columns.
    notes : list of str
        A line on what was found is added.
    """
    for name in WORD_LISTS:
        file = folder / name
        if file.is_file():
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            words = [line.split()[0] for line in lines if line.strip()]
            if len(words) == width:
                notes.append(f"the {width:,} columns of tags are the words of {name}")
                return words
            notes.append(f"{name} has {len(words):,} words, but there are {width:,} columns")
    notes.append(
        f"the words of the {width:,} columns of tags are not known, so word vectors cannot be "
        f"looked up; put {' or '.join(WORD_LISTS)} beside the file"
    )
    return [f"tag{k + 1}" for k in range(width)]
