"""`blpo audit`: probe a judge without labels."""

import asyncio
import json
import sys
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blpo.cli.error_lines import say
from blpo.cli.run_gates import GATE_MISSED
from blpo.runs.wording import counted

if TYPE_CHECKING:
    from blpo.audit.gates import AuditGate
    from blpo.audit.results import AuditResult, ProbeResult

_BUDGET_SPENT = 4


def audit(
    judge: Annotated[Path, typer.Argument(metavar="JUDGE", help="A judge.yaml, or a run directory.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT", help="Images as for `blpo judge`; without any, the run's test split."),
    ] = None,
    probes: Annotated[
        str | None, typer.Option(metavar="A,B", help="Probes to run, with commas; without this option all that fit.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Most samples to ask about.")] = 50,
    calls: Annotated[int | None, typer.Option(min=1, help="Most judge calls; answers in the store are free.")] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help="Bound of a probe: 'audit:repeat.flips<=0.02'; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of the results [audit.json beside the judge].")
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None, typer.Option(help="Only this split of a config.yaml.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(metavar="NAME", help="The task or criterion, for a judge of several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results on stdout as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> int:
    """Probe a judge without labels, by changed questions.

    A good judge keeps its verdict where the change says nothing. Each probe states its assumption, and is off where it
    does not fit the task. audit.json has the rates with 95 % intervals, the direction of the changes, and the largest
    changes. Answers are kept: a later audit pays for new questions alone. Exit code 3: a gate is missed. 4: --calls did
    not suffice.
    """
    from blpo.audit.audit_file import audit as run_audit
    from state.errors import ConfigError

    names = [name.strip() for name in probes.split(",") if name.strip()] if probes is not None else []
    if probes is not None and not names:
        raise ConfigError("--probes names no probe; give names with commas, or leave it out")
    result, missed = asyncio.run(
        run_audit(
            judge,
            inputs or (),
            probes=names,
            samples=samples,
            calls=calls,
            gates=gate or (),
            out=out,
            split=split,
            task=task,
            advance=(lambda name: None) if quiet else (lambda name: say(f"probe {name}")),
        )
    )
    print(json.dumps(result, ensure_ascii=False) if as_json else "\n".join(_lines(result)))
    sys.stdout.flush()
    if out is None:
        _write_report(judge, quiet=quiet)
    for each in missed:
        say(_missed(each, result))
    if result["status"] == "budget":
        done = counted(len(result["probes"]), "probe")
        say(f"--calls {calls} is spent after {done}; all answers are kept, and the same command with more goes on")
    if missed:
        return GATE_MISSED
    return _BUDGET_SPENT if result["status"] == "budget" else 0


def _write_report(judge: Path, *, quiet: bool) -> None:
    """Write the report of a judge's run again, now with the audit; nothing for a judge without its run."""
    from blpo import report
    from blpo.audit.audit_file import judge_folder
    from blpo.cli.paths import short_path

    run = judge_folder(judge)
    if (run / "result.json").is_file():
        page: Path = asyncio.run(report(run.absolute()))
        if not quiet:
            say(f"wrote {short_path(page)}")


def _lines(result: "AuditResult") -> list[str]:
    """Return a line for every probe, and the reasons of probes that are off."""
    lines = [f"{'probe':<16}{'changed':>12}{'share':>9}  {'95 % interval':<16}direction"]
    for name, probe in result["probes"].items():
        if "off" in probe:
            lines += wrap(f"{name:<16}off: {probe['off']}", 80, subsequent_indent=" " * 16, drop_whitespace=True)
        else:
            lines.append(f"{name:<16}{_figures(probe)}")
    return lines


def _figures(probe: "ProbeResult") -> str:
    rate, interval = probe["rate"], probe["ci95"]
    if rate is None or interval is None:
        return f"{'no answer':>12}  ({counted(probe['errors'], 'error')})"
    counts = f"{probe['flips']} of {probe['n']}"
    line = f"{counts:>12}{rate:>9.1%}  {f'{interval[0]:.1%} to {interval[1]:.1%}':<16}"
    if "up" in probe and "down" in probe:
        line += f"{probe['up']} up, {probe['down']} down" + (" (leans)" if probe.get("biased") else "")
    return line.rstrip()


def _missed(gate: "AuditGate", result: "AuditResult") -> str:
    value = gate.value(result)
    return f"gate missed: {gate} ({'no figure' if value is None else f'{value:.4g}'})"
