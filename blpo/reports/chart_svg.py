"""Altair charts as SVG for a page: colours follow the theme of the page, and no style attribute breaks its policy."""

import io
import re
from typing import Any

import altair as alt
from markupsafe import Markup

PAGE, LINE, EDGE, TEXT, QUIET, ACCENT, BAD = (
    f"var(--{name})" for name in ("page", "line", "edge", "text", "quiet", "accent", "bad")
)
"""Colours of page.css; light and dark."""
INKS = (ACCENT, "var(--second)", "var(--third)")
"""Colours of series."""
_WIDTH, _HEIGHT = 375, 190
_FONT: dict[str, Any] = {
    "labelColor": QUIET,
    "labelFontSize": 12,
    "titleColor": QUIET,
    "titleFontSize": 12,
    "titleFontWeight": 400,
}
_THEME = alt.Config(
    background="transparent",
    view=alt.ViewConfig(stroke=None),
    axis=alt.AxisConfig(domain=False, ticks=False, gridColor=LINE, labelPadding=7, **_FONT),
    legend=alt.LegendConfig(
        orient="bottom", direction="vertical", labelLimit=_WIDTH, symbolType="stroke", symbolSize=600, **_FONT
    ),
    text=alt.MarkConfig(fontSize=12),
)
_DESCRIBED = re.compile(r'<path aria-label="([^"]*)"([^>]*)/>')


def svg(chart: alt.LayerChart | alt.FacetChart) -> Markup:
    """Draw a chart as an SVG element. The description of a mark also shows when the pointer rests on the mark."""
    buffer = io.StringIO()
    chart.properties(width=_WIDTH, height=_HEIGHT, config=_THEME).save(buffer, format="svg")
    return Markup(_DESCRIBED.sub(r'<path aria-label="\1"\2><title>\1</title></path>', buffer.getvalue()))
