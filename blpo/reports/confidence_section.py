"""Section of the report on the confidence of the judge."""

from dataclasses import dataclass
from pathlib import Path

from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.run_confidence import TaskConfidence, read_run_confidence
from blpo.reports.charts import Chart
from blpo.reports.confidence_charts import confidence_charts
from blpo.runs.judge_file import read_judge_file


@dataclass(frozen=True, slots=True)
class ConfidencePart:
    """Numbers and charts of a task."""

    task: str
    """Name of the task; empty for a run of a single task."""
    content: TaskConfidence
    charts: list[Chart]

    @property
    def tells_right_from_wrong(self) -> bool:
        """True if the surer half agrees with people more often than all."""
        quality = self.content["confidence"]["quality"]
        return quality is not None and quality["agreement_at_half"] > quality["agreement"]


@dataclass(frozen=True, slots=True)
class ConfidenceSection:
    """Confidence of a run's judge."""

    delta: float
    parts: list[ConfidencePart]
    is_stale: bool
    """True if another prompt or model was measured than the run's selected one."""


def confidence_section(run: Path) -> ConfidenceSection | None:
    """Return the section; None for a run whose confidence was not measured. Raises `RunError` for a damaged file."""
    content = read_run_confidence(run)
    if content is None:
        return None
    judge = JudgeIdentity.of(read_judge_file(run))
    parts = [ConfidencePart(name, part, confidence_charts(part)) for name, part in content.by_task.items()]
    is_stale = (judge.prompt, judge.model) != (content.judge.prompt, content.judge.model)
    return ConfidenceSection(content.delta, parts, is_stale=is_stale)
