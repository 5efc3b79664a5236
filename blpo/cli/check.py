"""`blpo check`: everything that is wrong with a config and its dataset, before any call is paid for."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from blpo.cli.failures import say
from blpo.cli.options import Config, Overrides
from blpo.cli.wording import one_line
from state.sample import SplitName

ROLES = ("judge", "verbalizer", "optimizer")

if TYPE_CHECKING:
    from blpo.data.dataset import Dataset
    from state.settings import Settings


def check(config: Config = None, overrides: Overrides = None) -> int:
    """List every problem with a config and its dataset.

    Settings, labels, images and models are looked at; nothing is sent anywhere. Exit code 2 where there are problems.
    Otherwise it says what a run would use: samples, labels, models, calls.
    """
    from blpo.config.settings_file import load_settings
    from blpo.data.dataset import dataset_of
    from blpo.data.dataset_check import check_dataset
    from blpo.runs.preflight import unusable

    settings = load_settings(config, overrides or [])
    problems = [*dict.fromkeys(map(str, unusable(settings))), *check_dataset(settings)]
    if problems:
        typer.echo("\n".join(map(one_line, problems)))
        say(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
        return 2
    typer.echo("\n".join(map(one_line, report(settings, dataset_of(settings)))))
    return 0


def report(settings: "Settings", dataset: "Dataset") -> list[str]:
    """What a run with these settings would use: samples, labels, models and calls, a line each."""
    sizes = {name: len(samples) for name, samples in dataset.splits.items()}
    judging, test = sizes["train"] + sizes["validation"], 2 * sizes["test"]
    return [
        f"no problem found: {sum(sizes.values())} samples, {_listed(sizes)}",
        *(f"label {label}: {_listed(counts)}" for label, counts in _label_counts(settings, dataset).items()),
        *(f"{role}: {settings.models.of(role).name}" for role in ROLES),
        f"judge calls: {judging} for each prompt on train and validation, at most {test} for the test",
        *_warnings(settings.limits.calls, judging, test),
        *_few(sizes["test"]),
    ]


def _few(test: int) -> list[str]:
    from blpo.reports.outcome import FEW

    return [f"warning: so few test samples ({test}) can hardly show a difference; label more"] if test < FEW else []


def _label_counts(settings: "Settings", dataset: "Dataset") -> dict[str, dict[SplitName, int]]:
    counts = {name: Counter(sample.label for sample in samples) for name, samples in dataset.splits.items()}
    return {str(label): {name: counts[name][label] for name in counts} for label in settings.task.values}


def _listed(counts: Mapping[SplitName, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())


def _warnings(limit: int | None, judging: int, test: int) -> list[str]:
    if limit is None or limit >= judging + test:
        return []
    if limit < test:
        return [f"warning: limits.calls ({limit}) can't pay for the test; it may need {test} calls"]
    left = limit - test
    return [f"warning: limits.calls ({limit}) leaves {left} calls beside the test; judging one prompt needs {judging}"]
