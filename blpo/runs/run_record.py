"""Reader of run directories; no second module reads a run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import TypeAdapter, ValidationError

from blpo.config.settings_file import load_settings
from blpo.runs.rounds import Round, read_rounds
from blpo.runs.run_info import RunInfo, read_info
from blpo.runs.verdict_rows import VerdictChange, VerdictRow, read_verdict_rows, verdict_change
from state.errors import RunError
from state.result import Result
from state.settings import Settings

_RESULT = TypeAdapter(Result)


@dataclass(frozen=True)
class RunRecord:
    """A run from the files of its directory, without dataset, response store and models.

    All files but run.json are read on first use and kept, so a list of many runs costs little. The properties raise
    `RunError` for a damaged file.
    """

    directory: Path
    info: RunInfo
    overrides: tuple[str, ...] = ()
    """Changes to config.yaml as `key=value`: `data.path=...` tells the place of a moved dataset."""

    @classmethod
    def read(cls, directory: str | Path, overrides: Iterable[str] = ()) -> Self:
        """Read a run directory, also of a run at work; raises `RunError` for a folder without a run."""
        path = Path(directory)
        return cls(path, read_info(path), tuple(overrides))

    @cached_property
    def result(self) -> Result:
        """Content of result.json; raises `RunError` for a run without a result."""
        file = self.directory / "result.json"
        try:
            return _read_result(file)
        except FileNotFoundError:
            message = f"{self.directory} has no result yet; go on with it: blpo resume {self.directory}"
            raise RunError(message) from None
        except OSError as error:
            raise RunError(f"{file} can't be read: {error.strerror}") from None
        except ValidationError:
            raise RunError(f"{file} is damaged; `blpo resume {self.directory}` writes it again") from None

    @property
    def is_whole(self) -> bool:
        """True if all files of a finished run can be read: rounds, verdicts and judge.yaml."""
        verdicts = [self.directory / "verdicts" / f"{name}.jsonl" for name in ("initial", "best")]
        files = [self.directory / "judge.yaml", *(verdicts if self.result["rounds"] or self.result["test"] else [])]
        try:
            _ = self._verdicts, self.rounds
        except RunError:
            return False
        return all(file.is_file() for file in files)

    @property
    def result_or_none(self) -> Result | None:
        """Content of result.json; None for a missing or damaged file, because a resume writes the file at no cost."""
        try:
            return self.result
        except RunError:
            return None

    @cached_property
    def settings(self) -> Settings:
        """Settings of config.yaml, changed by `overrides`; raises `ConfigError`."""
        return load_settings(self.directory / "config.yaml", list(self.overrides))

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        """All judged rounds, first to last."""
        result = self.result_or_none
        return read_rounds(self.directory, len(result["rounds"]) if result else 0)

    @property
    def initial(self) -> Mapping[str, VerdictRow]:
        """Verdicts under the first prompt by sample id; empty for a run without a test."""
        return self._verdicts["initial"]

    @property
    def best(self) -> Mapping[str, VerdictRow]:
        """Verdicts under the selected prompt, for the same ids."""
        return self._verdicts["best"]

    def change(self, sample_id: str) -> VerdictChange:
        """Return the change of a sample from the first to the selected prompt."""
        return verdict_change(self.initial[sample_id], self.best[sample_id])

    @cached_property
    def _verdicts(self) -> dict[Literal["initial", "best"], dict[str, VerdictRow]]:
        folder = self.directory / "verdicts"
        initial = {row.id: row for row in read_verdict_rows(folder / "initial.jsonl")}
        best = {row.id: row for row in read_verdict_rows(folder / "best.jsonl")}
        return {
            "initial": {key: row for key, row in initial.items() if key in best},
            "best": {key: row for key, row in best.items() if key in initial},
        }


def _read_result(file: Path) -> Result:
    """Return the content, with the fields of later versions; raises `ValidationError` and `OSError`."""
    text = file.read_bytes()
    _RESULT.validate_json(text, strict=True)
    content: Result = json.loads(text)
    return content
