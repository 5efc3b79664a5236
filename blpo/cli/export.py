"""`blpo export`: a run's judge for other tools, and its disagreements for people to look at again."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import Overrides


class Target(StrEnum):
    """What a run is exported to."""

    python = "python"
    openevals = "openevals"
    langsmith = "langsmith"
    mlflow = "mlflow"
    label_studio = "label-studio"


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The directory of a run, or a judge.yaml.", show_default=False)
    ],
    to: Annotated[Target, typer.Option(help="What to make.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file, or for label-studio a folder [RUN/exports/...].")
    ] = None,
    overrides: Overrides = None,
) -> int:
    """Write a run's judge, or its disagreements, for other tools.

    python: a program that needs no blpo. openevals, langsmith, mlflow: a module with the function image_judge, an
    evaluator or a scorer. label-studio: a folder with tasks.json and config.xml, for looking again at the samples on
    which judge and people disagree. Prints the path of what it wrote.
    """
    from blpo.cli.wording import short_path

    folder = (run if run.is_dir() else run.parent) / "exports"
    if to is Target.label_studio:
        written = _disagreements(run, out or folder / "label-studio", overrides or [])
    else:
        name = "judge.py" if to is Target.python else f"{to.value}_judge.py"
        written = _judge(run, to, folder / name if out is None else out / name if out.is_dir() else out)
    typer.echo(short_path(written))
    return 0


def _judge(run: Path, to: Target, path: Path) -> Path:
    from blpo import load_judge
    from blpo.cli.failures import say
    from blpo.reports.exports.judge_module import Door, judge_module, missing_here
    from blpo.reports.page import write_page

    door: Door = to.value  # type: ignore[assignment] # label-studio is not among them
    source = judge_module(load_judge(run).file, door, (run if run.is_dir() else run.parent).resolve().name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(path, source)
    if hint := missing_here(door):
        say(hint)
    return path


def _disagreements(run: Path, folder: Path, overrides: list[str]) -> Path:
    from blpo.cli.failures import say
    from blpo.cli.wording import short_path
    from blpo.reports.exports.label_studio import write_label_studio
    from state.errors import RunError

    if run.is_file():
        raise RunError(f"{run} is a file; label-studio needs the run directory, for its verdicts and its data")
    number = write_label_studio(run.absolute(), folder, overrides)
    tasks, interface = short_path(folder / "tasks.json"), short_path(folder / "config.xml")
    say(f"{number} disagreements: import {tasks} into a project whose labeling interface is {interface}")
    return folder
