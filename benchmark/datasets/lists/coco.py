"""MS COCO by the lists of images that circulate: 80 categories, no tags."""

from __future__ import annotations

from pathlib import Path

from benchmark.datasets import register_dataset
from benchmark.datasets.base import Dataset, reader_name
from benchmark.datasets.copies.place import FolderRequest, Place
from benchmark.datasets.lists.reading import found_lists, read_lists
from benchmark.errors import InputError

HOMES = ("coco", "COCO", "coco2014", "mscoco")


@register_dataset("coco", source="MS COCO, Lin et al., ECCV 2014, by lists of images")
class COCO:
    """MS COCO with the lists train.txt, test.txt and database.txt of a paper's code.

    Photos are looked for by the file names of the lists, in ``train2014`` and ``val2014`` or in
    any other folders.

    Parameters
    ----------
    lists : str, optional
        Which lists to read, where there are several.
    """

    def __init__(self, lists: str | None = None) -> None:
        self.lists = lists

    def load(self, root: Path, cache: Path) -> Dataset:
        """Read the lists in the first of the folders of :data:`HOMES` below `root`.

        Raises
        ------
        InputError
            If there are no lists, or as for :func:`read_lists`.
        """
        homes = [Path(root) / name for name in HOMES]
        home = next((home for home in homes if found_lists(home)), None)
        if home is None:
            raise InputError(
                f"data set coco: no lists in {homes[0]}; put train.txt, test.txt and database.txt "
                "of a paper's code there (lines: path and 80 labels of 0 and 1), and the photos "
                "below the same folder"
            )
        request = FolderRequest(lists=self.lists)
        return read_lists(Place(home, reader_name(self), request, Path(root), cache))
