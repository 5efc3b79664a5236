"""`blpo check`: list all problems of a config and its dataset before the first call."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from blpo.cli.error_lines import folded_problems, say
from blpo.cli.options import ConfigArgument, Overrides
from blpo.runs.wording import counted, in_groups, single_line
from state.sample import SplitName

if TYPE_CHECKING:
    from blpo.costs.run_preview import RunPreview


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
        typer.echo("\n".join(map(single_line, folded_problems(lines))))
        say(f"{counted(len(lines), 'problem')} found")
        return 2
    dataset = dataset_of(settings)
    typer.echo("\n".join(map(single_line, _lines(preview(settings, dataset)))))
    return 0


def _lines(run: "RunPreview") -> list[str]:
    calls = f"{run.calls_a_prompt} for each prompt on train and validation, at most {run.test_calls} for the test"
    return [
        f"no problem found: {sum(run.samples.values())} samples, {_listed(run.samples)}",
        *(f"label {label}{_word(run, label)}: {_listed(counts)}" for label, counts in run.labels.items()),
        *run.facts,
        *(f"{role}: {model}" for role, model in run.models.items()),
        f"judge calls: {calls}",
        *_test_line(run),
        *(f"warning: {warning}" for warning in run.warnings),
    ]


def _word(run: "RunPreview", label: str) -> str:
    return f" ({run.words[label]})" if label in run.words else ""


def _test_line(run: "RunPreview") -> list[str]:
    if run.detectable is None:
        return []
    size = in_groups(run.samples["test"], run.test_groups)
    return [f"test: {size} can show differences in accuracy above about {run.detectable:.2f}"]


def _listed(counts: Mapping[SplitName, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())
