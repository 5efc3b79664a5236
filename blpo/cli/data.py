"""`blpo data`: public sets as dataset folders."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blpo.cli.help import Page, examples
from blpo.runs.wording import single_line

if TYPE_CHECKING:
    from blpo.data.public import Prepared

data = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make dataset folders of public sets.")

_MOST_ROWS = 20
"""Omitted rows in the output; source.json lists all."""


@data.callback()
def sets() -> None:
    """Make dataset folders of public sets."""


@data.command(cls=Page, epilog=examples("data prepare"))
def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="agin, seetrue, imagereward, unsafebench or mjbench.")],
    source: Annotated[Path, typer.Option(metavar="PATH", help="The folder with the set's files as downloaded.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The dataset folder to make; new or empty.")],
    sample: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="paper: class-balanced as in the paper; mt-rl-judge: its yes/no labels and counts; all: every row.",
        ),
    ] = "paper",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all draws.")] = 0,
    criterion: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="AGIN: naturalness, technical or rationality; ImageReward: overall, alignment or fidelity.",
            show_default="the first",
        ),
    ] = None,
    scale: Annotated[
        tuple[float, float] | None, typer.Option(metavar="LOW HIGH", help="AGIN: lowest and highest possible score.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="ImageReward: ratings, or pairs of images.", show_default="ratings"),
    ] = None,
    subset: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="MJ-Bench: read only this file; may be repeated.")
    ] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave out rows that can't be used, and list them in source.json.")
    ] = False,
    take_fewer: Annotated[
        bool, typer.Option("--take-fewer", help="If a class has too few rows, take all its rows.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print source.json on stdout, and nothing else.")] = False,
) -> int:
    """Make a dataset folder of a public set's files as downloaded.

    Writes images, labels.csv, a config for check and optimize, and source.json with the rows taken and left out. Reads
    archives in place. docs/public-data.md has the command for each set.
    """
    from blpo.data.public import Options
    from blpo.data.public import prepare as prepare_folder

    subsets = tuple(subset or ())
    options = Options(sample, seed, criterion, form, scale, subsets, skip_bad_rows, take_fewer)
    with _progress() as count:
        prepared = prepare_folder(name, source, out, options, count)
    if as_json:
        typer.echo((out / "source.json").read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo("\n".join(map(single_line, _report(prepared))))
    return 0


def report_counts(prepared: "Prepared") -> Iterator[str]:
    """Yield a line per split: rows, and rows by label."""
    for split, counts in prepared.counts.items():
        if total := sum(counts.values()):
            listed = ", ".join(f"{label}: {number}" for label, number in counts.items())
            yield f"{split} {total} ({listed})"


def _report(prepared: "Prepared") -> Iterator[str]:
    yield f"{prepared.folder}: {prepared.title}"
    yield from report_counts(prepared)
    yield from (f"note: {note}" for note in prepared.notes)
    yield from (f"left out: {row}" for row in prepared.left_out[:_MOST_ROWS])
    if len(prepared.left_out) > _MOST_ROWS:
        yield f"left out: and {len(prepared.left_out) - _MOST_ROWS} more, all in source.json"
    yield f"next: blpo check {prepared.folder / 'config.yaml'}"


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr if stderr is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as bar:
        task = bar.add_task("images", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
