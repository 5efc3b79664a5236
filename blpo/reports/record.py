"""A run as its directory tells it, without its dataset and without its models."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from blpo.config.settings_file import load_settings
from blpo.runs.run_directory import RunInfo, read_info
from state.errors import RunError
from state.result import Result
from state.sample import Label, SplitName
from state.settings import Settings
from state.verdict import Status

Change = Literal["fixed", "broken", "wrong", "right"]
"""What became of a sample: wrong then right, right then wrong, wrong both times, right both times. No answer is not
right."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A line of verdicts/*.jsonl or errors.jsonl."""

    id: str
    label: Label
    verdict: Label | None
    status: Status
    reason: str
    split: SplitName = "train"

    @property
    def is_right(self) -> bool:
        """Whether the judge answered what people say."""
        return self.status == "ok" and self.verdict == self.label


@dataclass(frozen=True, slots=True)
class Tried:
    """A line of trials.jsonl: one trial of the inner loop."""

    step: int
    score: float | None
    i2t_prompt: str | None
    judge_prompt: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What the update of one round was made from."""

    errors: tuple[Judged, ...]
    anchors: tuple[str, ...]
    trials: tuple[Tried, ...]

    @property
    def best(self) -> Tried | None:
        """The trial with the highest score, the earlier on a tie; None where none has a score."""
        scored = [(trial.score, trial) for trial in self.trials if trial.score is not None]
        return max(scored, key=lambda pair: pair[0])[1] if scored else None

    @property
    def ids(self) -> tuple[str, ...]:
        """Errors, then anchors."""
        return (*(error.id for error in self.errors), *self.anchors)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished, failed or interrupted run."""

    path: Path
    settings: Settings
    result: Result
    info: RunInfo
    initial: Mapping[str, Judged]
    """By id, under the first prompt; empty where the run was not tested."""
    best: Mapping[str, Judged]
    batches: tuple[Batch, ...]
    """One for each round of the result."""

    def change(self, sample_id: str) -> Change:
        """What became of a sample from the first to the selected prompt."""
        return change(self.initial[sample_id], self.best[sample_id])


@dataclass(frozen=True, slots=True)
class _Round:
    """What record.json tells beyond the other files of a round."""

    anchors: list[str]


Row = TypeVar("Row")
_RESULT = TypeAdapter(Result)
_JUDGED, _TRIED, _ROUND = TypeAdapter(Judged), TypeAdapter(Tried), TypeAdapter(_Round)


def change(before: Judged, after: Judged) -> Change:
    """What became of a sample between two prompts."""
    if before.is_right:
        return "right" if after.is_right else "broken"
    return "fixed" if after.is_right else "wrong"


def read_run(path: Path, overrides: Iterable[str] = ()) -> Run:
    """Read a run directory; `overrides` say where its dataset is now.

    Raises `RunError` where it is none, has no result yet or is damaged, and `ConfigError`.
    """
    info = read_info(path)
    result = _result(path)
    initial, best = (_verdicts(path / "verdicts" / f"{name}.jsonl") for name in ("initial", "best"))
    shared = initial.keys() & best.keys()
    return Run(
        path=path,
        settings=load_settings(path / "config.yaml", list(overrides)),
        result=result,
        info=info,
        initial={key: row for key, row in initial.items() if key in shared},
        best={key: row for key, row in best.items() if key in shared},
        batches=tuple(_batch(path / "rounds" / f"{t:02d}") for t in range(len(result["rounds"]))),
    )


def _result(path: Path) -> Result:
    try:
        return _RESULT.validate_json((path / "result.json").read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path} has no result yet; go on with it: blpo resume {path}") from None
    except OSError as error:
        raise RunError(f"{path / 'result.json'} can't be read: {error.strerror}") from None
    except ValidationError:
        raise RunError(f"{path / 'result.json'} is damaged; `blpo resume {path}` writes it again") from None


def _verdicts(file: Path) -> dict[str, Judged]:
    return {row.id: row for row in _rows(file, _JUDGED)}


def _batch(folder: Path) -> Batch:
    return Batch(
        errors=tuple(_rows(folder / "errors.jsonl", _JUDGED)),
        anchors=tuple(_anchors(folder / "record.json")),
        trials=tuple(_rows(folder / "trials.jsonl", _TRIED)),
    )


def _anchors(file: Path) -> list[str]:
    """Ids of the samples judged rightly that were shown beside the errors; none where the file tells none."""
    return [sample_id for row in _rows(file, _ROUND) for sample_id in row.anchors]


def _rows(file: Path, adapter: TypeAdapter[Row]) -> Iterator[Row]:
    """The records of a JSON lines file; none where there is no such file."""
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{file} can't be read: {error.strerror}") from None
    for number, line in enumerate(lines, start=1):
        if line:
            try:
                yield adapter.validate_json(line)
            except ValidationError:
                raise RunError(f"{file}:{number} is damaged; `blpo resume` writes the file again") from None
