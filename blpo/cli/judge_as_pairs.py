"""`blpo judge --as pairwise`: a judge of single images on pairs, in two forms side by side."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from blpo.cli.error_lines import INTERRUPTED, say
from blpo.cli.judge_run import run_judging
from blpo.deployment.inputs import STDIN
from blpo.deployment.judge import Judge
from blpo.deployment.judge_set import SetJudging
from blpo.deployment.pair_forms import PairForm, have_ties, pair_forms
from blpo.deployment.table_input import InputColumns
from blpo.deployment.task_judging import JudgingOptions
from blpo.deployment.verdict_sinks import open_lines
from blpo.metrics.readings import strict_reading
from blpo.runs.wording import count, figure
from state.errors import ConfigError
from state.sample import SplitName

if TYPE_CHECKING:
    from blpo.deployment.summary import Summary

_TITLES: dict[PairForm, str] = {"pairwise": "asked as pairs", "ratings": "two labels compared"}
_METRICS = {
    "accuracy": "accuracy",
    "consistent_accuracy": "consistent accuracy",
    "consistency": "pairs decided",
    "first_rate": 'share of "first" (0.5: no lean)',
    "ties": 'share of "tie"',
}
"""Rows of the table. A pair is decided if both orders have one answer, or if its two labels differ."""


def judge_as_pairs(
    judge: Judge,
    inputs: Sequence[str],
    columns: InputColumns,
    split: SplitName | None,
    out: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Judge pairs in both forms, print the figures of both, and return the exit code.

    `out` gets the lines of the pair form, and the file beside it with the suffix `.ratings` the lines of the other.
    """
    if STDIN in inputs:
        raise ConfigError("--as pairwise reads the inputs twice, and stdin can be read only once; give a file")
    options = JudgingOptions(split=split, columns=columns)
    forms = pair_forms(judge.file, ties=have_ties(inputs))
    works = {form: SetJudging(each, inputs, options) for form, each in forms.items()}
    summaries: dict[PairForm, Summary] = {}
    for form, work in works.items():
        file = out if out is None or form == "pairwise" else out.with_name(f"{out.stem}.{form}{out.suffix}")
        summary = run_judging(work, open_lines(file, work.judge.file), file, visible=not quiet)
        if summary is None:
            return INTERRUPTED
        summaries[form] = summary
    if as_json:
        typer.echo(json.dumps(summaries, indent=1))
    else:
        Console(highlight=False).print(_figures(summaries, has_ties=works["pairwise"].judge.file.task.ties))
    if not quiet:
        labels = works["pairwise"].works[""].labels
        if labels.ignored:
            say(f"{labels.ignored} labels are no labels of pairs and were ignored, the first: {labels.first_ignored}")
    return 0 if all(each["statuses"].get("ok", 0) == each["judged"] for each in summaries.values()) else 1


def _figures(summaries: "Mapping[PairForm, Summary]", *, has_ties: bool) -> Table:
    """Return a table with a column for each form."""
    table = Table("", *(_TITLES[form] for form in summaries), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for metric, name in _METRICS.items():
        if metric == "ties" and not has_ties:
            continue
        values = [_value(summary, metric) for summary in summaries.values()]
        if any(values):
            table.add_row(name, *values)
    table.add_row("pairs judged", *(count(summary["statuses"].get("ok", 0)) for summary in summaries.values()))
    table.add_row("calls", *(count(summary["calls"]["issued"]) for summary in summaries.values()))
    return table


def _value(summary: "Summary", metric: str) -> str:
    """Return a metric with failures as wrong; without labels, a share of the answers; empty if the form has neither."""
    measured, positions = summary["metrics"], summary.get("positions")
    if measured is not None and metric in measured["strict"]:
        return figure(strict_reading(measured, metric))
    return figure(positions[metric]) if positions is not None and metric in positions else ""  # type: ignore[literal-required]
