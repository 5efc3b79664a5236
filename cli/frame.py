"""The live view's frame: where the run is, how well it does, and what it costs."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.progress import Progress
from cli.usage import usage_table
from cli.wording import metric_name, one_line

PHASES = {
    "collect_errors": "drawing a batch of errors",
    "verbalize": "describing images",
    "critique_judge": "criticising the judge prompt",
    "update_judge": "rewriting the judge prompt",
    "critique_i2t": "criticising the I2T prompt",
    "update_i2t": "rewriting the I2T prompt",
    "evaluate_test": "judging the test split",
}

SHOWN = 6
"""How many of the last values are written out."""

BLOCKS = "▁▂▃▄▅▆▇█"


def frame(progress: Progress, elapsed: str, notice: str) -> RenderableType:
    """At most a dozen lines, none wrapped, each with what matters most at its left."""
    if not progress.run:
        return _line(f"reading the data · {elapsed}")
    lines: list[RenderableType] = [_line(_where(progress, elapsed), style="bold")]
    if progress.total:
        lines.append(_bar(progress))
    if progress.validation:
        lines.append(_validation(progress))
    if progress.scores:
        lines.append(_line(f"trial scores  {_scores(progress.scores.values())}"))
    if progress.usage:
        lines.append(usage_table(progress.usage))
    lines.append(_line(one_line(progress.run), style="dim"))
    if notice:
        lines.append(_line(notice, style="yellow"))
    return Group(*lines)


def sparkline(values: Iterable[float]) -> str:
    """One block a value, from the lowest to the highest."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    return "".join(BLOCKS[round((x - low) / (high - low) * 7) if high > low else 0] for x in numbers)


def phase_in_words(progress: Progress) -> str:
    """What the node at work does."""
    if progress.phase == "judge":
        return "judging train and validation" if progress.step is None else "judging the batch"
    return PHASES.get(progress.phase, progress.phase)


def _where(progress: Progress, elapsed: str) -> str:
    step = "" if progress.step is None else f" · trial {progress.step} of {progress.inner_steps}"
    return f"round {progress.round} of {progress.outer_rounds}{step} · {elapsed} · {phase_in_words(progress)}"


def _bar(progress: Progress) -> Table:
    row = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=progress.total, completed=progress.done, width=20)
    row.add_row(bar, _line(f"{progress.done} of {progress.total}"))
    return row


def _validation(progress: Progress) -> Text:
    values = [progress.validation[t] for t in sorted(progress.validation)]
    written = " ".join(f"{x:.3f}" for x in values[-SHOWN:])
    return _line(f"{metric_name(progress.metric)}  {sparkline(values[-30:])} {written}")


def _scores(scores: Iterable[float | None]) -> str:
    return " ".join("failed" if score is None else f"{score:+.2f}" for score in list(scores)[-SHOWN:])


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
