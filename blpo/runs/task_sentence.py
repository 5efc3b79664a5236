"""Sentences about the tasks of a run: tasks that rose or fell on the test, and rounds that were not adopted."""

from blpo.metrics.holm import holm
from blpo.metrics.readings import SIGNIFICANT
from blpo.runs.wording import counted, figure, metric_name, probability
from state.metrics_on_test import TaskTest
from state.result import Result

_MOST_NAMED = 6
"""Tasks with numbers in a sentence. Further tasks are counted."""


def task_sentence(result: Result) -> str:
    """Say how many tasks rose and fell on the test, and which fell; empty for a single task, and without a test."""
    tests = result["test"].get("by_task", {}) if result["test"] else {}
    if not tests:
        return ""
    steps = {name: (each["best"] or 0.0) - (each["initial"] or 0.0) for name, each in tests.items()}
    down = [name for name, step in steps.items() if step < 0]
    rose = sum(step > 0 for step in steps.values())
    if not rose and not down:
        return ""
    head = f"{rose or 'None'} of {counted(len(steps), 'task')} rose, {len(down) or 'none'} fell"
    if not down:
        return f"{head}."
    clear = _fell_clearly(tests)
    named = [_named(name, tests[name], is_clear=name in clear) for name in down[:_MOST_NAMED]]
    more = f", and {len(down) - _MOST_NAMED} more" if len(down) > _MOST_NAMED else ""
    return f"{head}: {', '.join(named)}{more}."


def aggregate_sentence(result: Result) -> str:
    """Say how the judge's shares of a checklist agree with people's; empty without an aggregate."""
    aggregate = result["test"].get("aggregate") if result["test"] else None
    if not aggregate:
        return ""
    before, after = aggregate["initial"], aggregate["best"]
    order = f"{metric_name('spearman')} {figure(before['spearman'])} -> {figure(after['spearman'])}"
    distance = f"{metric_name('mae')} {figure(before['mae'])} -> {figure(after['mae'])}"
    return f"Share of the checklist, over {counted(aggregate['n'], 'item')}: {order}, {distance}."


def not_adopted(result: Result) -> str:
    """Name the rounds whose prompt was not adopted because of tasks that fell; empty without such a round."""
    rounds = [f"{record['round']} ({', '.join(record['fallen'])})" for record in result["rounds"] if "fallen" in record]
    if not rounds:
        return ""
    return f"Not adopted, because a task fell by more than search.floor: round {', round '.join(rounds)}."


def _fell_clearly(tests: dict[str, TaskTest]) -> set[str]:
    """Return the tasks with a clear fall: the corrected p-value (Holm, over all tasks) and the interval agree."""
    adjusted = dict(zip(tests, holm([each["p_value"] for each in tests.values()]), strict=True))
    return {name for name, each in tests.items() if adjusted[name] < SIGNIFICANT and each["difference_ci95"][1] < 0}


def _named(name: str, test: TaskTest, *, is_clear: bool) -> str:
    values = f"{metric_name(test['metric'])} {figure(test['initial'])} -> {figure(test['best'])}"
    return f"{name} ({values}, {probability(test['p_value'])}{', worse' if is_clear else ', no clear fall'})"
