"""Curves of a run as SVG in the colours of the page: metric by round, score by trial, mean rating by human rating.

A layer and a channel are parts of a Vega-Lite specification. Altair would check such parts in several times the time
of drawing; tests check the parts against Altair's schema.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from blpo.metrics.readings import strict_reading
from blpo.reports.chart_svg import ACCENT, BAD, EDGE, INKS, PAGE, TEXT, Layer, specification, svg
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
    specification: Layer
    values: tuple[str, ...]

    @property
    def svg(self) -> Markup:
        """The drawing as an SVG element."""
        return svg(self.specification)


def validation_chart(runs: Sequence[tuple[str, RunRecord]], bands: Sequence[Band] = ()) -> Chart | None:
    """Draw the metric on validation by round, with a line for each run; None without judged rounds.

    `bands` are the intervals of the rounds of a run that stands alone.
    """
    rows = [row for name, run in runs for row in _validation_rows(plain(name), run, alone=len(runs) == 1)]
    if not rows:
        return None
    rows = [_with_band(row, bands[row["round"]] if bands else None) for row in rows]
    names = [plain(name) for name, _ in runs]
    y = _y([row[name] for row in rows for name in ("low", "value", "high")], span=0.1)
    base = {"x": _rounds(), "y": y, "color": _look(names, INKS)}
    labels = {"type": "text", "dx": {"expr": "datum.rises ? 30 : 0"}, "dy": {"expr": "datum.rises ? 0 : -13"}}
    layers = [
        *(_band(base) if any(bands) else ()),
        _layer({"type": "line"}, base, strokeDash=_look(names, _DASHES)),
        *_points(base),
        _layer({**labels, "fontWeight": 600}, base, text=_field("label", "nominal"), color={"value": TEXT}),
    ]
    return _chart(f"{metric_name(runs[0][1].result['metric'])} on validation, by round", layers, rows)


def _with_band(row: dict[str, Any], band: Band) -> dict[str, Any]:
    low, high = band or (row["value"], row["value"])
    interval = f", 95 % interval {low:z.3f} to {high:z.3f}" if band else ""
    return {**row, "low": low, "high": high, "title": row["title"] + interval}


def _band(base: Layer) -> tuple[Layer, Layer]:
    """Return the area of the intervals, and a thin rule at every round."""
    ends = {"y": {**base["y"], "field": "low"}, "y2": {"field": "high"}}
    return _layer({"type": "area", "opacity": 0.14}, base, **ends), _layer(
        {"type": "rule", "opacity": 0.45}, base, **ends
    )


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
    x = _rounds({"paddingInner": 0.1}, tickBand="extent", grid=True, gridDash=[2, 3])
    y = _y((0.0, *(row["value"] for row in rows)), span=0.2)
    base = {"x": x, "y": y, "xOffset": _field("step", "ordinal"), "color": {"value": ACCENT}}
    cross = {"type": "point", "shape": "cross", "angle": 45, "filled": True, "size": 110, "opacity": 1}
    failed = _marked(cross, {**base, "color": {"value": BAD}}, "failed")
    zero = _layer({"type": "rule", "color": EDGE}, {"y": {"datum": 0.0, "type": "quantitative"}})
    return _chart("Score of each trial of an I2T prompt, by round", [zero, *_points(base), failed], rows)


def ratings_chart(
    before: Sequence[RatingRow], after: Sequence[RatingRow], low: int, high: int, source: LabelSource
) -> Chart:
    """Draw the judge's mean rating for each label, before and after; on the diagonal judge and labels agree."""
    rows = [
        {"series": name, "human": row.human, "value": row.mean, "mark": mark, "title": _rating(name, row, source)}
        for name, mark, ratings in (("before", "dot", before), ("after", "chosen", after))
        for row in ratings
    ]
    scale = {"domain": [low, high]}
    axis = {"tickMinStep": 1, "format": "d"}
    x = _field(
        "human", "quantitative", title=source.label, scale={**scale, "padding": 25}, axis={**axis, "grid": False}
    )
    y = _field("value", "quantitative", title="judge", scale=scale, axis=axis)
    base = {"x": x, "y": y, "color": _look(["before", "after"], INKS)}
    dashes = {"type": "line", "color": EDGE, "strokeDash": [5, 4], "strokeWidth": 1.25}
    ends = {"values": [{"human": end, "value": end} for end in (low, high)]}
    diagonal = {"data": ends, **_layer(dashes, {"x": x, "y": y})}
    layers = [diagonal, _layer({"type": "line"}, base), *_points(base)]
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


def _points(base: Layer) -> tuple[Layer, Layer]:
    """Return dots, and rings for chosen points."""
    dots = {"type": "point", "filled": True, "size": _DOT, "opacity": 1}
    rings = {"type": "point", "fill": PAGE, "size": _RING, "strokeWidth": 2.5, "opacity": 1}
    return _marked(dots, base, "dot"), _marked(rings, base, "chosen")


def _marked(mark: Layer, base: Layer, value: str) -> Layer:
    """Return the layer of the rows with this mark, described by their titles."""
    layer = _layer(mark, base, description=_field("title", "nominal"))
    return {**layer, "transform": [{"filter": f"datum.mark == '{value}'"}]}


def _layer(mark: Layer, base: Layer, **channels: Layer) -> Layer:
    return {"mark": mark, "encoding": {**base, **channels}}


def _field(name: str, kind: str, **options: Any) -> Layer:
    return {"field": name, "type": kind, **options}


def _rounds(scale: Layer | None = None, **axis: Any) -> Layer:
    axes = {"labelAngle": 0, "labelOverlap": "parity", **axis}
    return _field("round", "ordinal", title="round", axis=axes, scale=scale or {})


def _y(values: Iterable[float], span: float) -> Layer:
    """Return the vertical axis. The axis covers at least `span`: a tiny difference looks tiny."""
    numbers = list(values)
    low, high = min(numbers), max(numbers)
    spare = max(0.0, span - (high - low)) / 2
    scale = {"domain": [low - spare, high + spare], "nice": True}
    return _field("value", "quantitative", title=None, scale=scale, axis={"tickCount": 5, "grid": True})


def _look(names: Sequence[str], looks: Sequence[Any]) -> Layer:
    """Return colours or dashes by series, with a legend for several series."""
    scale = {"domain": list(names), "range": list(looks)}
    return _field("series", "nominal", scale=scale, legend={"title": None} if len(names) > 1 else None)


def _chart(title: str, layers: Sequence[Layer], rows: Sequence[Mapping[str, Any]]) -> Chart:
    return Chart(title, specification(layers, rows), tuple(row["title"] for row in rows))
