"""`blpo resume`: go on with a run."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import AsJson, Overrides, Quiet, RunDirectory


def resume(
    run: RunDirectory,
    overrides: Overrides = None,
    approve: Annotated[bool, typer.Option("--approve", help="Adopt the prompt that waits for an answer.")] = False,
    edit: Annotated[Path | None, typer.Option(metavar="FILE", help="Adopt the prompt in FILE in its place.")] = None,
    reject: Annotated[
        str | None, typer.Option(metavar="WHY", help="Keep the prompt in use; the next critique reads why.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a run that stopped, was killed, or waits.

    One that failed goes on too, once its cause is gone. A finished one prints its result again. One that spent its
    budget goes on where --set raises its limits; --set may also change approval and how models are reached, but nothing
    that determines the result. One that waits asks on the terminal, or takes --approve, --edit or --reject.
    """
    import blpo
    from blpo.cli.approval import given
    from blpo.cli.search import search

    answer = given(approve, edit, reject)
    return search(
        lambda on_event, control: blpo.resume(
            run, overrides=overrides or [], on_event=on_event, control=control, answer=answer
        ),
        directory=run.absolute(),
        as_json=as_json,
        quiet=quiet,
    )
