"""`blpo confidence`: how sure the judge of a run is, and what agreement follows from it."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blpo.cli.options import RunArgument

if TYPE_CHECKING:
    from rich.table import Table

    from blpo.deployment.cascade_replay import CascadeRow
    from blpo.deployment.run_confidence import TaskConfidence


def confidence(
    run: RunArgument,
    source: Annotated[
        Literal["logprobs", "repeats", "words"] | None,
        typer.Option("--confidence", help="Source of the confidence, in place of the config's."),
    ] = None,
    calibrate_on: Annotated[
        str | None,
        typer.Option(metavar="INPUT", help="Labelled samples that the search has not seen [data.split.calibration]."),
    ] = None,
    delta: Annotated[float, typer.Option(help="Accepted probability that a target is missed.")] = 0.05,
    escalate: Annotated[
        Path | None,
        typer.Option(
            metavar="JUDGE2", help="A second judge for samples below a threshold: agreement and cost of both."
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(metavar="NAME", help="Only one of several tasks.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON on stdout.")] = False,
) -> int:
    """Measure how sure the judge of a run is.

    Judges the test split with confidences; answers of the run are not paid for again. Prints the agreement at each
    coverage, and with labelled samples that the search has not seen the thresholds with guaranteed agreement. The
    --escalate asks a second judge about the test split, and replays both judges at all thresholds with their cost. The
    numbers and plots are also in RUN/confidence/, and in the report.
    """
    from blpo import report as write_report
    from blpo.cli.confidence_sentences import quality_sentences
    from blpo.cli.error_lines import say
    from blpo.cli.paths import short_path
    from blpo.data.message_text import in_task
    from blpo.deployment.run_confidence import measure_confidence
    from blpo.reports.confidence_charts import write_charts

    measured = asyncio.run(measure_confidence(run, source, calibrate_on, delta, escalate, task))
    if as_json:
        typer.echo(json.dumps(measured.content, indent=1))
    for name, part in measured.by_task.items():
        if not as_json:
            _print(name, part, measured.delta)
        for line in quality_sentences(part["confidence"]):
            say(in_task(name, line))
    pages = [*write_charts(run.absolute(), measured), asyncio.run(write_report(run.absolute()))]
    say(f"wrote {', '.join(map(short_path, pages))}")
    return 0


def _print(task: str, content: "TaskConfidence", delta: float) -> None:
    from rich.console import Console

    from blpo.data.message_text import in_task

    console = Console(highlight=False)
    console.print(_replay_table(in_task(task, "Test split, from the surest verdicts on"), content))
    if content["guarantees"]:
        calibrated_on = content["confidence"]["calibrated_on"]
        title = f"Guaranteed agreement at delta {delta:g}, from {calibrated_on}"
        console.print(_guarantee_table(in_task(task, title), content))
    if content.get("cascade"):
        title = "A second judge below the confidence, on the test split"
        console.print(_cascade_table(in_task(task, title), content["cascade"]))


def _replay_table(title: str, content: "TaskConfidence") -> "Table":
    table = _table(title, "confidence", "coverage", "agreement", "left to others")
    for row in content["replay"]:
        cells = f"{row['threshold']:.3f}", f"{row['coverage']:.1%}", f"{row['agreement']:.1%}", str(row["left"])
        table.add_row(*cells)
    return table


def _guarantee_table(title: str, content: "TaskConfidence") -> "Table":
    table = _table(title, "agreement", "coverage", "fewest labelled samples")
    for row in content["guarantees"]:
        coverage = "none" if row["threshold"] is None else f"{row['coverage']:.1%}"
        table.add_row(f"{row['target_agreement']:g}", coverage, str(row["fewest"]))
    return table


def _cascade_table(title: str, rows: "list[CascadeRow]") -> "Table":
    table = _table(title, "confidence", "coverage", "agreement", "escalated", "agreement of both", "US $")
    for row in _spread(rows):
        confidence = "all escalated" if row["threshold"] is None else f"{row['threshold']:.3f}"
        agreement = "" if row["agreement"] is None else f"{row['agreement']:.1%}"
        usd = "?" if row["usd"] is None else f"{row['usd']:.4f}"
        cells = f"{row['coverage']:.1%}", agreement, str(row["escalated"]), f"{row['agreement_of_both']:.1%}", usd
        table.add_row(confidence, *cells)
    return table


def _spread(rows: "list[CascadeRow]") -> "list[CascadeRow]":
    """Return at most a dozen rows, the first and the last among them; --json has all."""
    last = len(rows) - 1
    return [rows[place] for place in sorted({round(step * last / 11) for step in range(12)})]


def _table(title: str, *columns: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
