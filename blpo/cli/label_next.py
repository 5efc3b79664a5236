"""`blpo disagreements --unlabelled`: images that are worth a label."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from blpo.cli.error_lines import say
from blpo.runs.wording import counted

if TYPE_CHECKING:
    from blpo.deployment.least_sure import LeastSure

_BUDGET_SPENT = 4


def label_next(
    run: Path,
    inputs: list[str],
    folder: Path,
    most: int,
    calls: int | None,
    confidence: Literal["logprobs", "repeats", "words"] | None,
    task: str | None = None,
) -> int:
    """Judge inputs without labels, write the least sure samples into `folder`, and print its labels file.

    `task` is the one of several tasks or criteria to judge by.
    """
    from blpo.deployment.confidence_source import with_source
    from blpo.deployment.input_labels import InputLabels
    from blpo.deployment.inputs import inputs_of, samples_of
    from blpo.deployment.judge import label_column, load_judge
    from blpo.deployment.least_sure import least_sure, require_confidence
    from blpo.deployment.table_input import InputColumns
    from blpo.reports.exports.labels_stub import STUB, require_unlabelled, write_stub

    judge = require_confidence(with_source(load_judge(run, task), confidence))
    file, column = judge.file.of_task(task or ""), label_column(judge, task or "")
    require_unlabelled(folder, column)
    columns = InputColumns(further=file.further_columns or (), several=file.image_names is not None, usual_label=column)
    sources = inputs_of(inputs, columns, InputLabels(file.task, required=False, name=task or ""))
    folder.mkdir(parents=True, exist_ok=True)
    work = least_sure(judge, samples_of(sources), folder / "answers.sqlite", most=most, calls=calls)
    outcome = asyncio.run(work)
    chosen = outcome.chosen()
    if chosen:
        write_stub(folder, chosen, file.task, f"blpo {run.resolve().name}", column)
        typer.echo(str(folder / STUB))
    for line in _sentences(outcome, len(chosen)):
        say(line)
    return _BUDGET_SPENT if outcome.budget_spent else 0


def _sentences(outcome: "LeastSure", chosen: int) -> Iterator[str]:
    yield f"judged {counted(outcome.judged, 'sample')}; the {chosen} least sure are worth a label"
    left_out = [
        (outcome.labelled, "with a label or in the run's dataset"),
        (outcome.near, "near-duplicates"),
        (outcome.errors, "without an answer"),
        (outcome.unknown, "without a confidence"),
    ]
    if any(count for count, _ in left_out):
        yield "left out: " + ", ".join(f"{count} {why}" for count, why in left_out if count)
    if outcome.budget_spent:
        yield "--calls is spent; with more, the same command goes on and pays for nothing twice"
