"""`blpo judge`: label new images with the judge of a run."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blpo.cli.error_lines import INTERRUPTED
from blpo.cli.run_gates import GATE_MISSED

if TYPE_CHECKING:
    from blpo.deployment.judge import Judge


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
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The task of the images, or one criterion, for a judge of several."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write to FILE (with --engine: a folder), not to stdout; a stopped command can go on."
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Read Parquet files, and write Parquet files into the folder --out, for millions of images."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="N/OF", help="With --engine: judge this share of the rows, as in 3/16.")
    ] = None,
    block_rows: Annotated[
        int | None,
        typer.Option(metavar="N", min=2, help="With --engine: most rows that a kill of a worker repeats [4000]."),
    ] = None,
    actors: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With --engine ray: workers [one for each CPU].")
    ] = None,
    ray_address: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With --engine ray: a cluster, in place of this machine.")
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With --engine: budget of the folder in calls.")
    ] = None,
    max_usd: Annotated[
        float | None, typer.Option(metavar="USD", help="With --engine: budget of the folder in dollars.")
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help="Required agreement with labels: 'macro_f1>=0.8'; may be repeated."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE|RUN", help="Labelled verdicts that correct the shares of labels."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="OLD.jsonl", help="Lines of an earlier judging of the same samples: what changed since."),
    ] = None,
    confidence: Annotated[
        Literal["logprobs", "repeats", "words"] | None,
        typer.Option(help="Source of the confidence, in place of the judge's own."),
    ] = None,
    calibrate_on: Annotated[
        str | None,
        typer.Option(metavar="INPUT", help="Labelled samples that the search has not seen; they calibrate."),
    ] = None,
    target_agreement: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Mark verdicts as trusted that agree with people this often."),
    ] = None,
    delta: Annotated[float, typer.Option(help="Accepted probability that the target is missed.")] = 0.05,
    escalate: Annotated[
        Path | None,
        typer.Option(metavar="JUDGE2", help="A second judge, which decides where the verdict is not trusted."),
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None, typer.Option(help="Judge only this split of a config.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary on stdout as JSON; needs --out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary on stderr.")] = False,
    image_column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A dataset's image column; or several columns [image]."),
    ] = None,
    text_column: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A dataset's text column; two for pairs of texts [text].")
    ] = None,
    id_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's id column [id].")] = None,
    label_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's label column [label].")] = None,
    group_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's group column [group].")] = None,
    reference_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the image to compare with [reference].")
    ] = None,
    reference_text_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the text to compare with [reference_text].")
    ] = None,
    before_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the image before the edit [before].")
    ] = None,
    as_kind: Annotated[
        Literal["pairwise", "ranking"] | None,
        typer.Option(
            "--as",
            help="pairwise: compare pairs by a judge of single images, asked as pairs and by two labels. ranking: rank"
            " lists by a judge of single images (sorted) or of pairs (Bradley-Terry).",
        ),
    ] = None,
    best: Annotated[
        Literal["lowest", "highest"] | None, typer.Option(help="With --as ranking: the best rank or rating in a table.")
    ] = None,
) -> int:
    """Label new images, one JSON line each.

    A line holds id, image, status, verdict, reason and usage, in the order of the inputs. If known, a line also holds
    the human label and scores (the probability of each label). A failed image gets a line with its status (error,
    refused, unparseable) and no verdict; the exit code is then 1.

    A judge of several criteria labels every image by all of them, one line each with the `task`. For several tasks
    --task names the one of the images.

    With --out the same command goes on after a stop or a kill, and asks again only about failed images.

    With --as pairwise the inputs are pairs, and the judge labels single images: each pair is judged by the same prompt
    in pair form, and by comparing the labels of the two. Stdout has the figures of both forms.

    For labelled samples stderr also shows the agreement with people, and the share of each label corrected for the
    judge's errors. Exit code 3: a gate is missed.

    With --baseline stderr shows the samples whose label changed since an earlier judging, agreement before and after
    with a test, and a changed version of the model. Gates: 'drift:flips<=0.05', 'drift:difference>=-0.02'.

    With --engine the inputs are Parquet files, folders or patterns, also at s3:// and gs:// addresses, and --out is a
    folder of Parquet files. The same command goes on after a kill. See docs/many-images.md.

    With --confidence, or for a judge whose model has a confidence, a line holds the probability that the verdict is
    right. --calibrate-on makes it honest. --target-agreement 0.9 marks the verdicts that agree with people in at least
    90 % of the cases, at a confidence of 1 - delta. With --escalate a second judge decides about the others.
    """
    from blpo import load_judge
    from blpo.bulk.bulk_judging import BulkOptions
    from blpo.bulk.shard import Shard
    from blpo.cli.judge_as_pairs import judge_as_pairs
    from blpo.cli.judge_bulk import engine_of, judge_bulk, require_bulk
    from blpo.cli.judge_run import run_judging
    from blpo.cli.judge_view import print_judged
    from blpo.deployment.confidence_source import with_source
    from blpo.deployment.judge_set import SetJudging
    from blpo.deployment.table_input import InputColumns
    from blpo.deployment.task_judging import JudgingOptions
    from blpo.deployment.trust import TrustTarget
    from blpo.deployment.verdict_sinks import StreamLines, open_lines
    from state.errors import ConfigError
    from state.settings import LimitSettings

    columns = InputColumns(
        *(tuple(image_column or ()), _texts(text_column), id_column, label_column, group_column),
        *(reference_column, reference_text_column, before_column),
    )
    if engine or shard:
        refused: dict[str, object] = {
            "--calibration": calibration,
            "--baseline": baseline,
            "--calibrate-on": calibrate_on,
        }
        refused |= {"--target-agreement": target_agreement, "--escalate": escalate, "--split": split, "--as": as_kind}
        folder = require_bulk(out, refused)
        limits = LimitSettings(calls=max_calls, usd=max_usd)
        bulk = BulkOptions(columns, gate or (), limits, Shard.read(shard or "1/1"), block_rows)
        of_images = with_source(load_judge(judge, task), confidence)
        how = engine_of(engine, ray_address, actors)
        return judge_bulk(of_images, inputs, folder, bulk, how, as_json=as_json, quiet=quiet)
    if block_rows or max_calls or max_usd or actors or ray_address:
        raise ConfigError("--block-rows, --max-calls, --max-usd, --actors and --ray-address belong to --engine")
    file = None if out is None else Path(out)
    if as_kind == "pairwise":
        if best is not None:
            raise ConfigError("--best belongs to --as ranking")
        if gate or calibration or baseline or confidence or calibrate_on or target_agreement or escalate:
            others = (
                "--gate, --calibration, --baseline, --confidence, --calibrate-on, --target-agreement and --escalate"
            )
            raise ConfigError(f"--as pairwise compares two forms of a judge; leave out {others}")
        return judge_as_pairs(load_judge(judge, task), inputs, columns, split, file, as_json=as_json, quiet=quiet)
    if as_json and file is None:
        raise ConfigError("--json prints the summary on stdout, where the lines go; give --out FILE for the lines")
    options = JudgingOptions(
        gates=gate or (),
        calibration=calibration,
        baseline=baseline,
        calibrate_on=calibrate_on,
        target=None if target_agreement is None else TrustTarget(target_agreement, delta),
        escalate=None if escalate is None else load_judge(escalate),
        split=split,
        columns=columns,
    )
    work = SetJudging(with_source(_judge_of(load_judge(judge, task), as_kind, best), confidence), inputs, options)
    lines = nullcontext(StreamLines(sys.stdout)) if file is None else open_lines(file, work.judge.file)
    summary = run_judging(work, lines, file, visible=not quiet and (file is not None or not sys.stdout.isatty()))
    if summary is None:
        return INTERRUPTED
    if as_json:
        typer.echo(json.dumps(summary, indent=1))
    labels = {name: own.labels for name, own in work.works.items()}
    print_judged(summary, labels, is_calibrated=calibration is not None, quiet=quiet)
    if not all(result["kept"] for result in summary["gates"]):
        return GATE_MISSED
    return 0 if summary["statuses"].get("ok", 0) == summary["judged"] else 1


def _judge_of(judge: "Judge", as_kind: str | None, best: Literal["lowest", "highest"] | None) -> "Judge":
    from blpo.deployment.list_judging import JudgeOfLists
    from state.errors import ConfigError

    if (as_kind is None) != (best is None):
        raise ConfigError("--as ranking and --best lowest (ranks) or --best highest (ratings) belong together")
    return judge if best is None else JudgeOfLists(judge, best)


def _texts(columns: list[str] | None) -> str | tuple[str, str] | None:
    from state.errors import ConfigError

    if columns and len(columns) > 2:
        raise ConfigError("--text-column is given more than twice; a pair has two texts")
    return (columns[0], columns[1]) if columns and len(columns) == 2 else columns[0] if columns else None
