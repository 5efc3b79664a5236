"""Problems of several tasks or criteria."""

from collections.abc import Sequence

from state.settings.data_settings import DataSettings
from state.settings.task_entries import CriterionEntry, TaskEntry


def entries_problem(
    tasks: Sequence[TaskEntry], criteria: Sequence[CriterionEntry], only: Sequence[str], *, is_checklist: bool
) -> str | None:
    """Return the problem of the names and of the kind of entries; None for usable entries, also for no entry."""
    names = [entry.name for entry in tasks or criteria]
    if foreign := [name for name in only if name not in names]:
        there = f"the names are {', '.join(names)}" if names else "there are no tasks and no criteria"
        return f"only: {foreign[0]} is no task of the run; {there}"
    if is_checklist and not criteria:
        return "criteria_aggregate: needs criteria"
    if tasks and criteria:
        return "criteria: belongs to one dataset, tasks to several; give one of the two"
    if len({name.casefold() for name in names}) < len(names):
        return f"{'tasks' if tasks else 'criteria'}: two have the same name; give each its own"
    return None


def checklist_problem(criteria: Sequence[CriterionEntry]) -> str | None:
    """Return the problem of the criteria of a checklist; None for usable criteria."""
    if all(len(each.labels) == 2 and each.positive for each in criteria):
        return None
    return "criteria_aggregate: needs criteria with two labels and positive, as {labels: [no, yes], positive: yes}"


def entries_data_problem(
    tasks: Sequence[TaskEntry], criteria: Sequence[CriterionEntry], data: DataSettings
) -> str | None:
    """Return the problem of data settings that several tasks can't have; None for usable settings."""
    if criteria and data.path is None:
        return "criteria: the built-in sample has one label an image; give data.path"
    if criteria and data.raters is not None:
        return "data.raters: are ratings of one label; with criteria, give a column of labels for each criterion"
    if data.corrections is not None or any(task.data.corrections is not None for task in tasks):
        return "data.corrections: are of a run of one task; write the corrected labels into the labels files"
    return None
