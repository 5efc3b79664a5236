"""`blpo report`: make a run's report.html again, also after the dataset has moved."""

import asyncio
from typing import Annotated

import typer

from blpo.cli.options import Overrides, RunArgument


def report(
    run: RunArgument,
    overrides: Overrides = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> int:
    """Make a run's report.html, and print its path.

    Asks no model. If the dataset has moved, --set data.path=NEW gives the new place.
    """
    from blpo import report as write_report
    from blpo.cli.paths import short_path

    path = asyncio.run(write_report(run.absolute(), overrides or []))
    typer.echo(short_path(path))
    if show:
        import webbrowser

        webbrowser.open(path.as_uri())
    return 0
