"""Curves of a run as SVG in the colours of the page: metric by round, score by trial, mean rating by human rating."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from markupsafe import Markup

from blpo.metrics.readings import strict_reading
from blpo.reports.chart_svg import ACCENT, BAD, EDGE, INKS, PAGE, TEXT, svg
from blpo.reports.confusions import RatingRow
from blpo.reports.label_source import LabelSource
from blpo.reports.validation_band import Band
from blpo.runs.run_record import RunRecord
from blpo.runs.wording import metric_name, plain

_DASHES = ([1, 0], [7, 3], [2, 3], [9, 3, 2, 3], [1, 2], [12, 4])
"""Dashes of series, for readers who can't tell colours apart."""
_DOT, _RING = 45, 95
"""Areas in square pixels."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Drawing of a run, and the values as text for blind readers."""

    title: str
    svg: Markup
    values: tuple[str, ...]


def validation_chart(runs: Sequence[tuple[str, RunRecord]], bands: Sequence[Band] = ()) -> Chart | None:
    """Draw the metric on validation by round, with a line for each run; None without judged rounds.

    `bands` are the intervals of the rounds of a run that stands alone.
    """
    rows = [row for name, run in runs for row in _validation_rows(plain(name), run, alone=len(runs) == 1)]
    if not rows:
        return None
    rows = [_with_band(row, bands[row["round"]] if bands else None) for row in rows]
    color, dash = _look([plain(name) for name, _ in runs])
    heights = [row[name] for row in rows for name in ("low", "value", "high")]
    base = alt.Chart().encode(x=_rounds(), y=_y(heights, span=0.1), color=color)
    labels = base.mark_text(dx=alt.expr("datum.rises ? 30 : 0"), dy=alt.expr("datum.rises ? 0 : -13"), fontWeight=600)
    layers = (
        *(_band(base) if any(bands) else ()),
        base.mark_line().encode(strokeDash=dash),
        *_points(base),
        labels.encode(text="label:N", color=alt.value(TEXT)),
    )
    return _chart(f"{metric_name(runs[0][1].result['metric'])} on validation, by round", layers, rows)


def _with_band(row: dict[str, Any], band: Band) -> dict[str, Any]:
    low, high = band or (row["value"], row["value"])
    interval = f", 95 % interval {low:z.3f} to {high:z.3f}" if band else ""
    return {**row, "low": low, "high": high, "title": row["title"] + interval}


def _band(base: alt.Chart) -> tuple[alt.Chart, alt.Chart]:
    """Return the area of the intervals, and a thin rule at every round."""
    ends = base.encode(y=base.encoding.y.copy(), y2="high:Q")
    ends.encoding.y.shorthand = "low:Q"
    return ends.mark_area(opacity=0.14), ends.mark_rule(opacity=0.45)


def trials_chart(run: RunRecord) -> Chart | None:
    """Draw the score of each scored trial, grouped by round; None without any. A failed trial is a cross at zero."""
    rows: list[dict[str, Any]] = [
        {
            "round": number,
            "step": trial.step,
            "value": trial.score or 0.0,
            "mark": "failed" if trial.score is None else "chosen" if trial is past.best_trial else "dot",
            "title": f"round {number}, trial {trial.step}: "
            + ("failed" if trial.score is None else f"{trial.score:+.3f}")
            + (", kept" if trial is past.best_trial else ""),
        }
        for number, past in enumerate(run.rounds)
        for trial in past.trials
        if trial.score is not None or trial.has_failed
    ]
    if not rows or any(trial.score is None and not trial.has_failed for past in run.rounds for trial in past.trials):
        return None
    x = _rounds(scale=alt.Scale(paddingInner=0.1), tickBand="extent", grid=True, gridDash=[2, 3])
    y = _y((0.0, *(row["value"] for row in rows)), span=0.2)
    base = alt.Chart().encode(x=x, y=y, xOffset="step:O", color=alt.value(ACCENT))
    failed = base.mark_point(shape="cross", angle=45, filled=True, size=110, opacity=1).encode(color=alt.value(BAD))
    zero = alt.Chart().mark_rule(color=EDGE).encode(y=alt.datum(0.0, type="quantitative"))
    layers = (zero, *_points(base), _described(failed, "failed"))
    return _chart("Score of each trial of an I2T prompt, by round", layers, rows)


def ratings_chart(
    before: Sequence[RatingRow], after: Sequence[RatingRow], low: int, high: int, source: LabelSource
) -> Chart:
    """Draw the judge's mean rating for each label, before and after; on the diagonal judge and labels agree."""
    rows = [
        {"series": name, "human": row.human, "value": row.mean, "mark": mark, "title": _rating(name, row, source)}
        for name, mark, ratings in (("before", "dot", before), ("after", "chosen", after))
        for row in ratings
    ]
    scale = alt.Scale(domain=[low, high])
    axis = alt.Axis(grid=False, tickMinStep=1, format="d")
    x = alt.X("human:Q", title=source.label, scale=alt.Scale(domain=[low, high], padding=25), axis=axis)
    y = alt.Y("value:Q", title="judge", scale=scale, axis=alt.Axis(tickMinStep=1, format="d"))
    color, _ = _look(["before", "after"])
    base = alt.Chart().encode(x=x, y=y, color=color)
    ends = alt.InlineData([{"human": end, "value": end} for end in (low, high)])
    diagonal = alt.Chart(ends).mark_line(color=EDGE, strokeDash=[5, 4], strokeWidth=1.25).encode(x=x, y=y)
    layers = (diagonal, base.mark_line(), *_points(base))
    return _chart(f"Mean rating of the judge for each of {source.labels}", layers, rows)


def _validation_rows(name: str, run: RunRecord, *, alone: bool) -> list[dict[str, Any]]:
    """Return the rows of a run. A run that stands alone has labels at the first and the selected round."""
    metric, best = run.result["metric"], run.result["best_round"]
    values = [strict_reading(record["validation"], metric) for record in run.result["rounds"]]
    return [
        {
            "series": name,
            "round": number,
            "value": value,
            "mark": "chosen" if number == best else "dot",
            "title": ("" if alone else f"{name}, ")
            + f"round {number}: {value:z.3f}"
            + (" (selected)" if number == best else ""),
            "label": f"{value:z.3f}" if alone and number in (0, best) else "",
            "rises": number == 0 and values[1:2] > [value],  # the line would cross a label above the first point
        }
        for number, value in enumerate(values)
        if value is not None
    ]


def _rating(name: str, row: RatingRow, source: LabelSource) -> str:
    return (
        f"{name}: {source.short} {row.human}, judge {row.mean:.2f} on average (n = {row.n},"
        f" 80 % of answers {row.low:g} to {row.high:g})"
    )


def _points(base: alt.Chart) -> tuple[alt.Chart, alt.Chart]:
    """Return dots, and rings for chosen points."""
    dots = base.mark_point(filled=True, size=_DOT, opacity=1)
    rings = base.mark_point(fill=PAGE, size=_RING, strokeWidth=2.5, opacity=1)
    return _described(dots, "dot"), _described(rings, "chosen")


def _described(chart: alt.Chart, mark: str) -> alt.Chart:
    return chart.encode(description="title:N").transform_filter(f"datum.mark == '{mark}'")


def _rounds(scale: alt.Scale | None = None, **axis: Any) -> alt.X:
    axes = alt.Axis(labelAngle=0, labelOverlap="parity", **axis)
    return alt.X("round:O", title="round", axis=axes, scale=scale or alt.Scale())


def _y(values: Iterable[float], span: float) -> alt.Y:
    """Return the vertical axis. The axis covers at least `span`: a tiny difference looks tiny."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    spare = max(0.0, span - (high - low)) / 2
    scale = alt.Scale(domain=[low - spare, high + spare], nice=True)
    return alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5, grid=True))


def _look(names: Sequence[str]) -> tuple[alt.Color, alt.StrokeDash]:
    """Return colour and dashes by series, with a legend for several series."""
    domain, legend = list(names), alt.Legend(title=None) if len(names) > 1 else None
    color = alt.Color("series:N", scale=alt.Scale(domain=domain, range=list(INKS)), legend=legend)
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=domain, range=list(_DASHES)), legend=legend)
    return color, dash


def _chart(title: str, layers: Sequence[alt.Chart], rows: Sequence[Mapping[str, Any]]) -> Chart:
    drawing = alt.layer(*layers, data=alt.InlineData(list(rows)))
    return Chart(title, svg(drawing), tuple(row["title"] for row in rows))
