"""Progress of `blpo train run` on stderr: a bar on a terminal, else a line for every twentieth of the updates."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blpo.training.training_log import LogLine

_PARTS = 20


@contextmanager
def training_view(*, quiet: bool) -> Iterator[Callable[["LogLine"], None]]:
    """Yield the reader of lines."""
    if quiet:
        yield lambda line: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _print


@contextmanager
def _bar() -> Iterator[Callable[["LogLine"], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading the model", total=None)
        yield lambda line: bar.update(task, description=_figures(line), completed=line.step, total=line.steps)


def _print(line: "LogLine") -> None:
    if line.step % max(1, line.steps // _PARTS) == 0 or line.step == line.steps:
        print(f"update {line.step} of {line.steps}: {_figures(line)}", file=sys.stderr, flush=True)


def _figures(line: "LogLine") -> str:
    return f"reward {line.reward:.3f}" if line.reward is not None else f"loss {line.loss or 0:.4f}"
