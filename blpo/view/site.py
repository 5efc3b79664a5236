"""Folder behind the pages: its runs, experiments and configs. A path never leaves the folder."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from secrets import token_urlsafe

from blpo.reports.run_rows import is_run
from blpo.view.report_shelf import ReportShelf
from blpo.view.run_list import RunList
from blpo.view.run_process import RunProcesses
from blpo.view.shelf import PATIENCE
from state.errors import BlpoError, RunError

RUNS = "runs"
"""Name of the folder of runs in a project's folder."""
TABLE = "table.json"
"""File of an experiment with results."""
_MOST_CONFIGS = 200


class NotHere(BlpoError):
    """The folder has no such run, experiment or file."""


@dataclass(frozen=True)
class Site:
    """A project's folder, or a folder of runs, as pages."""

    folder: Path
    """Absolute, without links. No page reads or writes a run, a config or a picture by a path outside."""
    is_read_only: bool = False
    patience: float = PATIENCE
    """Seconds that a page of samples to label waits for the samples."""
    token: str = field(default_factory=token_urlsafe, repr=False)

    @classmethod
    def of(cls, folder: Path, *, is_read_only: bool = False, patience: float = PATIENCE) -> "Site":
        """Return the site of an existing folder; raises `RunError` for anything else."""
        if not folder.is_dir():
            raise RunError(f"{folder}: is no folder; give a project's folder, or one that holds runs")
        return cls(folder.resolve(), is_read_only, patience)

    @property
    def home(self) -> Path:
        """Folder of the runs: `runs/` of a project, or the folder itself if it holds runs and has no `runs/`."""
        inside = self.folder / RUNS
        is_home = self.folder.name == RUNS or any(is_run(path) for path in self.folder.iterdir())
        return self.folder if is_home and not inside.is_dir() else inside

    @cached_property
    def runs(self) -> RunList:
        """List of all runs."""
        return RunList(self.home)

    @cached_property
    def reports(self) -> ReportShelf:
        """Pages of finished runs."""
        return ReportShelf()

    @cached_property
    def processes(self) -> RunProcesses:
        """Processes that pages have begun."""
        return RunProcesses(self.home, self.folder)

    def run(self, name: str) -> Path:
        """Return the directory of a run; raises `NotHere`."""
        path = self.inside(self.home, name)
        if not is_run(path):
            raise NotHere(f"no run {name} in {self.home}")
        return path

    def experiment(self, name: str) -> Path:
        """Return the folder of an experiment; raises `NotHere`."""
        path = self.inside(self.home, name)
        if not (path / TABLE).is_file():
            raise NotHere(f"no experiment {name} in {self.home}")
        return path

    @property
    def experiments(self) -> list[str]:
        """Names of all experiments with results, by name."""
        home = self.home
        folders = sorted(home.iterdir()) if home.is_dir() else []
        return [path.name for path in folders if not path.is_symlink() and (path / TABLE).is_file()]

    @property
    def configs(self) -> list[str]:
        """Names of the YAML files of the folder, by name."""
        files = sorted(self.folder.glob("*.yaml")) + sorted(self.folder.glob("*.yml"))
        return [file.name for file in files if file.is_file() and not file.is_symlink()][:_MOST_CONFIGS]

    def inside(self, folder: Path, name: str) -> Path:
        """Return `folder`/`name`; raises `NotHere` unless `name` is a plain name of a file inside, and no link out."""
        path = folder / name if self.is_plain(name) else folder
        if path == folder or not os.path.lexists(path) or not path.resolve().is_relative_to(self.folder):
            raise NotHere(f"{name!r} is not in {folder}")
        return path

    @staticmethod
    def is_plain(name: str) -> bool:
        """Return True for the name of a file, without a folder."""
        return name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(name) and len(name.encode()) < 256
