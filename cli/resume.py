"""`blpo resume`: go on with a run."""

from cli.options import AsJson, Overrides, Quiet, RunDirectory


def resume(run: RunDirectory, overrides: Overrides = None, as_json: AsJson = False, quiet: Quiet = False) -> int:
    """Go on with a run that was stopped, killed or failed.

    A finished one prints its result again, and one that spent its budget goes on where --set raises its limits.
    --set may raise limits and change how models are reached, nothing that determines the result.
    """
    import blpo
    from cli.search import search

    return search(
        lambda on_event, control: blpo.resume(run, overrides=overrides or [], on_event=on_event, control=control),
        directory=run.absolute(),
        as_json=as_json,
        quiet=quiet,
    )
