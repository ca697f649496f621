"""A folder of a user's, read as whatever it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from benchmark.datasets.base import Dataset
from benchmark.datasets.copies.crossmodal import SUFFIXES, matrix_files, read_crossmodal
from benchmark.datasets.copies.place import FolderRequest, Place
from benchmark.datasets.copies.published import Published
from benchmark.datasets.folder import COLUMNS, MANIFEST, read_folder
from benchmark.datasets.lists.captions import FILES, found_captions, read_captions
from benchmark.datasets.lists.reading import found_lists, read_lists
from benchmark.datasets.mirflickr import MIRFlickr25K
from benchmark.datasets.nuswide import NUSWIDE
from benchmark.datasets.reading import check_there
from benchmark.errors import InputError
from benchmark.registry import Variant
from benchmark.registry.scan import Entry
from benchmark.registry.variants import checked_parameter, checked_value


@dataclass(frozen=True)
class Layout:
    """A way to read a folder.

    Attributes
    ----------
    name : str
    finds : function of Path to str
        Names of the files that show that a folder can be read so; '' if it cannot.
    read : function of Place to Dataset
    takes : tuple of str
        Parameters that it heeds.
    """

    name: str
    finds: Callable[[Path], str]
    read: Callable[[Place], Dataset]
    takes: tuple[str, ...] = ()


def read_path(path: Path, given: Mapping[str, str], root: Path, cache: Path) -> Dataset:
    """Read a folder or file as the only layout that it has, or as the one that was chosen.

    Parameters
    ----------
    path : Path
    given : mapping of str to str
        Parameters of :class:`FolderRequest` and the texts of their values.
    root, cache : Path
        See :class:`Place`.

    Raises
    ------
    InputError
        If it has none or several, or not the chosen one, or if its files are wrong.
    """
    check_there(path)
    defaults = {field.name: field.default for field in fields(FolderRequest)}
    entry = Entry(str(path), "", "", parameters=defaults)
    values = {
        name: checked_value(
            f"{path}[{name}]", text, checked_parameter(entry, "folder", name, [*defaults])
        )
        for name, text in given.items()
    }
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} is no folder: give the folder, or a {' or '.join(SUFFIXES)} file")
    layout = _layout_of(path, values.get("layout"))
    for name in values:
        if name not in ("layout", *layout.takes):
            raise InputError(f"{path}: {name} has no meaning for a folder read as {layout.name}")
    title = path.resolve().stem if path.is_file() else path.resolve().name
    name = str(Variant(title).with_parameters(values, entry))
    return layout.read(Place(path, name, FolderRequest(**values), root, cache))


def _layout_of(path: Path, wanted: str | None) -> Layout:
    """The layout of a folder.

    Raises
    ------
    InputError
        If there is none, or several of which none was chosen.
    """
    if wanted is not None and wanted not in LAYOUTS:
        raise InputError(f"{path}: layout must be one of {', '.join(LAYOUTS)}, not {wanted}")
    ways = {layout.name: layout.finds(path) for layout in LAYOUTS.values()}
    ways = {name: found for name, found in ways.items() if found}
    if wanted is None and "manifest" in ways:
        # Whoever writes a manifest has said how the folder is to be read.
        wanted = "manifest"
    if wanted is None and len(ways) > 1:
        shown = " and ".join(f"as {name} ({found})" for name, found in ways.items())
        choices = " or ".join(f"'{path}[layout={name}]'" for name in ways)
        raise InputError(f"{path} can be read in {len(ways)} ways: {shown}; write {choices}")
    if wanted is not None and wanted not in ways:
        raise InputError(f"{path}: no files of the layout {wanted} are there")
    if not ways:
        raise InputError(
            f"{path / MANIFEST} is missing, and no other layout was recognised: write one with "
            f"the columns {','.join(COLUMNS)}, or see docs/add-a-dataset.md for the layouts"
        )
    return LAYOUTS[wanted or next(iter(ways))]


def _manifest(path: Path) -> str:
    return MANIFEST if (path / MANIFEST).is_file() else ""


def _matrices(path: Path) -> str:
    files = [path] if path.is_file() else matrix_files(path)
    if found_captions(path):
        files = [file for file in files if file.name not in FILES]
    return ", ".join(file.name for file in files)


def _read_matrices(place: Place) -> Dataset:
    files = [place.path] if place.path.is_file() else matrix_files(place.path)
    return read_crossmodal(files, place.name, place.cache, place.request.split)


def _official(reader: type[Published], truth: str) -> Layout:
    """The official files of a collection, in a folder of any name."""

    def read(place: Place) -> Dataset:
        given: dict[str, Any] = {"labels": place.request.labels, "layout": "official"}
        given["split_seed"] = place.request.split_seed
        return reader(**given).load_home(place.path, place.name, place.cache)

    def finds(path: Path) -> str:
        return truth if (path / truth).is_dir() else ""

    return Layout(reader.id, finds, read, ("labels", "split_seed"))


#: Parameters of a split that is drawn.
DRAWN = ("n_query", "n_train", "split_seed")

LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("manifest", _manifest, lambda place: read_folder(place.path)),
        _official(NUSWIDE, "Groundtruth"),
        _official(MIRFlickr25K, "mirflickr25k_annotations_v080"),
        Layout("matrices", _matrices, _read_matrices, ("labels", *DRAWN)),
        Layout("captions", found_captions, read_captions, DRAWN),
        Layout("lists", found_lists, read_lists, ("lists", *DRAWN)),
    )
}
