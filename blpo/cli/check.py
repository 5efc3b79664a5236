"""`blpo check`: list all problems of a config and its dataset before the first call."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from blpo.cli.error_lines import folded_problems, say
from blpo.cli.options import ConfigArgument, Overrides
from blpo.cli.terminal_lines import fitted
from blpo.data.message_text import in_task
from blpo.runs.wording import counted, in_groups, single_line
from state.sample import SplitName

if TYPE_CHECKING:
    from blpo.costs.run_preview import RunPreview, TaskPreview


def check(config: ConfigArgument = None, overrides: Overrides = None) -> int:
    """List the problems of a config and its dataset.

    Checks settings, labels, images and models; nothing is sent anywhere. Prints the first ten problems and a count of
    the rest, with exit code 2. Without a problem, prints what a run would use: samples, labels, models, calls.
    """
    from blpo.config.settings_file import load_settings
    from blpo.costs.run_preview import preview
    from blpo.data.run_dataset import dataset_of
    from blpo.runs.preflight import problems

    settings = load_settings(config, overrides or [])
    if lines := problems(settings):
        _print(folded_problems(lines))
        say(f"{counted(len(lines), 'problem')} found")
        return 2
    dataset = dataset_of(settings)
    _print(_lines(preview(settings, dataset)))
    return 0


def _print(lines: Sequence[str]) -> None:
    typer.echo("\n".join(fitted(single_line(line), sys.stdout) for line in lines))


def _lines(run: "RunPreview") -> list[str]:
    calls = f"{run.calls_a_prompt} for each prompt on train and validation, at most {run.test_calls} for the test"
    by_split = Counter[SplitName]()
    for task in run.tasks.values():
        by_split.update(task.samples)
    return [
        f"no problem found: {by_split.total()} samples, {_listed(by_split)}{_set_aside(*run.tasks.values())}",
        *(in_task(name, line) for name, task in run.tasks.items() for line in _task_lines(name, task)),
        *run.facts,
        *(f"{role}: {model}" for role, model in run.models.items()),
        f"judge calls: {calls}",
        *(in_task(name, line) for name, task in run.tasks.items() for line in _test_line(task)),
        *(f"warning: {warning}" for warning in run.warnings),
    ]


def _task_lines(name: str, task: "TaskPreview") -> list[str]:
    samples = [f"{sum(task.samples.values())} samples, {_listed(task.samples)}{_set_aside(task)}"] if name else []
    labels = [f"label {label}{_word(task, label)}: {_listed(counts)}" for label, counts in task.labels.items()]
    return [*samples, *labels]


def _set_aside(*tasks: "TaskPreview") -> str:
    """Return the number of samples of the calibration, to follow those of the splits; empty without any."""
    number = sum(task.calibration for task in tasks)
    return f"; {number} more set aside for the calibration" if number else ""


def _word(task: "TaskPreview", label: str) -> str:
    return f" ({task.words[label]})" if label in task.words else ""


def _test_line(task: "TaskPreview") -> list[str]:
    if task.detectable is None:
        return []
    size = in_groups(task.samples["test"], task.test_groups)
    return [f"test: {size} can show differences in accuracy above about {task.detectable:.2f}"]


def _listed(counts: Mapping[SplitName, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())
