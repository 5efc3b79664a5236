"""`blpo resume`: go on with a run."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import AsJson, Gates, Overrides, Quiet, RunArgument


def resume(
    run: RunArgument,
    overrides: Overrides = None,
    approve: Annotated[bool, typer.Option("--approve", help="Adopt the waiting prompt.")] = False,
    edit: Annotated[Path | None, typer.Option(metavar="FILE", help="Adopt the prompt in FILE instead.")] = None,
    reject: Annotated[
        str | None, typer.Option(metavar="WHY", help="Keep the prompt in use; the next critique reads why.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    gates: Gates = None,
) -> int:
    """Go on with a run that stopped, was killed, or waits.

    A failed run goes on too, once the cause is gone. A finished run prints its result again. A run without budget goes
    on if --set raises the limits. --set may also change approval and the access to models, but nothing that determines
    the result. A waiting run asks on the terminal, or takes --approve, --edit or --reject.
    """
    import blpo
    from blpo.cli.approval import answer_of
    from blpo.cli.run_gates import read_gates
    from blpo.cli.search import search
    from blpo.config.settings_file import load_settings

    answer = answer_of(approve, edit, reject)
    if gates and (run / "config.yaml").exists():
        read_gates(gates, load_settings(run / "config.yaml"))
    return search(
        lambda on_event, control: blpo.resume(
            run, overrides=overrides or [], on_event=on_event, control=control, answer=answer, progress=False
        ),
        directory=run.absolute(),
        as_json=as_json,
        quiet=quiet,
        gates=gates or (),
    )
