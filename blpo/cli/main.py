"""The `blpo` command; each subcommand is a file of this folder.

Slow imports stand inside the commands' functions, so that `blpo --help` answers at once.
"""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer

from blpo.cli.audit import audit
from blpo.cli.check import check
from blpo.cli.compare import compare
from blpo.cli.confidence import confidence
from blpo.cli.data import data
from blpo.cli.disagreements import disagreements
from blpo.cli.error_lines import explain
from blpo.cli.estimate import estimate
from blpo.cli.evals import evals
from blpo.cli.export import export
from blpo.cli.fork import fork
from blpo.cli.help import MORE, Grouped, Page, examples
from blpo.cli.init import init
from blpo.cli.judge import judge
from blpo.cli.optimize import optimize
from blpo.cli.report import report
from blpo.cli.resume import resume
from blpo.cli.runs import runs
from blpo.cli.train import train
from blpo.cli.view import view

app = typer.Typer(cls=Grouped, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, epilog=MORE)
_GROUPS: dict[str, tuple[Callable[..., int], ...]] = {
    "Begin": (init, check, estimate),
    "Search": (optimize, resume, fork),
    "Look": (view, runs, report, compare, disagreements),
    "Use": (judge, confidence, audit, export),
    "Experiments": (evals,),
}
for _group, _commands in _GROUPS.items():
    for _command in _commands:
        app.command(cls=Page, rich_help_panel=_group, epilog=examples(_command.__name__))(_command)
app.add_typer(data, name="data", rich_help_panel="Experiments")
app.add_typer(train, name="train", rich_help_panel="Experiments")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; a failure is one line on stderr.

    0 done, 1 failed, 2 usage (a setting, a dataset, a run), 3 gate missed, 4 budget spent, 130 interrupted.
    """
    _prepare_streams()
    # Pillow's warning about large images; blpo.data.image_encoding has its own error for images above its limit
    warnings.filterwarnings("ignore", message="Image size .* could be decompression bomb")
    try:
        code = app(args=arguments, prog_name="blpo", standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        return explain(error)
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Replace closed streams, and let streams write any character: file names, prompts and labels are foreign text."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"blpo {version('blpo')}")
        raise typer.Exit


@app.callback()
def blpo(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Align a frozen multimodal judge with people's labels, by rewriting its prompt.

    Exit codes: 0 done, 1 failed, 2 usage, 3 gate missed, 4 budget spent, 130 interrupted (go on with: blpo resume RUN).
    """
