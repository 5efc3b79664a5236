"""`blpo data`: public sets, and pairs from ratings or ranks, as dataset folders."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.data_pairs import pairs
from blpo.cli.data_report import image_progress, print_prepared
from blpo.cli.help import Page, examples

data = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Make dataset folders of public sets, and pairs of ratings."
)
data.command(cls=Page, epilog=examples("data pairs"))(pairs)


@data.callback()
def sets() -> None:
    """Make dataset folders of public sets, and pairs of ratings."""


@data.command(cls=Page, epilog=examples("data prepare"))
def prepare(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="agin, seetrue, imagereward, unsafebench; pairs: mjbench, hpdv2, pickapic, genaibench, mmrb2, "
            "vlrewardbench, multicrit; several criteria: agiqa3k, evalmuse, richhf18k.",
        ),
    ],
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
            help="AGIN: naturalness, technical or rationality; ImageReward: overall, alignment or fidelity; "
            "Multi-Crit: completeness, clarity, logic ... or all; AGIQA-3K: quality or alignment; RichHF-18K: overall, "
            "plausibility, alignment or aesthetics (otherwise all).",
            show_default="the first",
        ),
    ] = None,
    scale: Annotated[
        tuple[float, float] | None, typer.Option(metavar="LOW HIGH", help="AGIN: lowest and highest possible score.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="ImageReward: ratings or pairs; MMRB2: t2i or edit; GenAI-Bench: generation or edition; Multi-Crit: "
            "open-ended or reasoning.",
            show_default="the first",
        ),
    ] = None,
    subset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="MJ-Bench: read only this file; GenAI-Bench, Pick-a-Pic: read only this split. May be repeated.",
        ),
    ] = None,
    ties: Annotated[
        bool, typer.Option("--ties", help="Pairs: keep ties as a third label. Otherwise ties are left out.")
    ] = False,
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
    options = Options(sample, seed, criterion, form, scale, subsets, skip_bad_rows, take_fewer, ties)
    with image_progress() as count:
        prepared = prepare_folder(name, source, out, options, count)
    print_prepared(prepared, as_json=as_json)
    return 0
