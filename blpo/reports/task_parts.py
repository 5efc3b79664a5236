"""Part of a report for each of several tasks: figures, examples, and labels against answers."""

from dataclasses import dataclass

from blpo.reports.agreement_rows import AgreementRow, LabelRow, label_rows, split_rows, undefined_notes
from blpo.reports.evidence import Evidence
from blpo.reports.examples import Examples, examples
from blpo.reports.label_source import LabelSource
from blpo.reports.label_tables import LabelTables, label_tables
from blpo.reports.outcome import Tested
from blpo.runs.run_record import RunRecord
from blpo.runs.task_record import TaskRecord
from blpo.runs.verdict_sentence import verdict


@dataclass(frozen=True, slots=True)
class TaskPart:
    """Part of one task. The fields are those of a report on a run of the task alone."""

    name: str
    about: str
    """Sentence on the task; empty without one."""
    sentence: str
    tested: Tested
    agreement: list[AgreementRow]
    undefined: list[str]
    label_rows: list[LabelRow]
    examples: list[Examples]
    tables: LabelTables


def task_parts(run: RunRecord, evidence: Evidence, source: LabelSource) -> list[TaskPart]:
    """Return a part for every task with a test; none for a run with a single task."""
    about = {entry.name: entry.about or "" for entry in run.settings.entries}
    parts = (_part(TaskRecord.of(run, name), about[name], evidence, source) for name in run.settings.task_names)
    return [part for part in parts if part is not None]


def _part(task: TaskRecord, about: str, evidence: Evidence, source: LabelSource) -> TaskPart | None:
    test, tested, positive = task.result["test"], Tested.of(task.result), task.settings.task.positive
    if test is None or tested is None:
        return None
    metric = task.result["metric"]
    return TaskPart(
        name=task.task,
        about=about,
        sentence=verdict(task.result),
        tested=tested,
        agreement=split_rows(test, metric, positive),
        undefined=undefined_notes(test["initial"], test["best"], metric, positive),
        label_rows=label_rows(test["initial"], test["best"]),
        examples=examples(task.whole, evidence, task.task),
        tables=label_tables(task, source),
    )
