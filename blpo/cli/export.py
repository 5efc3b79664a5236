"""`blpo export`: the judge of a run for other tools, the disagreements for Label Studio, or all verdicts as CSV."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from blpo.cli.options import Overrides


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The directory of a run, or a judge.yaml.", show_default=False)
    ],
    to: Annotated[
        Literal["python", "openevals", "langsmith", "mlflow", "label-studio", "csv"],
        typer.Option(help="The kind of export.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file, or for label-studio a folder [RUN/exports/...].")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The one task or criterion to export, for a judge of several."),
    ] = None,
    overrides: Overrides = None,
) -> int:
    """Write a run's judge or its verdicts for other tools.

    python: a program that needs no blpo. openevals, langsmith, mlflow: a module with the function image_judge, an
    evaluator or a scorer. openevals and langsmith score a category: 1 for task.positive, else 0. label-studio: a folder
    with tasks.json and config.xml, for a second look of people at the disagreements. csv: a table of all verdicts of
    both prompts. Prints the path of the export.
    """
    from blpo.cli.error_lines import say
    from blpo.cli.paths import short_path
    from blpo.reports.exports.judge_module import missing_here
    from blpo.reports.exports.write import export_disagreements, export_judge, export_verdicts
    from blpo.runs.wording import counted

    if to == "label-studio":
        path, number = export_disagreements(run, out, overrides, task)
        tasks, interface = short_path(path / "tasks.json"), short_path(path / "config.xml")
        say(f"{number} disagreements: import {tasks} into a project whose labeling interface is {interface}")
    elif to == "csv":
        path, number = export_verdicts(run, out)
        say(f"{counted(number, 'row')}; a report made from now on links the table in its place: blpo report RUN")
    else:
        path = export_judge(run, to, out, overrides or [], task)
        if hint := missing_here(to):
            say(hint)
    typer.echo(short_path(path))
    return 0
