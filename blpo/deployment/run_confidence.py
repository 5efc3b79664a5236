"""Confidence of a run's judge: calibrated on samples that the search has not seen, and measured on the test split."""

import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from blpo.deployment.cascade_replay import CascadeRow, cascade
from blpo.deployment.confidence_replay import ReplayRow, replay
from blpo.deployment.confidence_source import Source, with_source
from blpo.deployment.confidence_summary import ConfidenceRecord
from blpo.deployment.escalation import Escalation
from blpo.deployment.judge import load_judge
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
from state.result import RoleUsage
from state.verdict import Verdict

FOLDER = "confidence"
TARGETS = (0.7, 0.8, 0.9, 0.95)


class RunConfidence(TypedDict):
    """Content of confidence/confidence.json in a run directory."""

    confidence: ConfidenceRecord
    """Quality on the test split."""
    replay: list[ReplayRow]
    """Thresholds on the test split."""
    delta: float
    guarantees: list[Guarantee]
    """Thresholds with guaranteed agreement, from the samples of the calibration; empty without a calibration."""
    calls: RoleUsage
    cascade: NotRequired[list[CascadeRow]]
    """The judge and a second judge on the labelled samples of the test split, by threshold; absent without a second."""


async def measure_confidence(
    run: Path,
    source: Source | None = None,
    calibrate_on: str | None = None,
    delta: float = 0.05,
    escalate: Path | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> RunConfidence:
    """Judge the test split of a finished run with confidences, and write confidence/confidence.json.

    Answers of the run are not paid for again; a stopped call goes on. `calibrate_on` are labelled samples that the
    search has not seen; None: the run's `data.split.calibration`, if its config has one. `escalate` is a second judge,
    asked about the whole test split. Raises `BlpoError`.
    """
    judge = with_source(load_judge(run), source)
    if judge.file.model.confidence is None:
        raise ConfigError(f"{run}: its judge has no confidence; give --confidence repeats or words")
    calibrate_on = calibrate_on or own_calibration(run)
    work = SetJudging(judge, [run / "config.yaml"], JudgingOptions(split="test", calibrate_on=calibrate_on))
    if (own := work.works.get("")) is None:
        raise ConfigError(f"{run}: its judge has several tasks; blpo confidence measures the judge of a single task")
    second = None if escalate is None else Escalation(load_judge(escalate), judge)
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    lines = folder / f"{judge.file.model.confidence}.jsonl"
    lines.unlink(missing_ok=True)  # another calibration writes other lines; the answers are in the store
    with VerdictFile(lines, judge.file) as sink:
        await _adopt_answers(store_path(run), sink.store)
        summary = await work.run(sink, on_verdict)
    content = RunConfidence(
        confidence=summary["confidence"],
        replay=replay(own.confidences.labelled),
        delta=delta,
        guarantees=guarantees(own.calibration, TARGETS, delta) if own.calibration else [],
        calls=summary["calls"],
    )
    if second is not None and escalate is not None:
        content["cascade"] = await _cascade(second, escalate, own.confidences.labelled, folder)
    write_whole(folder / "confidence.json", json.dumps(content, indent=1) + "\n")
    return content


def read_run_confidence(run: Path) -> RunConfidence | None:
    """Return what `measure_confidence` wrote; None for a run without. Raises `RunError` for a damaged file."""
    file = run / FOLDER / "confidence.json"
    if not file.is_file():
        return None
    try:
        return TypeAdapter(RunConfidence).validate_json(file.read_bytes())
    except (OSError, ValidationError):
        raise RunError(f"{file} is damaged; write it again with `blpo confidence {run}`") from None


async def _cascade(second: Escalation, given: Path, first: Sequence[JudgedSample], folder: Path) -> list[CascadeRow]:
    """Ask the second judge about all samples, and replay all thresholds. Answers of a run are not paid for again."""
    place = folder / "escalation"
    place.mkdir(exist_ok=True)
    await _adopt_answers(store_path(given), store_path(place))
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
