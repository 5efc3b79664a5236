"""Vega-Lite charts as SVG for a page: in the colours of the theme, without style attributes, which the page forbids."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup

Layer = dict[str, Any]
"""Layer of a Vega-Lite specification, or a part of a layer."""

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
_THEME: Layer = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {"domain": False, "ticks": False, "gridColor": LINE, "labelPadding": 7, **_FONT},
    "legend": {
        "orient": "bottom",
        "direction": "vertical",
        "labelLimit": _WIDTH,
        "symbolType": "stroke",
        "symbolSize": 600,
        **_FONT,
    },
    "text": {"fontSize": 12},
}
_DESCRIBED = re.compile(r'<path aria-label="([^"]*)"([^>]*)/>')
_GROUP = re.compile(r"<g [^>]*>")
_ROLES = re.compile(r' (?:role="graphics-[a-z-]+"|aria-roledescription="[^"]*")')


def specification(layers: Sequence[Layer], rows: Sequence[Mapping[str, Any]]) -> Layer:
    """Return the Vega-Lite specification of a chart. `rows` are the data of all layers without data of their own."""
    return {"layer": [*layers], "data": {"values": [*rows]}, "width": _WIDTH, "height": _HEIGHT, "config": _THEME}


def svg(chart: Layer) -> Markup:
    """Draw a specification as an SVG element. A mark shows its description also when the pointer rests on the mark."""
    drawing = vl_convert.vegalite_to_svg(chart)
    drawing = _GROUP.sub(_without_role, drawing)
    return Markup(_DESCRIBED.sub(r'<path aria-label="\1"\2><title>\1</title></path>', drawing))


def standalone_svg(chart: Layer, title: str) -> str:
    """Draw a specification as an SVG file: under a title, in the light colours of the page, on white."""
    heading = {"text": title, "anchor": "start", "fontSize": 13, "fontWeight": 400, "color": QUIET}
    drawing = vl_convert.vegalite_to_svg({**chart, "title": heading, "background": "white", "padding": 12})
    return re.sub(r"var\(--(\w+)\)", lambda name: _light_colours()[name[1]], drawing)


@cache
def _light_colours() -> dict[str, str]:
    """Return the light colours of page.css by name."""
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--(\w+): light-dark\((#\w+),", style))


def _without_role(group: re.Match[str]) -> str:
    """Return the tag of a group without a role, unless the group has a label: a role needs a label."""
    return group[0] if "aria-label=" in group[0] else _ROLES.sub("", group[0])
