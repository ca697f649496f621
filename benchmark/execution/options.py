"""How cells are run, whichever they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Workers:
    """How cells are spread over processes.

    Attributes
    ----------
    jobs : int
        Cells at a time.
    backend : {"loky", "dask"}
        joblib's processes on this machine, or a dask cluster.
    scheduler : str, optional
        Address of the dask scheduler; without it a local cluster is started.
    """

    jobs: int = 1
    backend: str = "loky"
    scheduler: str | None = None


@dataclass(frozen=True)
class RunOptions:
    """What holds for all cells of a command; small and picklable, for worker processes.

    Attributes
    ----------
    results : Path
        Where finished cells go.
    cache : Path
        Where features, splits and shared intermediate results are kept.
    plugins : tuple of Path
        Plug-in files, which every worker loads too.
    again : {"failed", "all"}
        Whether only failed cells are run again, or finished ones too.
    save_codes : bool
        Whether codes are stored beside the metrics; cells without them count as not done.
    save_models : bool
        Whether fitted methods are stored too; cells without them count as not done.
    device : str
        ``cpu`` or ``cuda``, for networks.
    workers : Workers
    """

    results: Path
    cache: Path
    plugins: tuple[Path, ...] = ()
    again: str = "failed"
    save_codes: bool = False
    save_models: bool = False
    device: str = "cpu"
    workers: Workers = field(default_factory=Workers)

    def resolved(self) -> RunOptions:
        """The same with absolute paths, since a worker may stand in another folder."""
        plugins = tuple(path.resolve() for path in self.plugins)
        paths = {"results": self.results.resolve(), "cache": self.cache.resolve()}
        return replace(self, plugins=plugins, **paths)
