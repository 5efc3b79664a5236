"""Curves as geometry: where lines, points and ticks of a small chart are; a template draws them as SVG."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from blpo.metrics.readings import strict_reading
from blpo.reports.confusions import RatingRow
from blpo.reports.wording import metric_name
from blpo.runs.run_record import RunRecord

WIDTH, HEIGHT = 420.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 16.0, 18.0, 40.0

Mark = Literal["dot", "chosen", "failed"]


@dataclass(frozen=True, slots=True)
class Point:
    """A value at its place; `title` says it in words."""

    x: float
    y: float
    mark: Mark
    title: str
    label: str = ""
    """Text beside the point."""
    beside: Literal["above", "below", "right"] = "above"
    """Where the label goes."""


@dataclass(frozen=True, slots=True)
class Series:
    """Points in order, joined where `is_line`."""

    name: str
    points: tuple[Point, ...]
    is_line: bool = True

    @property
    def path(self) -> str:
        """The line through all points, as SVG."""
        return " ".join(f"{'L' if i else 'M'}{p.x:.1f} {p.y:.1f}" for i, p in enumerate(self.points))


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a chart shows, in the units of its view box."""

    title: str
    x_name: str
    y_name: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    zero: float | None = None
    """Where y is 0, if it lies inside."""
    dividers: tuple[float, ...] = ()
    diagonal: tuple[float, float, float, float] | None = None
    width: float = WIDTH
    height: float = HEIGHT
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM


class Scale:
    """Maps values to places; its ticks are round numbers."""

    def __init__(self, values: Iterable[float], begin: float, end: float, least: float = 0.1) -> None:
        known = list(values) or [0.0, 1.0]
        low, high = min(known), max(known)
        if high - low < least:
            low, high = (low + high - least) / 2, (low + high + least) / 2
        self.step = _round_step((high - low) / 4)
        self.low, self.high = math.floor(low / self.step) * self.step, math.ceil(high / self.step) * self.step
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        """Where a value is."""
        return self._begin + (value - self.low) / (self.high - self.low) * (self._end - self._begin)

    def ticks(self) -> tuple[Tick, ...]:
        """About five."""
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        count = round((self.high - self.low) / self.step)
        values = [self.low + i * self.step for i in range(count + 1)]
        return tuple(Tick(self(value), f"{value + 0.0:.{decimals}f}") for value in values)


def _round_step(rough: float) -> float:
    magnitude: float = 10.0 ** math.floor(math.log10(rough))
    return next(magnitude * step for step in (1, 2, 5, 10) if rough <= magnitude * step * (1 + 1e-9))


def _columns(count: int) -> list[float]:
    """Places for `count` things on the horizontal axis, with room at both ends."""
    width = WIDTH - _LEFT - _RIGHT
    return [_LEFT + width * (i + 0.5) / count for i in range(count)]


def _beside(heights: Sequence[float], t: int) -> Literal["above", "below", "right"]:
    """Where a label meets neither the line nor the edge."""
    if t == 0 and len(heights) > 1 and heights[1] < heights[0] - 15:
        return "right"
    return "below" if heights[t] < _TOP + 24 else "above"


def _sparse(places: Sequence[float], most: int = 12) -> tuple[Tick, ...]:
    """Numbers for the places, only so many that they don't touch."""
    every = -(-len(places) // most)
    return tuple(Tick(x, str(i)) for i, x in enumerate(places) if i % every == 0)


def validation_chart(runs: Sequence[tuple[str, RunRecord]]) -> Chart | None:
    """The metric on validation by round, a line for each run; None where no round was judged."""
    values = {
        name: [strict_reading(record["validation"], run.result["metric"]) for record in run.result["rounds"]]
        for name, run in runs
    }
    rounds = max((len(line) for line in values.values()), default=0)
    if rounds == 0:
        return None
    x, y = _columns(rounds), Scale((v for line in values.values() for v in line), HEIGHT - _BOTTOM, _TOP)
    series = []
    for name, run in runs:
        line, best = values[name], run.result["best_round"]
        prefix = f"{name}, " if len(runs) > 1 else ""
        series.append(
            Series(
                name,
                tuple(
                    Point(
                        x[t],
                        y(value),
                        "chosen" if t == best else "dot",
                        prefix + f"round {t}: {value:z.3f}{' (selected)' if t == best else ''}",
                        f"{value:z.3f}" if len(runs) == 1 and t in {0, best} else "",
                        _beside([y(each) for each in line], t),
                    )
                    for t, value in enumerate(line)
                ),
            )
        )
    metric = metric_name(runs[0][1].result["metric"])
    return Chart(f"{metric} on validation, by round", "round", metric, _sparse(x), y.ticks(), tuple(series))


def trials_chart(run: RunRecord) -> Chart | None:
    """The score of every trial, in order, its round marked off; None where nothing was tried."""
    trials = [(t, trial) for t, past in enumerate(run.rounds) for trial in past.trials]
    if not trials:
        return None
    kept = {id(past.best_trial) for past in run.rounds if past.best_trial is not None}
    x = _columns(len(trials))
    scale = Scale((0.0, *(trial.score for _, trial in trials if trial.score is not None)), HEIGHT - _BOTTOM, _TOP, 0.2)
    points = tuple(
        Point(
            x[i],
            scale(trial.score if trial.score is not None else 0.0),
            "failed" if trial.score is None else "chosen" if id(trial) in kept else "dot",
            f"round {t}, trial {trial.step}: "
            + ("failed" if trial.score is None else f"{trial.score:+.3f}")
            + (", kept" if id(trial) in kept else ""),
        )
        for i, (t, trial) in enumerate(trials)
    )
    starts = [i for i in range(len(trials)) if i == 0 or trials[i][0] != trials[i - 1][0]]
    width = x[1] - x[0] if len(x) > 1 else 0.0
    every = -(-len(starts) // 12)
    return Chart(
        title="Score of each trial of an I2T prompt, by round",
        x_name="round",
        y_name="score",
        x_ticks=tuple(Tick(x[i], str(trials[i][0])) for i in starts[::every]),
        y_ticks=scale.ticks(),
        series=(Series("trials", points, is_line=False),),
        zero=scale(0.0),
        dividers=tuple(x[i] - width / 2 for i in starts[1:]),
    )


def ratings_chart(before: Sequence[RatingRow], after: Sequence[RatingRow], low: int, high: int) -> Chart:
    """Mean answer for each human rating, before and after; on the diagonal the judge rates as people do."""
    inset = (WIDTH - _LEFT - _RIGHT) / 12
    x, y = Scale((low, high), _LEFT + inset, WIDTH - _RIGHT - inset), Scale((low, high), HEIGHT - _BOTTOM, _TOP)
    sides: tuple[tuple[str, Sequence[RatingRow], Mark], ...] = (("before", before, "dot"), ("after", after, "chosen"))
    series = tuple(
        Series(
            name,
            tuple(
                Point(
                    x(row.human),
                    y(row.mean),
                    mark,
                    f"{name}: people {row.human}, judge {row.mean:.2f} on average (n = {row.n},"
                    f" 80 % of answers {row.low:g} to {row.high:g})",
                )
                for row in rows
            ),
        )
        for name, rows, mark in sides
    )
    ticks = [tick for tick in x.ticks() if "." not in tick.text or tick.text.endswith(".0")]
    return Chart(
        title="Mean rating of the judge for each rating by people",
        x_name="rating by people",
        y_name="judge",
        x_ticks=tuple(ticks),
        y_ticks=y.ticks(),
        series=series,
        diagonal=(x(low), y(low), x(high), y(high)),
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference with its interval on a line that shows zero; places are in percent of the width."""

    low: float
    value: float
    high: float
    zero: float


def interval(low: float, value: float, high: float, others: tuple[float, float] = (0.0, 0.0)) -> Interval:
    """Place a difference and its interval on a line a little longer than all of them, zero and `others`."""
    least, most = min(0.0, low, value, *others), max(0.0, high, value, *others)
    margin = 0.1 * max(most - least, 1e-9)

    def place(number: float) -> float:
        return round(100 * (number - least + margin) / (most - least + 2 * margin), 2)

    return Interval(place(low), place(value), place(high), place(0.0))
