"""`blpo disagreements`: samples on which judge and people differ, and corrected labels."""

import getpass
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blpo.cli.error_lines import say
from blpo.cli.label_next import label_next
from blpo.cli.options import RunArgument
from blpo.cli.paths import short_path
from blpo.runs.wording import counted, single_line

if TYPE_CHECKING:
    from blpo.reports.disagreements import Disagreement
    from blpo.reports.label_source import LabelSource

_MOST_ROWS = 50
"""Rows of the table; --json and --csv give all rows."""


def disagreements(
    run: RunArgument,
    task: Annotated[str | None, typer.Option(metavar="NAME", help="Only one of several tasks.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    as_csv: Annotated[
        bool,
        typer.Option(
            "--csv", help="Print CSV on stdout; change or confirm labels in the file, and give the file to --correct."
        ),
    ] = False,
    correct: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Record corrected labels: CSV or JSON lines (id, label, maybe confirmed, note), or Label Studio JSON.",
        ),
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who corrected them; default: your login.")] = None,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT", help="Judge images without labels, and write those to label next; may be repeated."
        ),
    ] = None,
    most: Annotated[int, typer.Option("-n", min=1, max=10_000, help="With --unlabelled: most samples to label.")] = 50,
    calls: Annotated[
        int | None, typer.Option(min=1, help="With --unlabelled: most judge calls of all commands with one --out.")
    ] = None,
    confidence: Annotated[
        Literal["logprobs", "repeats", "words"] | None,
        typer.Option(help="With --unlabelled: source of the confidence, in place of the judge's own."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="With --unlabelled: folder to write [RUN/to-label, for a task to-label.TASK]."
        ),
    ] = None,
) -> int:
    """List the samples on which judge and people differ.

    Verdicts are of the best prompt, the most confident first. --correct records corrected labels as a new version of
    the dataset in a separate file; the dataset stays unchanged. A row that nobody changed counts only with yes in the
    column confirmed.

    --unlabelled judges images without labels, and writes those about which the judge is least sure, without
    near-duplicates: a labels file to fill in, and tasks for Label Studio. Exit code 4: --calls did not suffice.
    """
    if unlabelled:
        if as_json or as_csv or correct is not None:
            raise typer.BadParameter("--unlabelled writes a folder; leave out --json, --csv and --correct")
        folder = out or run / (f"to-label.{task}" if task else "to-label")
        return label_next(run, unlabelled, folder, most, calls, confidence, task)
    if calls is not None or confidence is not None or out is not None:
        raise typer.BadParameter("--calls, --confidence and --out belong to --unlabelled")
    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    if correct is not None:
        return _correct(run, correct, getpass.getuser() if by is None else by)
    from blpo.reports.disagreements import disagreement_rows, order
    from blpo.reports.disagreements import disagreements as find
    from blpo.reports.disagreements_csv import write_csv
    from blpo.reports.label_source import label_source
    from blpo.runs.run_record import RunRecord

    problems = find(run, task)
    if as_json:
        typer.echo(json.dumps(disagreement_rows(problems), indent=1, ensure_ascii=False))
    elif as_csv:
        write_csv(sys.stdout, problems)
    else:
        source = label_source(RunRecord.read(run).settings)
        _print_table(problems, source)
        say(f"{len(problems)} disagreements, {order(problems, source)}")
    return 0


def _correct(run: Path, file: Path, by: str) -> int:
    from blpo.reports.relabelling import correct

    version = correct(run, file, by)
    typer.echo(str(version.file))
    counts = ", ".join(f"{name} {count}" for name, count in version.changed.items())
    say(
        f"version {version.number}: {sum(version.changed.values())} labels corrected ({counts}),"
        f" {version.confirmed} confirmed; the dataset itself stays as it was"
    )
    if version.untouched:
        rows = counted(version.untouched, "unchanged row")
        say(f"{rows} left out; to confirm a label, write yes into the column confirmed of its row")
    for note in version.notes:
        say(note)
    config, new = shlex.quote(short_path(run / "config.yaml")), shlex.quote(short_path(version.file))
    say(f"a run on it: blpo optimize {config} --set run.dir= --set data.corrections={new}")
    return 0


def _print_table(problems: "list[Disagreement]", source: "LabelSource") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", max_width=24, overflow="fold")
    for name in ("split", source.short, "judge", "sure"):
        table.add_column(name)
    room = max(20, console.width - 60)  # the sentence gives way, not the numbers
    table.add_column("what the judge said", no_wrap=True, overflow="ellipsis", max_width=room)
    for each in problems[:_MOST_ROWS]:
        sure = f"{each.confidence:.2f}" if each.confidence is not None else "steady" if each.steady else ""
        cells = (each.id, each.split, str(each.label), each.answer, sure, each.reason)
        table.add_row(*(Text(single_line(cell)) for cell in cells))
    console.print(table)
    if len(problems) > _MOST_ROWS:
        console.print(f"and {len(problems) - _MOST_ROWS} more (--json and --csv list all)")
