"""`blpo optimize`: run the search to the end."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import AsJson, ConfigArgument, Gates, Overrides, Quiet, with_run_dir


def optimize(
    config: ConfigArgument = None,
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run directory to make; default runs/<time>-<name>.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    gates: Gates = None,
) -> int:
    """Optimize the judge prompt, and test it on unseen samples.

    Ctrl-C stops after the current step; blpo resume goes on from there. Exit code 3: a gate is missed on the test.
    """
    import blpo
    from blpo.cli.run_gates import read_gates
    from blpo.cli.search import search
    from blpo.config.settings_file import load_settings

    options = with_run_dir(overrides, run_dir)
    if gates:
        read_gates(gates, load_settings(config, options))
    return search(
        lambda on_event, control: blpo.optimize(
            config, overrides=options, on_event=on_event, control=control, progress=False
        ),
        as_json=as_json,
        quiet=quiet,
        gates=gates or (),
    )
