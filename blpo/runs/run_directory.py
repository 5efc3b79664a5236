"""Writer of run directories, with a lock against a second process.

run.json         format, thread id, config hash, checkpoints, seconds   config.yaml   resolved settings
result.json      the content of `state.result.Result`                   judge.yaml    the deployable judge
events.jsonl     progress, one event a line                             responses.sqlite
progress.json    position in the step at work, for pages that follow the run
start.json       the state in which a fork starts (blpo.runs.fork_start)
examples/        images of the labelled examples of the judge
images/          scaled or converted images, as sent
tracking.json    the record of `run.tracking`, written by blpo.tracking
verdicts/{initial,best}.jsonl                                           report.html   made by the facade
rounds/NN/{record.json, judge.md, i2t.md, judge.diff, i2t.diff, errors.jsonl, trials.jsonl}
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from blpo.config.config_hash import config_hash
from blpo.config.settings_file import dump_settings, load_settings
from blpo.runs.fork_start import ForkStart
from blpo.runs.run_info import RunInfo, read_info, recorded_checkpoints
from blpo.runs.run_progress import PROGRESS
from blpo.runs.run_record import RunRecord
from blpo.storage.locks import LOCK, lock_folder
from blpo.storage.whole_files import write_whole
from state.errors import RunError, StoreError
from state.result import Result
from state.run_lineage import Lineage
from state.settings import POSTGRES, Settings

_MAY_CHANGE = "only approval, limits, run.checkpoints and how models are reached may"
_START = TypeAdapter(ForkStart)


class RunDirectory:
    """An open, locked run directory."""

    def __init__(self, path: Path, info: RunInfo, lock: TextIOWrapper) -> None:
        self.path = path
        self.info = info
        self._lock = lock

    @classmethod
    def create(
        cls,
        settings: Settings,
        path: Path,
        dataset: str,
        thread: str,
        *,
        method: str = "blpo",
        lineage: Lineage | None = None,
        start: str | None = None,
    ) -> "RunDirectory":
        """Create and lock a new run directory.

        `dataset` is the dataset's fingerprint, `thread` the id of the LangGraph thread, `start` the content of
        start.json for a fork. Raises `RunError` for a directory with another run, and where nothing can be written.
        """
        _require_free(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = lock_folder(path)
            info = RunInfo(
                thread_id=thread,
                config_hash=config_hash(settings),
                dataset=dataset,
                checkpoints=recorded_checkpoints(settings, path),
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                lineage=lineage,
                method=method,
            )
            run = cls(path, info, lock)
            run.write("config.yaml", dump_settings(settings))
            if start is not None:
                run.write("start.json", start)
            run.save_info(info)
        except OSError as error:
            raise RunError(f"can't write the run directory {path}: {error.strerror}") from None
        return run

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Lock an existing run directory; raises `RunError` for no run, a newer format, and a run in use."""
        info = read_info(path)
        return cls(path, info, lock_folder(path))

    def close(self) -> None:
        """Unlock."""
        self._lock.close()

    def settings(self, overrides: Sequence[str] = ()) -> Settings:
        """Return the settings of config.yaml; raises `RunError` after a change of what determines results."""
        file = self.path / "config.yaml"
        settings = load_settings(file, overrides)
        if config_hash(settings) == self.info.config_hash:
            return settings
        unchanged = config_hash(load_settings(file))
        for override in overrides:
            if config_hash(load_settings(file, [override])) != unchanged:
                raise RunError(f"--set {override}: can't change on resume ({_MAY_CHANGE}); leave it out or start anew")
        raise RunError(
            f"{file}: its settings are not those that the run began with ({_MAY_CHANGE}); undo the change or start anew"
        )

    @property
    def checkpoints(self) -> Path | str:
        """SQLite file with the checkpoints, or `postgres`."""
        return POSTGRES if self.info.checkpoints == POSTGRES else (self.path / self.info.checkpoints).resolve()

    def require_method(self, name: str) -> None:
        """Raise `RunError` unless the run belongs to the search `name`."""
        if name != self.info.method:
            raise RunError(
                f"{self.path} is a run of the method {self.info.method} in an experiment, and {name} can't go on with"
                " it; give the experiment's folder to `blpo evals --out`"
            )

    def check_dataset(self, fingerprint: str, settings: Settings) -> None:
        """Raise `RunError` for another dataset than at the start of the run. The dataset may have moved."""
        if fingerprint == self.info.dataset:
            return
        if settings.data.path is None and not settings.tasks:
            raise RunError(f"{self.path}: the run began with another version of the built-in sample; start a new run")
        raise RunError(
            f"{self.path}: the dataset is not the one that the run began with; restore it, or start a new run"
        )

    def save_info(self, info: RunInfo) -> None:
        """Replace run.json."""
        self.info = info
        self.write("run.json", json.dumps({name: getattr(info, name) for name in RunInfo.__slots__}, indent=1) + "\n")

    def result(self) -> Result | None:
        """Return the content of result.json; None for a missing or damaged file, because a resume writes a new file."""
        return RunRecord(self.path, self.info).result_or_none

    def start(self) -> ForkStart | None:
        """Return the start of a fork; None for any other run. Raises `RunError` for a damaged start.json."""
        file = self.path / "start.json"
        if not file.exists():
            return None
        try:
            return _START.validate_json(file.read_bytes())
        except (OSError, ValidationError):
            raise RunError(f"{file} can't be read, and the run starts from it; restore the file") from None

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the run directory, whole or not at all."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)

    def write_lines(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write JSON lines."""
        self.write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def show_progress(self, event: Mapping[str, Any]) -> None:
        """Write progress.json for pages that follow the run; leaves the file as it was on a full disk."""
        with suppress(StoreError):
            write_whole(self.path / PROGRESS, json.dumps(event) + "\n", durable=False)

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Append one line to events.jsonl; the progress of the step before has ended."""
        (self.path / PROGRESS).unlink(missing_ok=True)
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **event}) + "\n")


def _require_free(path: Path) -> None:
    """Raise `RunError` for a directory with another run, or with a config.yaml of another kind."""
    if (path / "run.json").exists():
        raise RunError(f"{path} holds a run already; continue it with `blpo resume {path}`, or set another run.dir")
    if (path / "config.yaml").exists() and not (path / LOCK).exists():  # with a lock: a run killed at birth
        raise RunError(f"{path} holds a config.yaml that is no run's, and would be overwritten; set another run.dir")
