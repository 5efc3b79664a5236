"""`blpo judge --engine local | ray`: Parquet in, a folder of Parquet out, for millions of images."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from blpo.bulk.bulk_judging import BulkJudging, BulkOptions
from blpo.bulk.engine import Engine, Stop
from blpo.bulk.local_engine import judge_here
from blpo.bulk.out_folder import OutFolder
from blpo.bulk.ray_engine import RayEngine
from blpo.cli.bulk_view import BulkView
from blpo.cli.error_lines import INTERRUPTED, say
from blpo.cli.judge_run import sigterm_as_ctrl_c
from blpo.cli.judge_view import print_judged
from blpo.cli.run_gates import GATE_MISSED
from blpo.cli.views import CANCELLING
from blpo.data.object_storage import is_object
from state.errors import BlpoError, ConfigError, RunError

if TYPE_CHECKING:
    from blpo.deployment.judge import Judge


def require_bulk(out: str | None, refused: Mapping[str, object]) -> str:
    """Return the folder of the verdicts; raises `ConfigError` without one, and for options that `refused` names."""
    if names := [name for name, value in refused.items() if value is not None]:
        raise ConfigError(f"{names[0]} needs all verdicts in one place; leave out {names[0]}, or leave out --engine")
    if out is None:
        raise ConfigError("--engine writes Parquet files; give their folder: --out DIR")
    if not is_object(out) and Path(out).exists() and not Path(out).is_dir():
        raise ConfigError(f"{out}: is a file, and --engine writes into a folder; give --out DIR")
    return out


def engine_of(name: Literal["local", "ray"] | None, address: str | None, actors: int | None) -> Engine:
    """Return the engine; None: the local one. Raises `ConfigError` for options of another engine, and without Ray."""
    if name == "ray":
        return RayEngine(address, actors)
    if address or actors:
        raise ConfigError("--actors and --ray-address belong to --engine ray")
    return judge_here


def judge_bulk(
    judge: "Judge",
    inputs: Sequence[str],
    out: str,
    options: BulkOptions,
    engine: Engine,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Judge Parquet files into the folder `out`, print the summary of the folder, and return the exit code."""
    folder = OutFolder(out)
    with folder.locked(options.shard.name):
        work = BulkJudging(judge, inputs, folder, options)
        if work.before and not quiet:
            say(f"going on with {out}: {work.before} of {work.total} are there")
        with BulkView(work, visible=not quiet) as view:
            end = asyncio.run(_run(work, engine, view))
        summary = work.summary()
    if as_json:
        typer.echo(json.dumps(summary, indent=1))
    print_judged(summary, {name: own.labels for name, own in work.works.items()}, is_calibrated=False, quiet=quiet)
    if end is not None:
        say(f"{end}; verdicts are in {out}, and the same command goes on")
        return INTERRUPTED if isinstance(end, _Stopped) else end.exit_code
    if not all(gate["kept"] for gate in summary["gates"]):
        return GATE_MISSED
    return 0 if summary["statuses"].get("ok", 0) == work.total else 1


class _Stopped(RunError):
    """The user stopped the command."""


async def _run(work: BulkJudging, engine: Engine, view: BulkView) -> BlpoError | None:
    """Run the work; Ctrl-C and SIGTERM end it, and keep the answers already paid for."""
    stop = Stop()
    task = asyncio.ensure_future(work.run(engine, view.show, stop))
    with sigterm_as_ctrl_c(asyncio.get_running_loop(), asyncio.current_task()):
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            say(CANCELLING)
            stop.request(_Stopped("stopped"))
            return await task
