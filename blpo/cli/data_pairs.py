"""`blpo data pairs`: pairs from rated or ranked images."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.data_report import image_progress, print_prepared
from blpo.cli.options import Overrides


def pairs(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER_OR_CONFIG", help="A folder with labels, a labels file, or a config for such data."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The dataset folder to make; new or empty.")],
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column of the group whose images are compared, such as a prompt.",
            show_default="data.group, else the text",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of the rating or rank.", show_default="data.label"),
    ] = None,
    best: Annotated[
        str | None,
        typer.Option(metavar="END", help="highest, for ratings; lowest, for ranks.", show_default="highest"),
    ] = None,
    least: Annotated[float, typer.Option(metavar="N", help="Least difference of two ratings for a preference.")] = 0.0,
    most: Annotated[
        int | None, typer.Option(metavar="N", help="At most so many pairs of a group, drawn from the seed.")
    ] = None,
    ties: Annotated[
        bool, typer.Option("--ties", help="Keep smaller differences as ties. Otherwise such pairs are left out.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the sides and of all draws.")] = 0,
    question: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The first judge prompt: what makes one image the better one."),
    ] = None,
    overrides: Overrides = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave out rows that can't be used, and list them in source.json.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print source.json on stdout, and nothing else.")] = False,
) -> int:
    """Make pairs of a folder's rated or ranked images.

    Every two images of a group are a pair; the image with the better number is preferred. Sides are shuffled. Ratings
    of several people (data.raters) become the preferences of each person. Writes the images, labels.csv, ratings.csv, a
    config with task.kind: pairwise, and source.json.
    """
    from blpo.data.pairing import PairingOptions, write_pairs

    options = PairingOptions(label, group, best, least, most, ties, seed, question, skip_bad_rows)
    with image_progress() as count:
        prepared = write_pairs(source, out, options, overrides or (), count)
    print_prepared(prepared, as_json=as_json)
    return 0
