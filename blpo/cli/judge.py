"""`blpo judge`: label new images with a judge that a run left behind."""

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blpo.cli.failures import INTERRUPTED, say

if TYPE_CHECKING:
    import blpo
    from blpo.cli.judge_view import JudgeView
    from blpo.deployment.inputs import Input
    from blpo.deployment.judged_set import JudgedSet
    from blpo.deployment.verdict_file import Lines
    from state.result import RoleUsage

GATE_MISSED = 3


def judge(
    judge: Annotated[Path, typer.Argument(metavar="JUDGE", help="A judge.yaml, or a run directory.")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Images, folders, quoted patterns ('shots/**/*.png'), datasets, labels files, a config.yaml, or - for"
            " JSON lines on stdin. Labels are not needed.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write there instead of to stdout; a command that was stopped can go on."),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help="What must hold against the labels: 'macro_f1>=0.8'; may be repeated."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE|RUN", help="Judged samples with labels, which correct the shares of labels."),
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None, typer.Option(help="Judge only this split of a config.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary on stdout as JSON; needs --out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary on stderr.")] = False,
    image_column: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A dataset's image column; two for pairs [image].")
    ] = None,
    text_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's text column [text].")] = None,
    id_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's id column [id].")] = None,
    label_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's label column [label].")] = None,
) -> int:
    """Label new images, one JSON line each.

    A line holds id, image, status, verdict, reason and usage, in the order of the inputs; also label, the human one,
    and scores, the probability of each label, where these are known. What can't be judged gets a line with its status
    (error, refused, unparseable) and no verdict; the others go on, and the exit code is 1.

    With --out a stopped or killed command goes on when it is given again, and asks again only what had failed.

    Where samples are labelled, stderr also tells how well the judge agrees with people, and how frequent each label is
    once the judge's own errors are taken out. Exit code 3: a gate is missed.
    """
    from blpo import load_judge
    from blpo.cli.judge_view import JudgeView, tell
    from blpo.deployment.calibration import read_calibration
    from blpo.deployment.input_rows import Columns, Labels
    from blpo.deployment.inputs import inputs_of, require_labels
    from blpo.deployment.judged_set import JudgedSet, gate_results, summary
    from blpo.metrics.gate import parse_gates
    from state.errors import ConfigError

    if as_json and out is None:
        raise ConfigError("--json prints the summary on stdout, where the lines go; give --out FILE for the lines")
    loaded = load_judge(judge)
    gates = [each for text in gate or () for each in parse_gates(text, loaded.file.task)]
    calibrated = read_calibration(calibration, loaded.file) if calibration else None
    labels = Labels(loaded.file.task, needed=bool(gates))
    columns = Columns(tuple(image_column or ()), text_column, id_column, label_column)
    given = inputs_of(inputs, columns, labels, split)
    if gates:
        require_labels(given)
    judged = JudgedSet(loaded.file.task)
    view = JudgeView(given, shown=not quiet and (out is not None or not sys.stdout.isatty()))
    try:
        with _lines(out, loaded) as lines, view, _sigterm_as_ctrl_c():
            usage = asyncio.run(_judge_all(loaded, given, lines, judged, view))
    except KeyboardInterrupt:
        done = judged.statuses.total()
        hint = "give the same command to go on" if out else "nothing is kept without --out FILE"
        say(f"stopped after {done} images; {hint}")
        return INTERRUPTED
    except OSError as error:
        error.filename = error.filename or out
        raise
    results = gate_results(gates, judged.agreement())
    whole = summary(judged, results, calibrated, usage)
    if as_json:
        typer.echo(json.dumps(whole, indent=1))
    tell(whole, labels, is_calibrated=calibrated is not None, quiet=quiet)
    if not all(result["kept"] for result in results):
        return GATE_MISSED
    return 0 if whole["statuses"].get("ok", 0) == whole["judged"] else 1


async def _judge_all(
    judge: "blpo.Judge", given: "Sequence[Input]", lines: "Lines", judged: "JudgedSet", view: "JudgeView"
) -> "RoleUsage":
    """Write a line for each sample as soon as its turn has come."""
    from blpo.cli.view import CANCELLING
    from blpo.deployment.inputs import samples_of

    async with judge.open(lines.store) as judging:
        items = lines.unfinished(samples_of(given))
        async with aclosing(judging.judged(items)) as stream:
            try:
                async for each in stream:
                    lines.write(each)
                    judged.add(each)
                    view.advance(each.verdict)
            except asyncio.CancelledError:
                say(CANCELLING)
                raise
        return await judging.usage()


@contextmanager
def _lines(out: Path | None, judge: "blpo.Judge") -> "Iterator[Lines]":
    """Where the lines go; only a regular file can be gone on from."""
    from blpo.deployment.verdict_file import StreamLines, VerdictFile

    if out is None:
        yield StreamLines(sys.stdout)
    elif out.exists() and not out.is_file() and not out.is_dir():
        with out.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            yield StreamLines(stream)
    else:
        with VerdictFile(out.resolve() if out.is_symlink() else out, judge.file) as lines:
            if lines.kept:
                say(f"going on with {out}: {lines.kept} lines are there")
            yield lines


@contextmanager
def _sigterm_as_ctrl_c() -> "Iterator[None]":
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
