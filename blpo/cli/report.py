"""`blpo report`: make a run's report.html, again or of a run whose dataset has moved."""

import asyncio
from typing import Annotated

import typer

from blpo.cli.options import Overrides, RunDirectory


def report(
    run: RunDirectory,
    overrides: Overrides = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> int:
    """Make a run's report.html, and print its path.

    Nothing is asked of any model. Where the dataset has moved, --set data.path=NEW says where it is.
    """
    from blpo import report as write_report
    from blpo.cli.paths import short_path

    path = asyncio.run(write_report(run.absolute(), overrides or []))
    typer.echo(short_path(path))
    if show:
        import webbrowser

        webbrowser.open(path.as_uri())
    return 0
