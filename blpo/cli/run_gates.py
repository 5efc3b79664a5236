"""Gates of a search: bounds that the selected prompt must keep on the test split."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blpo.cli.error_lines import say

if TYPE_CHECKING:
    from blpo.metrics.gate import Gate
    from state.settings import Settings

GATE_MISSED = 3
"""Exit code of a missed gate."""


def read_gates(texts: Sequence[str], settings: "Settings") -> "list[tuple[str, Gate]]":
    """Return the gates with the names of their tasks; raises `ConfigError`."""
    from blpo.metrics.gate import parse_run_gates

    return [pair for text in texts for pair in parse_run_gates(text, settings)]


def are_kept(directory: Path, texts: Sequence[str]) -> bool:
    """Say for each gate if a finished run keeps the gate; return True if all are kept.

    A run without a test keeps no gate.
    """
    from blpo.runs.run_record import RunRecord
    from blpo.runs.task_record import TaskRecord

    run = RunRecord.read(directory)
    outcomes = []
    for task, gate in read_gates(texts, run.settings):
        name, test = f"{task}:{gate}" if task else str(gate), (TaskRecord.of(run, task) if task else run).result["test"]
        value = None if test is None else gate.value(test["best"])
        outcomes.append(test is not None and gate.is_kept(test["best"]))
        reason = "not tested" if test is None else gate.reason_undefined(test["best"])
        reading = f"undefined ({reason})" if value is None else f"{value:.4g} on the test split"
        say(f"gate {name} is {'kept' if outcomes[-1] else 'missed'}: {reading}")
    return all(outcomes)
