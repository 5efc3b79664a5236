"""`blpo evals`: methods x datasets x judges x seeds under one equal budget, in a table."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from blpo.cli.options import Overrides, Quiet

if TYPE_CHECKING:
    from evals.experiment_settings import EvalSettings


def evals(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="CONFIG", help="A YAML file of an experiment (see examples/evals).", show_default=False),
    ] = None,
    preset: Annotated[
        Literal["table1", "table2", "pairs", "rankings", "unified", "mt-rl", "figure4", "figure1", "budget"] | None,
        typer.Option(help="Methods and sweeps of one of the paper's tables or figures; budget: batches x K x calls."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Embedded models on the built-in sample: no key, GPU or network.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The experiment's folder; default runs/evals-<name>.")
    ] = None,
    overrides: Overrides = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Estimate the cost, and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print table.json on stdout, and nothing else.")] = False,
    quiet: Quiet = False,
) -> int:
    """Compare methods under one equal budget.

    Makes a table with paired tests. Each cell is a run. Ctrl-C stops after the current steps; the same command goes on
    from there.
    """
    from evals.config import load_eval_settings
    from evals.experiment import experiment_folder

    settings = load_eval_settings(config, preset=preset, offline=offline or None, overrides=overrides or [])
    folder = out or experiment_folder(config, settings, offline=offline)
    if estimate:
        from blpo.cli.evals_estimate import print_estimate

        return print_estimate(settings, folder, as_json=as_json)
    return _run(settings, folder, as_json, quiet)


def _run(settings: "EvalSettings", folder: Path, as_json: bool, quiet: bool) -> int:
    from blpo.cli.error_lines import INTERRUPTED, explain, say
    from blpo.cli.evals_view import evals_view_on
    from blpo.cli.signals import run_with_signals
    from evals.experiment import run_evals

    view = evals_view_on(sys.stderr, quiet=quiet)
    try:
        with view:
            content = run_with_signals(
                lambda control: run_evals(settings, folder, on_event=view.event, control=control), view
            )
    except (Exception, KeyboardInterrupt) as error:
        code = explain(error)
        if view.resumable:
            print(f"go on with: {_same_command()}", file=sys.stderr)
        return code
    _draw(content, folder)
    _print(content, folder, as_json)
    states = [cell["status"] for cell in content["cells"]]
    if "open" in states:
        say(f"{states.count('open')} of {len(states)} cells are open")
        print(f"go on with: {_same_command()}", file=sys.stderr)
        return INTERRUPTED
    if "failed" in states:
        say(f"{states.count('failed')} of {len(states)} cells failed; table.md says why, the same command tries again")
        return 1
    return 0


def _draw(content: dict[str, Any], folder: Path) -> None:
    """Draw the figure; say why if there is none, because the table is useful without a figure."""
    from blpo.cli.error_lines import say
    from evals.figures import write_figure
    from state.errors import BlpoError

    try:
        write_figure(content, folder)
    except BlpoError as reason:
        say(f"no figure: {reason}")


def _print(content: dict[str, Any], folder: Path, as_json: bool) -> None:
    if as_json:
        sys.stdout.write((folder / "table.json").read_text(encoding="utf-8"))
        return
    from blpo.cli.evals_table import print_table

    print_table(content, folder)


def _same_command() -> str:
    return shlex.join(["blpo", *sys.argv[1:]])
