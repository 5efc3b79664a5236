"""Style of all figures: colours that colour-blind readers tell apart, the range of the metric, title and caption."""

import textwrap
from collections.abc import Iterable
from typing import Any, TypeVar

import altair as alt

from evals.experiment_settings import EvalSettings
from evals.figure_data import Content
from evals.paired_tests import YARDSTICK
from evals.table_reading import budget_in_words, is_offline
from state.settings import ORDINAL_METRICS

BLUE, GREY, RED = "#0072b2", "#5f5f5f", "#d55e00"
_OTHERS = (RED, "#009e73", "#cc79a7", GREY, "#56b4e9", "#b8860b")
"""With blue the palette of Okabe and Ito. Its yellow is darkened for a light background."""
_SHAPES = ("square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
_NAMES = {"macro_f1": "macro-F1", "kappa": "Cohen's kappa", "spearman": "Spearman's rho"}
_AXIS = "#888888"
_PIXELS_A_LETTER = 7
_PADDING = {"left": 30, "right": 40, "top": 8, "bottom": 8}
"""Room for a reader's font that is wider than the font of the drawing."""
_C = TypeVar("_C", alt.ConcatChart, alt.VConcatChart)
_FONT: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 400}
_THEME = alt.Config(
    background="white",
    view=alt.ViewConfig(stroke=None),
    axis=alt.AxisConfig(
        tickRound=False, translate=0, domainColor="#888", tickColor="#888", gridColor="#e4e4e4", **_FONT
    ),
    legend=alt.LegendConfig(symbolSize=90, symbolOpacity=1, **_FONT),
    title=alt.TitleConfig(anchor="start", fontSize=13, fontWeight=400),
    text=alt.MarkConfig(fontSize=12),
)


def look(method: str, place: int) -> tuple[str, str]:
    """Return colour and shape of the method at this place; BLPO always has the same."""
    if method == YARDSTICK:
        return BLUE, "circle"
    return _OTHERS[place % len(_OTHERS)], _SHAPES[place % len(_SHAPES)]


def metric_of(content: Content, dataset: str) -> str:
    """Return the search metric of a dataset: ratings and categories may have different metrics."""
    name: str = next(row["metric"] for row in content["rows"] if row["dataset"] == dataset)
    return name


def metric_title(name: str) -> str:
    """Return a metric in words; a higher value is better, and 1 is the best."""
    return f"{_NAMES.get(name, name.replace('_', ' '))} on the test split"


class MetricScale:
    """Scale that covers some values within the range of the metric; an interval may end outside the range."""

    def __init__(self, metric: str, values: Iterable[float]) -> None:
        signed = metric in ("kappa", "mcc", *ORDINAL_METRICS)
        least = -1.0 if signed else 0.0
        numbers = [min(max(value, least), 1.0) for value in values] or [0.0, 1.0]
        margin = 0.03 * (max(numbers) - min(numbers)) or 0.01
        self._low, self._high = max(min(numbers) - margin, least), min(max(numbers) + margin, 1.0)

    @property
    def scale(self) -> alt.Scale:
        """The scale as Altair has it."""
        return alt.Scale(domain=[self._low, self._high], nice=False, zero=False)

    def within(self, value: float) -> float:
        """Return the nearest value on the scale."""
        return min(max(value, self._low), self._high)


def styled(chart: _C, content: Content, title: str, notes: str, width: float) -> _C:
    """Add the theme, the title and the caption below the title; `notes` are the caption's own sentences."""
    evals = EvalSettings.model_validate(content["experiment"])
    seeds = len(evals.seeds)
    caption = (
        f"Small dots: {seeds} seed{'s' if seeds != 1 else ''}, each a run of its own. {notes} Budget of each run:"
        f" {budget_in_words(evals)}."
    )
    if is_offline(evals):
        caption += " Embedded models: this does not show how multimodal LLMs behave."
    heading = alt.TitleParams(
        title, subtitle=textwrap.wrap(caption, int(width / _PIXELS_A_LETTER)), fontSize=16, fontWeight=700,
        subtitleFontSize=12, subtitleColor="#444444", subtitlePadding=6, offset=18,
    )  # fmt: skip
    return chart.properties(title=heading, padding=_PADDING, config=_THEME)
