"""Align a frozen multimodal judge with people's labels.

    run = await blpo.optimize("config.yaml")
    run.result["test"]["p_value"]
    verdicts = await run.judge()(["a.png", "b.png"])

`optimize` runs both loops with checkpoints and writes the run directory. `resume` goes on with a run that was stopped
or killed. `fork` begins a new run at a past round of another. Each function writes report.html at the end, also for a
run that failed, and returns a `Run`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langgraph.runtime import RunControl

from blpo.bulk.judge_batch import JudgeBatch
from blpo.deployment.judge import Judge, load_judge
from blpo.deployment.judge_set import judge_set
from blpo.deployment.summary import Summary
from blpo.deployment.table_input import InputColumns
from blpo.reports.disagreements import Disagreement, disagreements
from blpo.reports.final_report import final_report
from blpo.reports.notebook_parts import NotebookPart, images_of, prompt_changes, validation_curve
from blpo.reports.progress_lines import ProgressLines
from blpo.reports.relabelling import correct
from blpo.reports.run_page import write_report as report
from blpo.reports.run_summary import run_html, run_text
from blpo.runs.driver import OnEvent
from blpo.runs.fork import fork_run
from blpo.runs.run_record import RunRecord
from blpo.runs.start_and_resume import Config, resume_run, start_run
from blpo.tracking.tracked_run import tracked
from state.approval import Answer

__all__ = [
    "Config",
    "Disagreement",
    "InputColumns",
    "Judge",
    "JudgeBatch",
    "OnEvent",
    "Run",
    "Summary",
    "correct",
    "disagreements",
    "fork",
    "judge_set",
    "load_judge",
    "optimize",
    "report",
    "resume",
]


@dataclass(frozen=True, repr=False)
class Run(RunRecord):
    """A run: its directory, the content of result.json as `result`, and what its directory holds besides."""

    def judge(self, task: str | None = None) -> Judge:
        """Return the judge that the run leaves behind; `task` is as in `blpo.load_judge`. Raises `ConfigError`."""
        return load_judge(self.directory, task)

    async def report(self, overrides: Iterable[str] = ()) -> Path:
        """Write report.html and return its path; see `blpo.report`."""
        return await report(self.directory, overrides or self.overrides)

    def prompt_diff(self, prompt: Literal["judge", "i2t"] = "judge") -> NotebookPart:
        """Return the changes from the first to the selected prompt, in colour; raises `RunError` without a round."""
        return prompt_changes(self, prompt)

    def curve(self) -> NotebookPart:
        """Return a plot of the metric on validation by round; raises `RunError` without a round."""
        return validation_curve(self)

    def images(self, disagreements: Sequence[Disagreement], blur: bool | None = None) -> NotebookPart:
        """Return the images of disagreements with labels and reasons; raises `DataError` without the dataset.

        `blur` blurs the images; None: if the labels suggest unsafe images.
        """
        return images_of(self, disagreements, blur)

    def __repr__(self) -> str:
        """Return status, verdict, metric before and after, and directory, a line each."""
        return run_text(self)

    def _repr_html_(self) -> str:
        return run_html(self)


async def optimize(
    config: Config = None,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
    progress: bool = True,
) -> Run:
    """Run the search to its end.

    `config` is a YAML file, a mapping, `Settings`, or None for the built-in sample; `overrides` are `key=value`.
    `control.request_drain()` stops the run at the next superstep, with status `interrupted`. A question of `approval`
    stops the run too: the result holds the `question`, and `resume` takes the answer. `progress` shows a line for each
    trial and round on stderr. Raises `BlpoError`; a `TooManyFailures` leaves a run that `resume` goes on with.
    """
    async with tracked(on_event, _lines(progress)) as handler, final_report(handler) as events:
        record = await start_run(config, overrides=overrides, on_event=events, control=control)
    return _returned(record)


async def resume(
    directory: str | Path,
    *,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
    answer: Answer | Mapping[str, Any] | str | None = None,
    progress: bool = True,
) -> Run:
    """Go on with a run that was stopped, killed, failed, moved or copied; a finished run is just returned.

    `overrides` may change approval, limits and how models are reached, nothing that determines the result. A run that
    spent its budget goes on if `limits` are raised: the response store answers what is paid for. `answer` answers the
    question that the run waits for: a `state.approval.Answer`, a mapping like one, or "approve". Raises `BlpoError`, an
    `AnswerError` if the run asks no question or the answer can't be used.
    """
    async with (
        tracked(on_event, _lines(progress), past=Path(directory), overrides=overrides) as handler,
        final_report(handler, run=Path(directory)) as events,
    ):
        record = await resume_run(directory, overrides=overrides, on_event=events, control=control, answer=answer)
    return _returned(record)


async def fork(
    directory: str | Path,
    round: int,
    *,
    judge_prompt: str | None = None,
    i2t_prompt: str | None = None,
    overrides: Sequence[str] = (),
    on_event: OnEvent | None = None,
    control: RunControl | None = None,
    progress: bool = True,
) -> Run:
    """Start a new run from round `round` of the run in `directory`.

    The prompts, where given, take the place of p and q of the round. `overrides` are `key=value` for the settings of
    the new run; `run.dir` is its directory (default: beside the other run). Raises `BlpoError`.
    """
    async with tracked(on_event, _lines(progress)) as handler, final_report(handler) as events:
        record = await fork_run(
            directory,
            round,
            judge_prompt=judge_prompt,
            i2t_prompt=i2t_prompt,
            overrides=overrides,
            on_event=events,
            control=control,
        )
    return _returned(record)


def _lines(progress: bool) -> OnEvent | None:
    return ProgressLines() if progress else None


def _returned(record: RunRecord) -> Run:
    run = Run(record.directory, record.info)
    _ = run.result  # read now, because a later resume writes another result
    return run
