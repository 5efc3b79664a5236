"""`blpo init`: a new project with config.yaml, two prompts, and a place for the data."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder; may be new.")] = Path("."),
    data: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A labels file, or a folder of images with or without one.")
    ] = None,
    image: Annotated[str | None, typer.Option(metavar="NAME", help="The labels file's column of the image.")] = None,
    label: Annotated[str | None, typer.Option(metavar="NAME", help="The labels file's column of the label.")] = None,
    criteria: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Several columns of labels: each is a criterion of the image."),
    ] = None,
    labels: Annotated[str | None, typer.Option(metavar="A,B,...", help="The labels are these categories.")] = None,
    scale: Annotated[str | None, typer.Option(metavar="LOW-HIGH", help="The labels are ratings, such as 1-5.")] = None,
    ranking: Annotated[
        Literal["lowest", "highest"] | None,
        typer.Option(metavar="BEST", help="The labels order the images of lists: lowest (ranks) or highest (ratings)."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column of the group; for rankings of the list.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(metavar="MODEL", help="embedded, or a model's name such as vllm:Qwen/Qwen2.5-VL-7B.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The OpenAI-compatible server of the judge.")
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The model that writes prompts, for a judge on a server.")
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="The good category (task.positive): it scores 1 in exports."),
    ] = None,
    question: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the judge is to decide: the first judge prompt.")
    ] = None,
    round: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="nearest or none (task.round), for ratings with fractions, as means are."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the options, and defaults.")] = False,
) -> int:
    """Write a config, prompts and a place for your data.

    Asks four to seven questions; options answer questions beforehand. The columns of a labels file decide the
    proposals. Nothing is overwritten, and nothing is written before the last answer. --yes says what was assumed.
    """
    from blpo.cli.init_questions import ProjectOptions, ask_project
    from blpo.data.project_data import ColumnNames
    from blpo.runs.new_project import CONFIG_FILE, refuse_config, write_project

    refuse_config(folder)
    options = ProjectOptions(
        data,
        ColumnNames(image, label, group, _names(criteria)),
        labels,
        scale,
        judge,
        base_url,
        optimizer,
        positive,
        question,
        round,
        ranking,
    )
    project = ask_project(folder, options, asks=not yes)
    typer.echo("\n".join(write_project(folder, project)))
    typer.echo("\n".join([*project.todo, f"then: blpo check {shlex.quote(str(folder / CONFIG_FILE))}"]))
    return 0


def _names(criteria: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in (criteria or "").split(",") if name.strip()))
