"""Records in Weights & Biases: a run of the project WANDB_PROJECT (default: blpo), or local with WANDB_MODE=offline.

The local files are in the folder wandb/ of the run directory. Nothing about machine, code or console is recorded.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from blpo.tracking.tracker import PROJECT, Point, RecordHead
from state.result import RunStatus

_SECONDS = 30.0
"""Longest wait for the server at the start."""
_FAMILIES = {"validation/*": "round", "labelled/*": "round", "trial/*": "trial", "spend/*": "phase"}
"""Metrics by name, and the axis of their charts."""


class WandbTracker:
    """Client of Weights & Biases. The id of the record is the thread of the run."""

    def __init__(self) -> None:
        import wandb

        self._wandb = wandb
        self._run: Any = None

    def start(self, head: RecordHead, record: str | None) -> str:
        """Go on with the record of the thread, or create it."""
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            id=head.thread,
            resume="allow",
            name=head.name,
            group=head.group or None,
            dir=str(head.directory),
            config=_config(head),
            settings=self._wandb.Settings(
                console="off",
                silent=True,
                init_timeout=_SECONDS,
                disable_git=True,
                disable_code=True,
                x_disable_stats=True,
                x_disable_meta=True,
                x_disable_machine_info=True,
                x_save_requirements=False,
            ),
        )
        for pattern, axis in _FAMILIES.items():
            self._run.define_metric(axis)
            self._run.define_metric(pattern, step_metric=axis)
        return head.thread

    def metrics(self, points: Sequence[Point]) -> None:
        """Log the points of one step together. Results of the whole run are the summary."""
        for (axis, step), group in groupby(points, key=lambda point: (point.axis, point.step)):
            values = {point.name: point.value for point in group}
            if axis == "run":
                self._run.summary.update(values)
            else:
                self._run.log({axis: step, **values})

    def artefact(self, file: Path, name: str) -> None:
        """Save a file of the run under its own relative path."""
        base = file.parents[len(Path(name).parts) - 1]
        self._run.save(str(file), base_path=str(base), policy="now")

    def end(self, status: RunStatus, tags: Mapping[str, str]) -> None:
        """Write the tags into the summary, and wait until all is sent."""
        self._run.summary.update(dict(tags))
        self._run.finish(exit_code=1 if status == "failed" else 0)


def _config(head: RecordHead) -> dict[str, Any]:
    parent = {"blpo.parent": asdict(head.parent)} if head.parent is not None else {}
    return {**head.parameters, **head.tags, **parent}
