"""Intervals of the metric on validation, round by round, from the verdicts in the response store."""

from blpo.metrics.agreement import metrics
from blpo.metrics.readings import strict_reading
from blpo.metrics.significance import metric_interval
from blpo.metrics.task_metrics import interval_on_tasks, measured
from blpo.reports.evidence import Evidence
from blpo.runs.run_record import RunRecord
from state.metrics import Metrics
from state.round_result import RoundResult

Band = tuple[float, float] | None
"""95 % interval; None if the verdicts can't be found again."""

_ROUNDING_ERROR = 1e-9


def validation_bands(run: RunRecord, evidence: Evidence) -> list[Band]:
    """Return the interval of the metric of every round.

    None for a round with missing verdicts: the number of answers or the metric differs from the record of the round.
    """
    bands: dict[str, Band] = {}
    for record in run.result["rounds"]:
        if record["judge_prompt"] not in bands:
            bands[record["judge_prompt"]] = _band(record, run, evidence)
    return [bands[record["judge_prompt"]] for record in run.result["rounds"]]


def _band(record: RoundResult, run: RunRecord, evidence: Evidence) -> Band:
    rows = [
        row
        for (prompt, _), row in evidence.verdicts.items()
        if prompt == record["judge_prompt"] and row.split == "validation"
    ]
    verdicts, settings = [row.in_verdict for row in rows], run.settings
    labels, groups = [row.label for row in rows], [evidence.samples[row.id].group for row in rows]
    task, metric = settings.task, run.result["metric"]
    if settings.task_names:
        samples = [evidence.samples[row.id] for row in rows]
        recalled = measured(verdicts, samples, settings)
        is_same = _are_equal(recalled, record["validation"], metric)
        return interval_on_tasks(verdicts, samples, settings) if is_same else None
    if not _are_equal(metrics(verdicts, labels, task), record["validation"], metric):
        return None
    return metric_interval(verdicts, labels, task, metric, settings.search.seed, groups)


def _are_equal(recalled: Metrics, recorded: Metrics, metric: str) -> bool:
    """Return True for the same number of answers and the same value of the metric."""
    answers = [round(each["n"] * each["coverage"]) for each in (recalled, recorded)]
    one, other = strict_reading(recalled, metric), strict_reading(recorded, metric)
    return answers[0] == answers[1] and one is not None and other is not None and abs(one - other) < _ROUNDING_ERROR
