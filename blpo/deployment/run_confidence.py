"""Confidence of a run's judge: calibrated on samples that the search has not seen, and measured on the test split."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from blpo.deployment.cascade_replay import CascadeRow, cascade
from blpo.deployment.confidence_replay import ReplayRow, replay
from blpo.deployment.confidence_source import require_told, with_source
from blpo.deployment.confidence_summary import ConfidenceRecord
from blpo.deployment.escalation import Escalation
from blpo.deployment.judge import load_judge
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.judge_set import SetJudging
from blpo.deployment.task_judging import JudgingOptions
from blpo.deployment.trust import Guarantee, guarantees
from blpo.deployment.trust_samples import own_calibration
from blpo.deployment.verdict_file import VerdictFile
from blpo.deployment.verdict_lines import JudgedSample
from blpo.inference.run_store import store_path
from blpo.storage.response_store import ResponseStore
from blpo.storage.whole_files import write_whole
from state.errors import ConfigError, RunError
from state.role_usage import RoleUsage
from state.settings.model_settings import ConfidenceSource
from state.verdict import Verdict

FOLDER = "confidence"
TARGETS = (0.7, 0.8, 0.9, 0.95)


class TaskConfidence(TypedDict):
    """Confidence of the judge of one task."""

    confidence: ConfidenceRecord
    """Quality on the test split."""
    replay: list[ReplayRow]
    """Thresholds on the test split."""
    guarantees: list[Guarantee]
    """Thresholds with guaranteed agreement, from the samples of the calibration; empty without a calibration."""
    calls: RoleUsage
    cascade: NotRequired[list[CascadeRow]]
    """The judge and a second judge on the labelled samples of the test split, by threshold; absent without a second."""


@with_config(ConfigDict(extra="forbid"))
class _Whole(TypedDict):
    delta: float
    judge: dict[str, str]
    by_task: dict[str, TaskConfidence]


@dataclass(frozen=True, slots=True)
class RunConfidence:
    """Content of confidence/confidence.json in a run directory."""

    delta: float
    judge: JudgeIdentity
    by_task: Mapping[str, TaskConfidence]
    """Each task with a map and thresholds of its own; "" for a run of a single task."""

    @property
    def content(self) -> dict[str, Any]:
        """Plain JSON; for a run of a single task without `by_task`."""
        parts: dict[str, Any] = dict(self.by_task)
        own = parts.get("")
        return {"delta": self.delta, "judge": self.judge.fields, **(own or {"by_task": parts})}


async def measure_confidence(
    run: Path,
    source: ConfidenceSource | None = None,
    calibrate_on: str | None = None,
    delta: float = 0.05,
    escalate: Path | None = None,
    task: str | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> RunConfidence:
    """Judge the test split of a finished run with confidences, and write confidence/confidence.json.

    Answers of the run are not paid for again; a stopped call goes on. `calibrate_on` are labelled samples that the
    search has not seen; None: the run's `data.split.calibration`, if its config has one. `escalate` is a second judge,
    asked about the whole test split. `task` names one of several tasks, and earlier numbers of the others stay; None:
    all. Raises `BlpoError`.
    """
    file = load_judge(run, task).file
    if not 0 < delta < 1:
        raise ConfigError(f"--delta {delta:g}: must be above 0 and below 1")
    tasks = [
        _TaskMeasuring(run, name, source, calibrate_on or own_calibration(run, name), escalate)
        for name in ([task] if task else file.task_names or [""])
    ]
    (run / FOLDER).mkdir(exist_ok=True)
    parts = {each.name: await each.measure([t.store for t in tasks], delta, on_verdict) for each in tasks}
    judge, earlier = JudgeIdentity.of(file), None if task is None else read_run_confidence(run)
    if earlier is not None and (earlier.judge, earlier.delta) == (judge, delta):
        parts = {**earlier.by_task, **parts}
    content = RunConfidence(delta, judge, parts)
    write_whole(run / FOLDER / "confidence.json", json.dumps(content.content, indent=1) + "\n")
    return content


def read_run_confidence(run: Path) -> RunConfidence | None:
    """Return what `measure_confidence` wrote; None for a run without. Raises `RunError` for a damaged file."""
    file = run / FOLDER / "confidence.json"
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_bytes())
        if "by_task" not in content:
            shared = {name: content.pop(name) for name in ("delta", "judge")}
            content = {**shared, "by_task": {"": content}}
        whole = TypeAdapter(_Whole).validate_python(content)
        judge = JudgeIdentity.read(whole["judge"])
        assert judge is not None
        return RunConfidence(whole["delta"], judge, whole["by_task"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RunError(f"{file} is damaged; write it again with `blpo confidence {run}`") from None


class _TaskMeasuring:
    """Measuring of one task. Reads and checks all options before the first call; raises `BlpoError`."""

    def __init__(
        self, run: Path, name: str, source: ConfidenceSource | None, calibrate_on: str | None, escalate: Path | None
    ) -> None:
        self.name = name
        self._run, self._escalate = run, escalate
        self._judge = with_source(load_judge(run, name or None), source)
        if self._judge.file.model.confidence is None:
            raise ConfigError(f"{run}: its judge has no confidence; give --confidence repeats or words")
        require_told(self._judge)
        options = JudgingOptions(split="test", calibrate_on=calibrate_on)
        self._work = SetJudging(self._judge, [run / "config.yaml"], options)
        self._second = None if escalate is None else Escalation(load_judge(escalate), self._judge)
        of_task = f".{name}" if name else ""
        self._lines = run / FOLDER / f"{self._judge.file.model.confidence}{of_task}.jsonl"
        self.store = VerdictFile(self._lines, self._judge.file).store
        """Response store of the task."""

    async def measure(
        self, stores: Sequence[Path], delta: float, on_verdict: Callable[[Verdict], None] | None
    ) -> TaskConfidence:
        """Judge the test split; answers in `stores` and those of the run are not paid for again."""
        self._lines.unlink(missing_ok=True)  # another calibration writes other lines; the answers are in the store
        with VerdictFile(self._lines, self._judge.file) as sink:
            for other in (store_path(self._run), *(store for store in stores if store != self.store)):
                await _adopt_answers(other, self.store)
            summary = await self._work.run(sink, on_verdict)
        own = self._work.works[self.name]
        part = summary.get("by_task", {self.name: summary})[self.name]
        content = TaskConfidence(
            confidence=part["confidence"],
            replay=replay(own.confidences.labelled),
            guarantees=guarantees(own.calibration, TARGETS, delta) if own.calibration else [],
            calls=summary["calls"],
        )
        if self._second is not None:
            content["cascade"] = await self._cascade(self._second, own.confidences.labelled)
        return content

    async def _cascade(self, second: Escalation, first: Sequence[JudgedSample]) -> list[CascadeRow]:
        """Ask the second judge about all samples, and replay all thresholds. Answers of a run are not paid for."""
        place = self._run / FOLDER / "escalation"
        place.mkdir(exist_ok=True)
        assert self._escalate is not None
        await _adopt_answers(store_path(self._escalate), store_path(place))
        async with second.open(store_path(place)), aclosing(second.judged([item.sample for item in first])) as stream:
            return cascade(first, [item async for item in stream])


async def _adopt_answers(file: Path, target: Path) -> None:
    """Copy the run's answers; a run with its answers in a team's database has no file."""
    if file.is_file():
        store = await ResponseStore.open(target)
        try:
            await store.adopt(file)
        finally:
            await store.close()
