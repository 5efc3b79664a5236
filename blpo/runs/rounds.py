"""Rounds of a run directory: rounds/NN/."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from blpo.runs.json_lines import read_json_lines
from blpo.runs.verdict_rows import VerdictRow, read_verdict_rows
from state.errors import RunError
from state.loops import RoundRecord, Trial


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A line of trials.jsonl: a trial of the inner loop."""

    step: int
    """k, from 0."""
    score: float | None
    """In [-1, 1], higher is better; None for a failed trial, and for a pooled trial."""
    i2t_prompt: str | None
    """q_k; None without a prompt from the optimizer."""
    judge_prompt: str | None
    """J(q_k, p); None without a prompt from the optimizer, and for a pooled trial."""
    failure: str | None
    """Reason of the failure; None for any other trial."""
    noise: float | None = None
    """Standard error of the score; None for a score on the batch."""

    @property
    def has_failed(self) -> bool:
        """True if the trial gave no prompt to judge, and no descriptions to pool."""
        return self.failure is not None

    @property
    def in_state(self) -> Trial:
        """The trial in the form of the graph's state."""
        trial = Trial(
            i2t_prompt=self.i2t_prompt, judge_prompt=self.judge_prompt, score=self.score, failure=self.failure
        )
        return trial if self.noise is None else {**trial, "noise": self.noise}


@dataclass(frozen=True, slots=True)
class Round:
    """A judged round: p_t and q_t, the batch of wrong verdicts, and the trials before p_{t+1}."""

    record: RoundRecord
    """The round in the form of the graph's state: validation metrics, ids, digests, people's decisions."""
    judge_prompt: str
    i2t_prompt: str
    errors: tuple[VerdictRow, ...]
    trials: tuple[TrialRow, ...]

    @property
    def anchors(self) -> list[str]:
        """Ids of the rightly judged samples beside the errors."""
        return self.record["anchors"]

    @property
    def batch(self) -> tuple[str, ...]:
        """Ids of the errors, then of the anchors."""
        return (*(error.id for error in self.errors), *self.anchors)

    @property
    def best_trial(self) -> TrialRow | None:
        """The trial with the highest score, the earlier on a tie; None where no trial has a score."""
        scored = [(trial.score, trial) for trial in self.trials if trial.score is not None]
        return max(scored, key=lambda pair: pair[0])[1] if scored else None

    @property
    def i2t_prompts(self) -> tuple[str, ...]:
        """Distinct I2T prompts behind the update of p_t: of the best trial, or of all pooled trials."""
        best = self.best_trial
        trials = [trial for trial in self.trials if not trial.has_failed] if best is None else [best]
        return tuple(dict.fromkeys(trial.i2t_prompt for trial in trials if trial.i2t_prompt is not None))


_RECORD, _TRIAL = TypeAdapter(RoundRecord), TypeAdapter(TrialRow)


def read_rounds(directory: Path, at_least: int = 0) -> tuple[Round, ...]:
    """Read the rounds of a run directory, first to last.

    `at_least`: the number of rounds that result.json tells of. Raises `RunError` for a missing or damaged file.
    """
    folders = [folder for folder in (directory / "rounds").glob("[0-9]*") if folder.is_dir()]
    return tuple(_round(directory, t) for t in range(max(len(folders), at_least)))  # by number: a gap is an error


def _round(directory: Path, t: int) -> Round:
    folder = directory / "rounds" / f"{t:02d}"
    try:
        judge, i2t = [(folder / f"{name}.md").read_text(encoding="utf-8") for name in ("judge", "i2t")]
        return Round(
            record=_RECORD.validate_json((folder / "record.json").read_bytes()),
            judge_prompt=judge.removesuffix("\n"),
            i2t_prompt=i2t.removesuffix("\n"),
            errors=read_verdict_rows(folder / "errors.jsonl"),
            trials=tuple(read_json_lines(folder / "trials.jsonl", _TRIAL)),
        )
    except (OSError, ValueError, ValidationError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(
            f"{folder} can't be read ({reason}); `blpo resume {directory}` writes the run's files again"
        ) from None
