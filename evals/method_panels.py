"""Methods side by side: a panel for each dataset and judge, methods in the same places in all of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evals.figure_data import Content, Point, methods
from evals.figure_frame import BLUE, GREY, RED, frame, metric, within_range
from evals.methods import METHODS
from evals.table import YARDSTICK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 2
_BESIDE = ((1.10, "mean"), (1.27, "p (Holm)"))
"""Numbers right of a panel: where they end, as a share of its width."""
_NOTES = (
    "Large mark: their mean; bar: its 95 % interval (Student's t over seeds). p: BLPO against the method, paired over"
    " test samples, corrected for all tests of the experiment."
)
_PAPER = "F1 in the paper, with its own models and samples"


def draw_methods(content: Content) -> "Figure":
    """The figure; each mark of a mean has the id `mean:DATASET:JUDGE:METHOD` in the SVG."""
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys((row["dataset"], row["judge"]) for row in content["rows"]))
    columns = min(_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    names = content["experiment"]["methods"]
    size = (1.7 + 5.1 * columns, 1.0 + rows * (0.95 + 0.33 * len(names)))
    figure = Figure(figsize=size)
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for place, axes in enumerate(grid):
        if place < len(groups):
            _panel(axes, content, *groups[place], named=place % columns == 0)
        else:
            axes.set_axis_off()
    figure.set_layout_engine("constrained", wspace=0.06, hspace=0.06)
    frame(figure, content, "Methods under one equal budget", _NOTES)
    return figure


def _panel(axes: "Axes", content: Content, dataset: str, judge: str, *, named: bool) -> None:
    names = content["experiment"]["methods"]
    found = {row["method"]: (row, point) for row, point in methods(content, dataset, judge)}
    for place, name in enumerate(names):
        if name in found:
            row, point = found[name]
            _mark(axes, place, point, f"{dataset}:{judge}:{name}", BLUE if name == YARDSTICK else GREY)
            _numbers(axes, place, row)
        else:
            _beside(axes, _BESIDE[0][0], place, "no result", color=GREY)
    for end, heading in _BESIDE:
        _beside(axes, end, -0.85, heading, color=GREY)
    _paper(axes, [(names.index(name), row["paper"]) for name, (row, _) in found.items() if row["paper"]])
    axes.set_yticks(range(len(names)), [METHODS[name].title for name in names] if named else [])
    axes.set_ylim(len(names) - 0.5, -0.5)
    for label, name in zip(axes.get_yticklabels(), names, strict=False):
        label.set_fontweight("bold" if name == YARDSTICK else "normal")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"{metric(content)} (higher is better)")
    axes.set_title(f"{dataset}, judge {judge}")
    within_range(content, axes, "x")


def _mark(axes: "Axes", place: int, point: Point, name: str, colour: str) -> None:
    """Seeds a little below the bar, or it would hide them."""
    axes.plot(point.values, [place + 0.24] * len(point.values), "o", ms=3.5, color=colour, alpha=0.45, mew=0)
    axes.plot((point.low, point.high), (place, place), color=colour, lw=1.8, solid_capstyle="butt")
    axes.plot(point.mean, place, "o", ms=7, color=colour, gid=f"mean:{name}")


def _numbers(axes: "Axes", place: int, row: Mapping[str, Any]) -> None:
    """The mean and the test, beside the panel."""
    test = row["test"]
    p = "" if test is None else "< 0.001" if test["p_holm"] < 0.001 else f"{test['p_holm']:.3f}"
    weight = "bold" if row["method"] == YARDSTICK else "normal"
    for (end, _), text in zip(_BESIDE, (f"{row['mean']:.3f}", p), strict=True):
        _beside(axes, end, place, text, fontweight=weight)


def _beside(axes: "Axes", end: float, place: float, text: str, **look: Any) -> None:
    axes.text(end, place, text, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=9, **look)


def _paper(axes: "Axes", numbers: list[tuple[int, Mapping[str, Any]]]) -> None:
    if numbers:
        values, places = [paper["f1"] for _, paper in numbers], [place for place, _ in numbers]
        axes.plot(values, places, "D", color=RED, fillstyle="none", label=_PAPER)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13))
