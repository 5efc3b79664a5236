"""`blpo train`: training data of a judge for trainers, and training by TRL."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blpo.cli.help import Page, examples
from blpo.cli.options import Overrides, Quiet

if TYPE_CHECKING:
    from blpo.training.exported import Exported

train = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Export the train split for trainers, and train by TRL."
)


@train.callback()
def commands() -> None:
    """Export the train split for trainers, and train by TRL."""


@train.command(cls=Page, epilog=examples("train export"))
def export(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="CONFIG",
            help="YAML files of runs, or run directories; several are the tasks of one judge, as NAME=CONFIG.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to make; new or empty.", show_default=False)],
    framework: Annotated[
        Literal["trl", "llamafactory", "easyr1"],
        typer.Option("--for", help="The trainer.", show_default=False),
    ],
    stage: Annotated[
        Literal["sft", "grpo", "dpo"],
        typer.Option(help="Right answers, rewards, or preferences.", show_default=False),
    ],
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Most examples; tasks and labels keep their shares.")
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option("--recipe", metavar="KEY=VALUE", help="Change the recipe, e.g. batch=64; may be repeated."),
    ] = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON on stdout.")] = False,
) -> int:
    """Write the train split for a trainer: data, reward, recipe, README.

    Validation and test stay out, by id and by image. A run gives its selected prompt, and its judge's right reasons for
    sft; dpo needs a run whose judge was asked repeatedly (votes). No model is called.
    """
    import asyncio

    from blpo.cli.data_report import image_progress
    from blpo.cli.error_lines import say
    from blpo.cli.paths import short_path
    from blpo.training.export import export_training
    from blpo.training.recipe import recipe_of

    settings = recipe_of(stage, recipe or [])
    with image_progress() as count:
        exported = asyncio.run(
            export_training(sources, out, framework, settings, limit=limit, overrides=overrides or [], count=count)
        )
    if as_json:
        typer.echo(json.dumps({**asdict(exported), "folder": str(out)}, indent=1, ensure_ascii=False))
        return 0
    for line in _lines(exported, stage):
        say(line)
    typer.echo(short_path(out))
    return 0


def _lines(exported: "Exported", stage: str) -> Iterator[str]:
    from blpo.runs.wording import counted

    tasks = ", ".join(f"{name} {number}" for name, number in exported.by_task.items() if name)
    yield counted(exported.examples, "example") + (f" ({tasks})" if tasks else "")
    if stage == "sft":
        yield f"{exported.reasons} have a reason of the judge; the others have an empty reason"
    if exported.left_out:
        yield f"left out: {counted(exported.left_out, 'train sample')} with an image of validation or test"


@train.command(cls=Page, epilog=examples("train run"))
def run(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="An export for TRL (blpo train export --for trl).", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of the training.", show_default="DIR/model")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change recipe.yaml, e.g. batch=32; may be repeated."),
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Train by the recipe of an export, here or on a GPU.

    Needs the extra `train`. Writes checkpoints, log.jsonl, curve.svg, and at the end final/, a whole model for vllm
    serve. The same command goes on after Ctrl-C or a kill. Prints the model's folder.
    """
    from blpo.cli.error_lines import say
    from blpo.cli.paths import short_path
    from blpo.cli.train_view import training_view
    from blpo.training.processes import is_main
    from blpo.training.training_run import run_training

    with training_view(quiet=quiet or not is_main()) as on_line:
        trained = run_training(folder, changes or [], out, on_line)
    if not is_main():
        return 0
    say(f"trained for {trained.steps} updates; curve: {short_path(trained.model.parent / 'curve.svg')}")
    typer.echo(short_path(trained.model))
    return 0
