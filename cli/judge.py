"""`blpo judge`: label new images with a judge that a run left behind."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from cli.failures import say

if TYPE_CHECKING:
    import blpo
    from state.sample import Sample
    from state.verdict import Verdict


def judge(
    judge: Annotated[Path, typer.Argument(metavar="JUDGE", help="A judge.yaml, or a run directory.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="Images, folders, or datasets (labels are not needed).")
    ],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of to stdout.")] = None,
    image_column: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A dataset's image column; two for pairs [image].")
    ] = None,
    text_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's text column [text].")] = None,
    id_column: Annotated[str | None, typer.Option(metavar="NAME", help="A dataset's id column [id].")] = None,
) -> int:
    """Label new images, one JSON line each.

    A line holds image, id, status, label and reason, in the order of the inputs; where the judge has logprobs also
    scores, the probability of each label. What can't be judged gets a line with its status (error, refused,
    unparseable) and no label; the others go on, and the exit code is 1.
    """
    from blpo import load_judge
    from cli.inputs import Columns, samples_of

    loaded = load_judge(judge)
    samples = samples_of(inputs, Columns(tuple(image_column or ()), text_column, id_column))
    try:
        with out.open("w", encoding="utf-8", errors="backslashreplace") if out else nullcontext(sys.stdout) as stream:
            counts = asyncio.run(_write_verdicts(loaded, samples, stream))
    except OSError as error:
        error.filename = error.filename or out
        raise
    say(f"judged {counts.total()} samples: " + ", ".join(f"{n} {status}" for status, n in counts.most_common()))
    return 0 if counts["ok"] == counts.total() else 1


async def _write_verdicts(judge: "blpo.Judge", samples: Iterable["Sample"], stream: TextIO) -> Counter[str]:
    """Write a line a sample as soon as its turn has come; return how many there were by status."""
    counts: Counter[str] = Counter()
    to_judge, shown = tee(samples)
    async for verdict in judge.verdicts(to_judge):
        counts[verdict.status] += 1
        stream.write(json.dumps(_line(next(shown), verdict), ensure_ascii=False) + "\n")
        stream.flush()
    return counts


def _line(sample: "Sample", verdict: "Verdict") -> dict[str, object]:
    images = [getattr(image, "path", image.name) for image in sample.images]
    return {
        "image": images[0] if len(images) == 1 else images,
        "id": sample.id,
        "status": verdict.status,
        "label": verdict.label,
        "reason": verdict.reason,
        **({"scores": dict(verdict.scores)} if verdict.scores else {}),
    }
