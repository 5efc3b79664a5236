"""Output of `blpo data`: the progress of the images, and the lines about a written dataset folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from blpo.runs.wording import single_line

if TYPE_CHECKING:
    from blpo.data.public import Prepared

_MOST_ROWS = 20
"""Omitted rows in the output; source.json lists all."""


def print_prepared(prepared: "Prepared", *, as_json: bool) -> None:
    """Print source.json, or lines about the folder."""
    if as_json:
        typer.echo((prepared.folder / "source.json").read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo("\n".join(map(single_line, _report(prepared))))


@contextmanager
def image_progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr if stderr is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal) as bar:
        task = bar.add_task("images", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _counts(prepared: "Prepared") -> Iterator[str]:
    """Yield a line per split: rows, and rows by label."""
    for split, counts in prepared.counts.items():
        if total := sum(counts.values()):
            listed = ", ".join(f"{label}: {number}" for label, number in counts.items())
            yield f"{split} {total} ({listed})"


def _report(prepared: "Prepared") -> Iterator[str]:
    yield f"{prepared.folder}: {prepared.title}"
    yield from _counts(prepared)
    yield from (f"note: {note}" for note in prepared.notes)
    yield from (f"left out: {row}" for row in prepared.left_out[:_MOST_ROWS])
    if len(prepared.left_out) > _MOST_ROWS:
        yield f"left out: and {len(prepared.left_out) - _MOST_ROWS} more, all in source.json"
    yield f"next: blpo check {prepared.folder / 'config.yaml'}"
