"""Methods side by side: a panel for each dataset and judge, with the methods in the same places."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from evals.figure_data import Content, SeedMean, method_means, panels
from evals.figure_style import BLUE, GREY, RED, MetricScale, metric_of, metric_title, styled
from evals.methods import METHODS
from evals.paired_tests import YARDSTICK

_COLUMNS = 2
_WIDTH, _ROW = 330, 34
_ENDS = {"number": _WIDTH + 45, "p": _WIDTH + 110}
"""Right ends of the two columns of numbers beside a panel."""
_NAMES, _GAP = 160, 40
_SEEDS = 10
"""Seeds stand so many pixels below the bar, which would hide them."""
_NOTES = (
    "Large mark: their mean; bar: its 95 % interval (Student's t over seeds). p: BLPO against the method, paired by"
    " seed and sample, corrected over the methods of a panel."
)
_PAPER = " Open diamond: F1 in the paper, with its own models and samples."


def draw_methods(content: Content) -> alt.ConcatChart:
    """Draw the figure. The description of each mean names dataset, judge and method."""
    groups = panels(content)
    columns = min(_COLUMNS, len(groups))
    charts = [_panel(content, *group, has_names=place % columns == 0) for place, group in enumerate(groups)]
    notes = _NOTES + (_PAPER if any(row["paper"] for row in content["rows"]) else "")
    figure = alt.concat(*charts, columns=columns, spacing=_GAP)
    return styled(figure, content, "Methods under one equal budget", notes, _NAMES + columns * (_ENDS["p"] + _GAP))


def _panel(content: Content, dataset: str, judge: str, *, has_names: bool) -> alt.LayerChart | alt.FacetChart:
    """Return the panel of a dataset and judge. Names of methods stand left of the first column alone."""
    where = f"{dataset}, judge {judge}"
    results = list(method_means(content, dataset, judge))
    y = _names(content, has_names=has_names)
    layers = (*_marks(content, where, results, y), *_columns(content, results, y))
    return alt.layer(*layers).properties(width=_WIDTH, height=alt.Step(_ROW), title=alt.TitleParams(where, offset=8))


def _names(content: Content, *, has_names: bool) -> alt.Y:
    titles = [METHODS[name].title for name in content["experiment"]["methods"]]
    weight = {"condition": {"test": f"datum.value == '{METHODS[YARDSTICK].title}'", "value": "bold"}, "value": "normal"}
    axis = alt.Axis(domain=False, ticks=False, labelLimit=_NAMES, labelFontWeight=weight)
    return alt.Y("method:N", title=None, scale=alt.Scale(domain=titles), axis=axis if has_names else None)


def _marks(
    content: Content, where: str, results: Sequence[tuple[Mapping[str, Any], SeedMean]], y: alt.Y
) -> Sequence[alt.Chart]:
    """Return the marks: seeds, intervals, means and the paper's numbers."""
    ends = [value for _, point in results for value in (point.low, point.high, *point.values)]
    metric = metric_of(content, results[0][0]["dataset"] if results else content["rows"][0]["dataset"])
    scale = MetricScale(metric, [*ends, *(row["paper"]["f1"] for row, _ in _in_paper(results))])
    rows = [
        {
            "method": row["title"],
            "color": _color(row),
            "low": scale.within(point.low),
            "high": scale.within(point.high),
            "mean": point.mean,
            "text": f"{where}, {row['title']}: mean {point.mean:.3f}",
        }
        for row, point in results
    ]
    seeds = [
        {"method": row["title"], "color": _color(row), "seed": value}
        for row, point in results
        for value in point.values
    ]
    papers = [{"method": row["title"], "paper": row["paper"]["f1"]} for row, _ in _in_paper(results)]

    def x(field: str) -> alt.X:
        title, axis = f"{metric_title(metric)} (higher is better)", alt.Axis(tickCount=5, labelFlush=False)
        return alt.X(f"{field}:Q", title=title, scale=scale.scale, axis=axis)

    color = alt.Color("color:N", scale=None)
    base = _chart(rows).encode(y=y, color=color)
    return (
        _chart(seeds).mark_circle(size=20, opacity=0.45, yOffset=_SEEDS).encode(x=x("seed"), y=y, color=color),
        base.mark_rule(strokeWidth=2).encode(x=x("low"), x2="high:Q"),
        base.mark_point(filled=True, size=85, opacity=1).encode(x=x("mean"), description="text:N"),
        _chart(papers).mark_point(shape="diamond", color=RED, size=70, opacity=1).encode(x=x("paper"), y=y),
    )


def _in_paper(results: Sequence[tuple[Mapping[str, Any], SeedMean]]) -> Sequence[tuple[Mapping[str, Any], SeedMean]]:
    """Return the results with a known F1 in the paper; none where another metric than macro F1 is drawn."""
    of_f1 = [each for each in results if each[0]["paper"] and each[0]["metric"] == "macro_f1"]
    return [(row, point) for row, point in of_f1 if row["paper"]["f1"] is not None]


def _columns(content: Content, results: Sequence[tuple[Mapping[str, Any], SeedMean]], y: alt.Y) -> Sequence[alt.Chart]:
    """Return two columns of text beside the panel: mean and p-value, with headings."""
    by_method = {row["method"]: row for row, _ in results}
    rows = [
        {
            "method": METHODS[name].title,
            "number": f"{by_method[name]['mean']:.3f}" if name in by_method else "no result",
            "p": _p(by_method[name]["test"]) if name in by_method else "",
            "weight": "bold" if name == YARDSTICK and name in by_method else "normal",
            "color": "black" if name in by_method else GREY,
        }
        for name in content["experiment"]["methods"]
    ]
    text = _chart(rows).mark_text(align="right", fontWeight=alt.expr("datum.weight"))
    numbers = (
        text.encode(x=alt.value(end), y=y, text=f"{name}:N", color=alt.Color("color:N", scale=None))
        for name, end in _ENDS.items()
    )
    heading = alt.Chart().mark_text(align="right", color=GREY)
    headings = (
        heading.encode(x=alt.value(end), y=alt.value(-8), text=alt.value(title))
        for title, end in zip(("mean", "p (Holm)"), _ENDS.values(), strict=True)
    )
    return (*numbers, *headings)


def _p(test: Mapping[str, Any] | None) -> str:
    return "" if test is None else "< 0.001" if test["p_holm"] < 0.001 else f"{test['p_holm']:.3f}"


def _color(row: Mapping[str, Any]) -> str:
    return BLUE if row["method"] == YARDSTICK else GREY


def _chart(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(list(rows)))
