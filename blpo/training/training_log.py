"""Log of a training: a line of JSON for each update."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blpo.runs.json_lines import read_log_lines

LOG = "log.jsonl"


@dataclass(frozen=True, slots=True)
class LogLine:
    """Figures of an update."""

    step: int
    steps: int
    """Updates of the whole training."""
    loss: float | None = None
    reward: float | None = None
    """GRPO: mean reward of the completions, in [0, 1]."""
    further: dict[str, float] = field(default_factory=dict)
    """Further figures by TRL's names."""

    def as_json(self) -> str:
        """Return the line."""
        named = {"step": self.step, "steps": self.steps, "loss": self.loss, "reward": self.reward}
        return json.dumps({name: value for name, value in {**named, **self.further}.items() if value is not None})


def line_of(step: int, steps: int, figures: dict[str, Any]) -> LogLine:
    """Return the line of TRL's figures of an update."""
    numbers = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
    loss, reward = numbers.pop("loss", None), numbers.pop("reward", None)
    return LogLine(step, steps, loss, reward, numbers)


def read_log(out: Path) -> list[LogLine]:
    """Return the lines of a training's folder, by step, without damaged lines; none before the first update.

    Raises `OSError` for a log that can't be read.
    """
    try:
        rows = list(read_log_lines(out / LOG))
    except FileNotFoundError:
        return []
    lines: dict[int, LogLine] = {}
    for fields in rows:
        with suppress(KeyError, TypeError):
            line = line_of(fields.pop("step"), fields.pop("steps"), fields)
            lines[line.step] = line
    return [lines[step] for step in sorted(lines)]


def keep_until(out: Path, step: int) -> None:
    """Take out the lines after a step: a resume makes these updates again."""
    lines = [line.as_json() + "\n" for line in read_log(out) if line.step <= step]
    (out / LOG).write_text("".join(lines), encoding="utf-8")
