"""Log of a training: a line of JSON for each update."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    """Return the lines of a training's folder, by step; a line that a kill cut off is left out."""
    lines: dict[int, LogLine] = {}
    try:
        text = (out / LOG).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    for row in text.splitlines():
        try:
            fields = json.loads(row)
            line = line_of(fields.pop("step"), fields.pop("steps"), fields)
            lines[line.step] = line
        except (ValueError, KeyError, TypeError):
            continue
    return [lines[step] for step in sorted(lines)]


def keep_until(out: Path, step: int) -> None:
    """Take out the lines after a step: a resume makes these updates again."""
    kept = [line.as_json() + "\n" for line in read_log(out) if line.step <= step]
    (out / LOG).write_text("".join(kept), encoding="utf-8")
