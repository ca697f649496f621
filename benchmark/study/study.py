"""A study: methods, code lengths and seeds on one data set under one protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral

from benchmark.errors import InputError
from benchmark.execution.grid import Grid
from benchmark.preparation.request import OpenedData
from benchmark.protocol.protocol import Protocol, find_protocol
from benchmark.registry import load_plugins
from benchmark.registry.selection import unique, variants_of
from benchmark.study.defaults import BITS, DATASET, MAX_BITS, MAX_SEED, PROTOCOL, SEEDS
from benchmark.study.results import Results, joined
from benchmark.study.session import Session


@dataclass(frozen=True)
class Study(Session):
    """What ``run_benchmark.py`` does on one data set; keywords are its long option names.

    Parameters
    ----------
    dataset : str
        A named data set, a variant such as ``demo[n=500]``, or a folder with a manifest.
    methods : sequence of str, optional
        Names, wildcards or variants such as ``itq[n_iter=100]``; all by default.
    bits, seeds : sequences of int
    protocol : str or Protocol
    set : sequence of str
        Parameters of methods, each ``METHOD.PARAM=VALUE``.
    split_per_seed : bool
        Whether each seed draws its own split of the data, so that deviations and tests are about
        splits as well; for data sets that draw theirs.

    Raises
    ------
    InputError
        If an option has a value that it cannot have.  :meth:`price` and :meth:`run` raise it if
        anything else is missing or wrong, before any work starts.

    Examples
    --------
    >>> from benchmark import Study
    >>> study = Study("demo[n=200]", methods=["lsh", "itq"], bits=[16], features="gist")
    >>> results = study.run()                                                # doctest: +SKIP
    >>> print(results.table("mAP@all"))                                      # doctest: +SKIP
    """

    dataset: str = DATASET
    methods: Sequence[str] | None = None
    bits: Sequence[int] = BITS
    seeds: Sequence[int] = SEEDS
    protocol: str | Protocol = PROTOCOL
    set: Sequence[str] = ()
    split_per_seed: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_whole("bits", self.bits, 1, MAX_BITS)
        _check_whole("seeds", self.seeds, 0, MAX_SEED)
        if self.split_per_seed and (self.audit or self.save_codes):
            raise InputError(
                "--split-per-seed cannot be combined with --audit or --save-codes: the codes of "
                "each seed are of other items"
            )
        _check_words("methods", self.methods or ())
        _check_words("set", self.set)
        if not isinstance(self.dataset, str):
            raise InputError(f"--dataset {self.dataset!r}: give a name or the path of a folder")
        if not isinstance(self.protocol, str | Protocol):
            raise InputError(f"--protocol {self.protocol!r}: give a name or a Protocol")

    def price(self) -> str:
        """What the cells that are not done yet will cost; nothing is extracted or trained."""
        return "\n\n".join(self.price_grid(data, grid) for data, grid in self._parts())

    def run(self) -> Results:
        """Run the cells that are not done yet; those that are done are read."""
        return joined([self.run_grid(data, grid) for data, grid in self._parts()])

    def _parts(self) -> list[tuple[OpenedData, Grid]]:
        """What is run on which data: everything at once, or each seed on its split."""
        grid = self._grid
        if not self.split_per_seed:
            return [(self._data, grid)]
        return [
            (self.open(self.dataset, split_seed=seed), replace(grid, seeds=[seed]))
            for seed in grid.seeds
        ]

    @cached_property
    def _grid(self) -> Grid:
        load_plugins(self.options.plugins)
        chosen = variants_of(self.methods, self.set)
        protocol = self.protocol
        if not isinstance(protocol, Protocol):
            protocol = find_protocol(protocol)
        bits, seeds = (unique([int(n) for n in given]) for given in (self.bits, self.seeds))
        return Grid(chosen, bits, seeds, protocol, self.tune)

    @cached_property
    def _data(self) -> OpenedData:
        return self.open(self.dataset)


def _check_whole(option: str, given: Iterable[int], least: int, most: int) -> None:
    if isinstance(given, str) or not isinstance(given, Iterable) or not list(given):
        raise InputError(f"--{option} {given!r}: give a list of whole numbers")
    for number in given:
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not (whole and least <= number <= most):
            raise InputError(f"--{option} {number!r}: give whole numbers from {least} to {most}")


def _check_words(option: str, given: Iterable[str]) -> None:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"--{option} {given!r}: give a list of texts")
    for word in given:
        if not isinstance(word, str):
            raise InputError(f"--{option} {word!r}: give texts")
