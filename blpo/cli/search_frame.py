"""Frame of a running search: position, metric, and cost."""

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from blpo.cli.paths import short_path
from blpo.cli.usage_table import usage_table
from blpo.reports.progress_lines import phase_in_words, trial_place
from blpo.runs.run_progress import Progress
from blpo.runs.wording import metric_name, single_line

_BLOCKS = "▁▂▃▄▅▆▇█"


def search_frame(progress: Progress, elapsed: str, notice: str, *, is_last: bool = False) -> RenderableType:
    """Return about ten lines for 40 columns, important parts at the left; a narrower terminal cuts the lines.

    The last frame has no calls: the summary follows, and has the calls.
    """
    if not progress.run:
        return _line(f"reading the data · {elapsed}")
    lines: list[RenderableType] = [_line(_where(progress, elapsed), "bold"), _line(_work(progress))]
    if progress.validation:
        lines.append(_line(_values("validation", progress.validation, progress.metric)))
    if progress.labelled:
        lines.append(_line(_values("labelled", progress.labelled, progress.metric)))
    if progress.scores:
        lines.append(_line(f"scores {_scores(progress.scores.values())}"))
    if progress.usage and not is_last:
        lines.append(usage_table(progress.usage))
    lines.append(_line(single_line(short_path(progress.run)), "dim"))
    if notice:
        lines.append(Text(notice, "yellow"))
    return Group(*lines)


def sparkline(values: Iterable[float]) -> str:
    """Return one block per value, scaled from the lowest to the highest value."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    return "".join(_BLOCKS[round((x - low) / (high - low) * 7) if high > low else 0] for x in numbers)


def _where(progress: Progress, elapsed: str) -> str:
    step = "" if progress.step is None else f" · {trial_place(progress.step, progress)}"
    return f"round {progress.round} of {progress.outer_rounds}{step} · {elapsed}"


def _work(progress: Progress) -> str:
    items = f" · {progress.done}/{progress.total}" if progress.total else ""
    return phase_in_words(progress) + items


def _values(name: str, by_round: Mapping[int, float], metric: str) -> str:
    values = [by_round[t] for t in sorted(by_round)]
    spark = sparkline(values[-30:])
    return f"{name} {metric_name(metric)} {values[-1]:z.3f} {spark} best {max(values):z.3f}"


def _scores(scores: Iterable[float | None]) -> str:
    return " ".join("fail" if score is None else f"{score:+.2f}" for score in list(scores)[-5:])


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
