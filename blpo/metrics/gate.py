"""Gates: bounds that a judge's agreement with people must keep, as `macro_f1>=0.8` or `recall.unsafe>=0.95`."""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from blpo.metrics.readings import reading, reason_undefined
from state.errors import ConfigError
from state.metrics import Agreement, Metrics
from state.settings import ABOVE_CHANCE, PAIR_RATES, Settings, TaskSettings, metric_problem

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_GATE = re.compile(
    r"\s*(?:(?P<task>[A-Za-z0-9][\w -]*):\s*)?(?:(?P<reading>strict|answered)\.)?(?P<metric>\w+(?:\.[^\r\n]+?)?)"
    r"\s*(?P<sign>[<>]=?)\s*(?P<bound>[+-]?(\d+\.?\d*|\.\d+))\s*(?:,|\Z)"
)
_WHOLE = ("coverage", "n")
_ERRORS = ("mae",)
"""Metrics of ratings that select no prompt: lower is better."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A metric and its bound."""

    reading: Literal["strict", "answered"]
    """strict: unparseable and refused verdicts count as wrong. answered: such verdicts are left out."""
    metric: str
    """METRIC or METRIC.LABEL."""
    sign: str
    bound: float

    def __str__(self) -> str:
        prefix = "answered." if self.reading == "answered" else ""
        return f"{prefix}{self.metric}{self.sign}{self.bound:g}"

    def value(self, metrics: Metrics) -> float | None:
        """Return the metric, rounded to 12 decimals so that 0.8 keeps a bound of 0.8; None if undefined."""
        number = reading(self._source(metrics), self.metric)
        return None if number is None else round(float(number), 12)

    def is_kept(self, metrics: Metrics) -> bool:
        """Return True if the metric keeps its bound. An undefined metric keeps no bound, and nor does no answer."""
        number = self.value(metrics)
        return metrics["coverage"] > 0 and number is not None and OPERATORS[self.sign](number, self.bound)

    def reason_undefined(self, metrics: Metrics) -> str | None:
        """Return the reason for an undefined metric; None for a metric with a value."""
        source = self._source(metrics)
        return reason_undefined(source, self.metric) if reading(source, self.metric) is None else None

    def _source(self, metrics: Metrics) -> Agreement:
        return metrics if self.metric in _WHOLE or self.reading == "answered" else metrics["strict"]


def parse_gates(text: str, task: TaskSettings) -> list[Gate]:
    """Parse gates such as `macro_f1>=0.8, recall.unsafe>=0.95`: [TASK:][READING.]METRIC[.LABEL] OP NUMBER.

    `answered.` before a metric changes the reading. Raises `ConfigError` for any other text, for a metric that the task
    lacks, and for the name of a task, because a judge has one task.
    """
    gates = []
    for match in _matches(text):
        if match["task"]:
            raise ConfigError(f"gate {_text(match)}: this judge has a single task; leave out {match['task']}:")
        gates.append(_gate(match, task))
    return gates


def parse_run_gates(text: str, settings: Settings) -> list[tuple[str, Gate]]:
    """Parse gates of a run as `parse_gates`, each with the name of its task; the name is empty for the whole run.

    With several tasks, a gate without a task is on `above_chance`, `coverage` or `n` of all together. Raises
    `ConfigError`, also for an unknown task.
    """
    if not settings.task_names:
        return [("", gate) for gate in parse_gates(text, settings.task)]
    return [(match["task"] or "", _gate_of_run(match, settings)) for match in _matches(text)]


def _gate_of_run(match: re.Match[str], settings: Settings) -> Gate:
    names, listed = settings.task_names, ", ".join(settings.task_names)
    if match["task"]:
        if match["task"] not in names:
            raise ConfigError(f"gate {_text(match)}: {match['task']} is no task of the run ({listed})")
        return _gate(match, settings.of_task(match["task"]).task)
    if match["metric"] not in (ABOVE_CHANCE, *_WHOLE):
        raise ConfigError(
            f"gate {_text(match)}: the run has several tasks ({listed}); put one in front, as in"
            f" {names[0]}:{_text(match)}, or use {ABOVE_CHANCE}"
        )
    return _unchecked(match)


def _matches(text: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(text) or place == 0 or text[place - 1 : place] == ",":
        match = _GATE.match(text, place)
        if match is None:
            raise ConfigError(
                f"gate {text[place:].strip()}: must be METRIC>=NUMBER (or <=, >, <), for instance macro_f1>=0.8 or"
                " recall.unsafe>=0.95"
            )
        yield match
        place = match.end()


def _gate(match: re.Match[str], task: TaskSettings) -> Gate:
    metric = match["metric"]
    if metric not in _WHOLE and (problem := _problem(metric, task)):
        raise ConfigError(f"gate {_text(match)}: {problem}")
    return _unchecked(match)


def _unchecked(match: re.Match[str]) -> Gate:
    kind = cast(Literal["strict", "answered"], match["reading"] or "strict")
    return Gate(kind, match["metric"], match["sign"], float(match["bound"]))


def _text(match: re.Match[str]) -> str:
    return match[0].strip().removesuffix(",").strip()


def _problem(metric: str, task: TaskSettings) -> str | None:
    if metric in _ERRORS:
        return None if task.kind == "ordinal" else f"{metric} needs an ordinal task"
    if metric in PAIR_RATES:
        return _rate_problem(metric, task)
    shares = PAIR_RATES if task.kind == "pairwise" else ()
    problem = metric_problem(metric, task, (*(_ERRORS if task.kind == "ordinal" else ()), *shares, *_WHOLE))
    if problem and "." in metric and problem.startswith("unknown metric"):
        first = metric.partition(".")[0]
        return f"unknown reading or metric {first!r}; write strict. or answered., or METRIC.LABEL"
    return problem


def _rate_problem(metric: str, task: TaskSettings) -> str | None:
    if task.kind != "pairwise":
        return f"{metric} needs a pairwise task"
    if metric == "first_rate" and task.order == "apart":
        return f"{metric} needs pairs in one message (task.order: both)"
    if metric == "consistency" and task.questions == 1:
        return f"{metric} needs pairs in both orders (task.order: both)"
    return f"{metric} needs pairs with ties (task.ties: true)" if metric == "ties" and not task.ties else None
