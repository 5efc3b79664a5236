"""Lines over varied settings: a column of panels for each setting, a row for each dataset and judge."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from evals.figure_data import AXES, Content, MethodCurve, method_curves, panels, varied_settings
from evals.figure_style import GREY, MetricScale, look, metric_of, metric_title, styled
from evals.methods import METHODS

_NOTES = (
    "Line: their mean; bars: its 95 % interval (Student's t over seeds). Dotted: the setting's value where others are"
    " varied."
)
_WIDTH, _HEIGHT, _MARGIN = 290, 190, 70
_ASIDE = 7.0
"""Pixels between the bars of two methods at the same value."""


def draw_lines(content: Content) -> alt.VConcatChart:
    """Draw the figure. The description of each mean names dataset, judge, method, setting and value."""
    settings, names = varied_settings(content), content["experiment"]["methods"]
    subject = METHODS[names[0]].title if len(names) == 1 else "Methods"
    rows = [_row(content, settings, *group) for group in panels(content)]
    width = max(2, len(settings)) * (_WIDTH + _MARGIN)
    return styled(alt.vconcat(*rows, spacing=30), content, f"{subject}: what one setting changes", _NOTES, width)


def _row(content: Content, settings: Sequence[str], dataset: str, judge: str) -> alt.HConcatChart:
    """Return the panels of a dataset and judge, with a shared scale of the metric."""
    curves = {
        setting: [each for each in method_curves(content, setting) if (each.dataset, each.judge) == (dataset, judge)]
        for setting in settings
    }
    points = [point for lines in curves.values() for line in lines for point in line.points.values()]
    scale = MetricScale(
        metric_of(content, dataset), [value for each in points for value in (each.low, each.high, *each.values)]
    )
    charts = [
        _panel(content, setting, lines, scale, metric_title(metric_of(content, dataset)) if place == 0 else None)
        for place, (setting, lines) in enumerate(curves.items())
    ]
    return alt.hconcat(*charts, title=alt.TitleParams(f"{dataset}, judge {judge}", offset=8))


def _panel(
    content: Content, setting: str, curves: Sequence[MethodCurve], scale: MetricScale, title: str | None
) -> alt.LayerChart | alt.FacetChart:
    own = content["experiment"]["search"][setting]
    values = sorted({*content["experiment"]["sweeps"][setting], own})
    axis = alt.Axis(grid=False, values=values, format="d", labelOverlap=False)
    domain = alt.Scale(domain=[values[0], values[-1]], padding=15, nice=False, zero=False)
    x = alt.X("value:Q", title=_axis_title(content, setting), axis=axis, scale=domain)
    dotted = _chart([{"value": own}]).mark_rule(strokeDash=[1, 3], color=GREY).encode(x=x)
    layers = [dotted, *(layer for curve in curves for layer in _curve(content, setting, curve, scale, x, title))]
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)


def _curve(
    content: Content, setting: str, curve: MethodCurve, scale: MetricScale, x: alt.X, title: str | None
) -> Sequence[alt.Chart]:
    """Return the line of a method. Bars and seeds of different methods stand side by side."""
    names = content["experiment"]["methods"]
    method, aside = METHODS[curve.method].title, _ASIDE * (names.index(curve.method) - (len(names) - 1) / 2)
    where = f"{curve.dataset}, judge {curve.judge}, {method}, {_axis_title(content, setting)}"
    rows = [
        {
            "method": method,
            "value": value,
            "low": scale.within(point.low),
            "high": scale.within(point.high),
            "mean": point.mean,
            "text": f"{where} {value}: mean {point.mean:.3f}",
        }
        for value, point in curve.points.items()
    ]
    seeds = [{"method": method, "value": v, "seed": s} for v, point in curve.points.items() for s in point.values]
    color, shape = _look(names)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=title, scale=scale.scale)

    base = _chart(rows).encode(x=x, color=color)
    circles = _chart(seeds).mark_circle(size=18, opacity=0.45, xOffset=aside)
    return (
        base.mark_rule(strokeWidth=4, opacity=0.3, xOffset=aside).encode(y=y("low"), y2="high:Q"),
        circles.encode(x=x, y=y("seed"), color=color),
        base.mark_line(strokeWidth=2).encode(y=y("mean"), description=alt.value(where)),
        base.mark_point(filled=True, size=55, opacity=1).encode(y=y("mean"), shape=shape, description="text:N"),
    )


def _look(names: Sequence[str]) -> tuple[alt.Color, alt.Shape]:
    """Return colour and shape by method, with a legend for several methods."""
    domain = [METHODS[name].title for name in names]
    colors, shapes = zip(*(look(name, place) for place, name in enumerate(names)), strict=True)
    legend = alt.Legend(title=None) if len(names) > 1 else None
    color = alt.Color("method:N", scale=alt.Scale(domain=domain, range=list(colors)), legend=legend)
    return color, alt.Shape("method:N", scale=alt.Scale(domain=domain, range=list(shapes)), legend=legend)


def _axis_title(content: Content, setting: str) -> str:
    if setting == "error_batch" and content["experiment"]["preset"] == "figure1":
        return "images in the optimizer's context"
    return AXES[setting]


def _chart(rows: Sequence[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(list(rows)))
