"""Curve of a training as SVG: the reward of GRPO, else the loss, by update; with a running mean."""

from collections.abc import Sequence
from statistics import fmean

from blpo.training.recipe import Stage
from blpo.training.training_log import LogLine

CURVE = "curve.svg"
_SHARE = 20
"""The running mean covers one part in so many of the updates."""
_SIZE = {"width": 480, "height": 240}


def curve_svg(log: Sequence[LogLine], stage: Stage) -> str:
    """Return the drawing; it refers to no other file."""
    import altair as alt
    import vl_convert

    name = "reward" if stage == "grpo" else "loss"
    points = [(line.step, value) for line in log if (value := getattr(line, name)) is not None]
    width = max(1, len(points) // _SHARE)
    rows = [
        {"update": step, name: value, "mean": fmean(each for _, each in points[max(0, place - width + 1) : place + 1])}
        for place, (step, value) in enumerate(points)
    ]
    base = alt.Chart(alt.InlineData(rows)).encode(x=alt.X("update:Q", axis=alt.Axis(grid=False)))
    y = alt.Y(f"{name}:Q", title=name)
    dots = base.mark_point(filled=True, size=12, opacity=0.35, color="#5f5f5f").encode(y=y)
    line = base.mark_line(color="#0072b2", strokeWidth=2).encode(y=alt.Y("mean:Q", title=name))
    title = f"{name} by update, and the mean of {width} update{'s' if width > 1 else ''}"
    chart = alt.layer(dots, line).properties(title=title, **_SIZE).configure(background="white")
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))
