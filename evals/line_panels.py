"""Lines over what was varied: a column of panels for each setting, a row for each dataset and judge."""

from typing import TYPE_CHECKING

from evals.figure_data import AXES, Content, Line, lines, swept
from evals.figure_frame import GREY, frame, look, metric, within_range
from evals.methods import METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NOTES = (
    "Line: their mean; bars: its 95 % interval (Student's t over seeds). Dotted: the setting's value where others are"
    " varied."
)

_ASIDE = 5.0
"""Points between the bars of two methods at the same value."""


def draw_lines(content: Content) -> "Figure":
    """The figure; each line has the id `line:DATASET:JUDGE:SETTING:METHOD` in the SVG."""
    from matplotlib.figure import Figure

    settings = swept(content)
    groups = list(dict.fromkeys((row["dataset"], row["judge"]) for row in content["rows"]))
    size = (max(6.4, 0.9 + 3.6 * len(settings)), 1.3 + 2.7 * len(groups))
    figure = Figure(figsize=size)
    grid = figure.subplots(len(groups), len(settings), sharey="row", squeeze=False)
    for group, row in zip(groups, grid, strict=True):
        for setting, axes in zip(settings, row, strict=True):
            for line in lines(content, setting):
                if (line.dataset, line.judge) == group:
                    _line(axes, content, line, setting)
            _settle(axes, content, setting)
        row[0].set_ylabel(metric(content))
        row[0].set_title("{}, judge {}".format(*group))
        within_range(content, row[0], "y")
    names = content["experiment"]["methods"]
    if len(names) > 1:
        figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside right upper")
    subject = METHODS[names[0]].title if len(names) == 1 else "Methods"
    figure.set_layout_engine("constrained", hspace=0.06)
    frame(figure, content, f"{subject}: what one setting changes", _NOTES)
    return figure


def _line(axes: "Axes", content: Content, line: Line, setting: str) -> None:
    """One method's line; its bars and seeds stand beside those of other methods, not over them."""
    from matplotlib.transforms import offset_copy

    names = content["experiment"]["methods"]
    place = names.index(line.method)
    colour, mark = look(line.method, place)
    aside = offset_copy(
        axes.transData, axes.get_figure(root=True), x=_ASIDE * (place - (len(names) - 1) / 2), y=0, units="points"
    )
    values, points = list(line.points), list(line.points.values())
    lows, highs = [point.low for point in points], [point.high for point in points]
    axes.vlines(values, lows, highs, color=colour, alpha=0.3, lw=4, transform=aside, zorder=1.5)
    seeds = [(value, seed) for value, point in line.points.items() for seed in point.values]
    axes.plot(*zip(*seeds, strict=True), "o", ms=3, color=colour, alpha=0.45, mew=0, transform=aside)
    ends = [(value, end) for value, point in line.points.items() for end in (point.low, point.high, *point.values)]
    axes.update_datalim(ends)  # what stands aside does not count by itself
    name = f"line:{line.dataset}:{line.judge}:{setting}:{line.method}"
    means = [point.mean for point in points]
    axes.plot(values, means, color=colour, marker=mark, ms=5.5, lw=1.8, label=METHODS[line.method].title, gid=name)


def _settle(axes: "Axes", content: Content, setting: str) -> None:
    """Name the axis, and say which value the setting has in the other panels."""
    own = content["experiment"]["search"][setting]
    axes.axvline(own, color=GREY, lw=1, ls=":", zorder=0)
    axes.set_xticks(sorted({*content["experiment"]["sweeps"][setting], own}))
    axes.set_xlabel(_axis(content, setting))
    axes.grid(visible=False, axis="x")


def _axis(content: Content, setting: str) -> str:
    if setting == "error_batch" and content["experiment"]["preset"] == "figure1":
        return "images in the optimizer's context"
    return AXES[setting]
