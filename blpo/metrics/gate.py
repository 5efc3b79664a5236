"""Gates: bounds that a judge's agreement with people must keep, as `macro_f1>=0.8`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast

from state.errors import ConfigError
from state.result import Agreement, Metrics
from state.settings import TaskSettings

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_GATE = re.compile(r"(?:(?P<reading>\w+)\.)?(?P<metric>\w+)\s*(?P<sign>[<>]=?)\s*(?P<bound>[+-]?(\d+\.?\d*|\.\d+))")
_NOMINAL = ("accuracy", "balanced_accuracy", "macro_f1", "kappa")
_ORDINAL = ("mae", "quadratic_kappa", "spearman")
_WHOLE = ("coverage", "n")


@dataclass(frozen=True, slots=True)
class Gate:
    """A metric and its bound."""

    reading: Literal["strict", "answered"]
    """strict: unparseable and refused verdicts count as wrong. answered: such verdicts are left out."""
    metric: str
    sign: str
    bound: float

    def __str__(self) -> str:
        prefix = "answered." if self.reading == "answered" else ""
        return f"{prefix}{self.metric}{self.sign}{self.bound:g}"

    def value(self, metrics: Metrics) -> float:
        """Return the metric, rounded to 12 decimals so that 0.8 keeps a bound of 0.8."""
        reading: Metrics | Agreement = metrics["strict"] if self.reading == "strict" else metrics
        source = metrics if self.metric in _WHOLE else reading
        return round(float(cast("dict[str, float]", source)[self.metric]), 12)

    def is_kept(self, metrics: Metrics) -> bool:
        """Return True if the metric keeps its bound. Without any answered sample no gate is kept."""
        return metrics["coverage"] > 0 and _OPERATORS[self.sign](self.value(metrics), self.bound)


def parse_gates(text: str, task: TaskSettings) -> list[Gate]:
    """Parse gates such as `macro_f1>=0.8, coverage>=0.95`. `answered.` before a metric changes the reading.

    Raises `ConfigError` for any other text and for a metric that the task lacks.
    """
    return [_parse(part.strip(), task) for part in text.split(",")]


def _parse(text: str, task: TaskSettings) -> Gate:
    match = _GATE.fullmatch(text)
    if match is None:
        raise ConfigError(f"gate {text}: must be METRIC>=NUMBER (or <=, >, <), for instance macro_f1>=0.8")
    reading, metric = match["reading"] or "strict", match["metric"]
    if reading not in ("strict", "answered"):
        raise ConfigError(f"gate {text}: unknown reading {reading!r}; write strict. or answered.")
    if metric in _ORDINAL and task.kind != "ordinal":
        raise ConfigError(
            f"gate {text}: {metric} needs ordinal labels; the metrics are {', '.join((*_NOMINAL, *_WHOLE))}"
        )
    names = (*_NOMINAL, *(_ORDINAL if task.kind == "ordinal" else ()), *_WHOLE)
    if metric not in names:
        close = get_close_matches(metric, names, 1)
        raise ConfigError(
            f"gate {text}: unknown metric {metric!r}; "
            + (f"did you mean {close[0]!r}? " if close else "")
            + f"the metrics are {', '.join(names)}"
        )
    return Gate(cast(Literal["strict", "answered"], reading), metric, match["sign"], float(match["bound"]))
