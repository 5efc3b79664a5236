"""`blpo optimize`: run the search to the end."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import AsJson, ConfigArgument, Overrides, Quiet, with_run_dir


def optimize(
    config: ConfigArgument = None,
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run directory to make; default runs/<time>-<name>.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Optimize the judge prompt, and test it on unseen samples.

    Ctrl-C stops after the current step; blpo resume goes on from there.
    """
    import blpo
    from blpo.cli.search import search

    options = with_run_dir(overrides, run_dir)
    return search(
        lambda on_event, control: blpo.optimize(
            config, overrides=options, on_event=on_event, control=control, progress=False
        ),
        as_json=as_json,
        quiet=quiet,
    )
