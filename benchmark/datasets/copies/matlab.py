"""Arrays of MATLAB and HDF5 files, with one row for each item whatever the order of the axes.

MATLAB up to 7.2 is read by scipy.  MATLAB 7.3 is HDF5 with the axes in reverse order, and is read
by h5py, as are HDF5 files that Python wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.errors import InputError

SUFFIXES = (".mat", ".h5", ".hdf5")
HDF5_START = b"\x89HDF\r\n\x1a\n"


class Matrix:
    """A variable of a file; values are read when they are asked for.

    Parameters
    ----------
    stored : array
        Of numpy or h5py.
    path : Path
        Its file, for messages.
    name : str
        The variable.
    is_reversed : bool
        Whether its axes are in MATLAB's order, from the last to the first.
    """

    def __init__(self, stored: Any, path: Path, name: str, *, is_reversed: bool) -> None:
        self.stored = stored
        self.path = path
        self.name = name
        self.is_reversed = is_reversed

    @property
    def shape(self) -> tuple[int, ...]:
        """Items first; of images then height, width and colours."""
        shape = self.stored.shape
        return tuple(shape[axis] for axis in self._order())

    def __len__(self) -> int:
        return self.shape[0]

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Some items, of shape ``(stop - start, *shape[1:])``."""
        order = self._order()
        place = [slice(None)] * len(order)
        place[order[0]] = slice(start, stop)
        return np.transpose(np.asarray(self.stored[tuple(place)]), order)

    def whole(self) -> np.ndarray:
        """All items."""
        return self.rows(0, len(self))

    def of_items(self, n: int) -> Matrix:
        """This variable with its axes so that it has `n` items.

        Programs differ in the order of axes that they write.

        Raises
        ------
        InputError
            If neither order gives that number.
        """
        for matrix in (self, self._turned()):
            if len(matrix) == n:
                return matrix
        raise InputError(
            f"{self.path}: {self.name} has the shape {self.shape}, but the labels are of {n} items"
        )

    def has_items(self, n: int) -> bool:
        """Whether it can be read as having `n` items."""
        return n in (len(self), len(self._turned()))

    def _turned(self) -> Matrix:
        return Matrix(self.stored, self.path, self.name, is_reversed=not self.is_reversed)

    def _order(self) -> list[int]:
        """The stored axes in the order items, then the others as MATLAB or Python has them."""
        axes = list(range(len(self.stored.shape)))
        if self.is_reversed:
            axes.reverse()
        if len(axes) == 4:
            return self._order_of_images(axes)
        return axes

    def _order_of_images(self, axes: list[int]) -> list[int]:
        """MATLAB puts items last and colours third, Python items first and colours anywhere."""
        items = axes.pop() if self.is_reversed else axes.pop(0)
        colours = next((axis for axis in reversed(axes) if self.stored.shape[axis] == 3), axes[-1])
        axes.remove(colours)
        return [items, *axes, colours]


@contextmanager
def opened(path: Path) -> Iterator[dict[str, Matrix]]:
    """The variables of a file, by name.

    Raises
    ------
    InputError
        If the file is neither MATLAB nor HDF5 or is damaged, or if h5py is needed and missing.
    """
    with open(path, "rb") as file:
        start = file.read(520)
    # MATLAB 7.3 has its own header of 512 bytes in front.
    reversed_axes = start.startswith(b"MATLAB 7.3")
    if not reversed_axes and not start.startswith(HDF5_START):
        # Transposed, they have the order of axes that MATLAB 7.3 has in HDF5.
        yield {
            name: Matrix(stored.T, path, name, is_reversed=True)
            for name, stored in _read_old(path).items()
        }
        return
    try:
        import h5py
    except ImportError:
        raise InputError(
            f"{path} is an HDF5 file (MATLAB 7.3), which needs h5py: pip install 'hashbench[hdf5]'"
        ) from None
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path} is not a readable HDF5 file: {error}") from None
    with file:
        yield {
            name: Matrix(_followed(file, item), path, name, is_reversed=reversed_axes)
            for name, item in file.items()
            if isinstance(item, h5py.Dataset)
        }


def _read_old(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat

    try:
        content = loadmat(path)
    except Exception as error:
        # scipy raises nearly anything for damaged files: ValueError, TypeError, struct.error ...
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not a readable MATLAB file: {reason}") from None
    return {name: value for name, value in content.items() if not name.startswith("__")}


def _followed(file: Any, item: Any) -> Any:
    """The texts of a cell array; any other variable as it is."""
    if item.dtype.kind != "O" or item.ndim != 2:
        return item
    texts = [["".join(map(chr, np.ravel(file[cell]))) for cell in row] for row in item[()]]
    return np.array(texts, dtype=object)


def texts_of(matrix: Matrix) -> list[str]:
    """The lines of a variable of texts: a cell array, or an array of padded characters."""
    values = matrix.whole()
    if values.dtype.kind in "US":
        return [str(value).strip() for value in np.ravel(values)]
    return [_text(value) for value in np.ravel(values)]


def _text(value: Any) -> str:
    while isinstance(value, np.ndarray):
        value = "".join(map(str, np.ravel(value)))
    return str(value).strip()
