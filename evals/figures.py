"""Figures of a finished experiment as SVG, which needs no network and no program but a browser.

    python -m evals.figures OUT

Where settings were varied, a panel of lines for each of them; else a panel of methods for each dataset and judge. Dots
are seeds, the mark is their mean, and the bar its 95 % interval (Student's t over seeds).
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.figure_data import AXES, Content, Point, lines, methods, swept
from evals.methods import METHODS
from state.errors import BlpoError, ModelError, RunError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE = "figure.svg"
BLUE, GREY, ORANGE = "#1f5fa8", "#6b6b6b", "#d1781f"
COLOURS = (BLUE, ORANGE, "#3a8a4d", "#8a4d9e", "#b03a48", "#4d8a9e")
STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the reader's own font
    "svg.hashsalt": "blpo",  # the same numbers, the same file
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
}


def write_figure(content: Content, out: Path) -> Path:
    """Write figure.svg from the content of table.json; raises `ModelError` without the extra `report`."""
    path = out / FIGURE
    try:
        draw(content).savefig(path, format="svg", metadata={"Date": None})
    except OSError as error:
        raise RunError(f"can't write {path}: {error.strerror}") from None
    return path


def draw(content: Content) -> "Figure":
    """The figure of an experiment: lines over what it varied, else methods side by side."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModelError("figures need the extra report; install it with: pip install 'blpo[report]'") from None
    with matplotlib.rc_context(STYLE):
        settings = swept(content)
        if settings:
            panels: list[Callable[[Axes], None]] = [_line_panel(content, setting) for setting in settings]
            figure = Figure(figsize=(0.6 + 3.6 * len(panels), 3.4), layout="constrained")
            grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)
        else:
            groups = list(dict.fromkeys((row["dataset"], row["judge"]) for row in content["rows"]))
            panels = [_method_panel(content, *group) for group in groups]
            count = max(sum(row["dataset"] == dataset for row in content["rows"]) for dataset, _ in groups)
            figure = Figure(figsize=(1.6 + 4.2 * len(panels), 1.3 + 0.33 * count), layout="constrained")
            grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)
        for panel, axes in zip(panels, grid[0], strict=True):
            panel(axes)
        return figure


def _line_panel(content: Content, setting: str) -> "Callable[[Axes], None]":
    def panel(axes: "Axes") -> None:
        found = lines(content, setting)
        for colour, line in zip(_cycle(len(found)), found, strict=True):
            values = list(line.points)
            points = list(line.points.values())
            label = ", ".join([METHODS[line.method].title, line.dataset, line.judge])
            axes.plot(values, [point.mean for point in points], color=colour, marker="o", markersize=4, label=label)
            axes.fill_between(
                values, [p.low for p in points], [p.high for p in points], color=colour, alpha=0.15, linewidth=0
            )
        axes.set_xlabel(_axis(content, setting))
        axes.set_xticks(sorted(content["experiment"]["sweeps"][setting]))
        if setting == swept(content)[0]:
            axes.set_ylabel(f"{_metric(content)} (test)")
            axes.legend(frameon=False, fontsize=8)

    return panel


def _method_panel(content: Content, dataset: str, judge: str) -> "Callable[[Axes], None]":
    def panel(axes: "Axes") -> None:
        rows = list(methods(content, dataset, judge))
        names = [row["title"] for row, _ in rows]
        for place, (row, point) in enumerate(rows):
            _mark(axes, place, point, BLUE if row["method"] == "blpo" else GREY)
            if row["paper"]:
                label = "the paper's F1 (not measured here)" if place == 0 else None
                axes.plot(row["paper"]["f1"], place, marker="D", color=ORANGE, fillstyle="none", label=label, ls="")
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel(f"{_metric(content)} (test)")
        axes.set_title(f"{dataset}, judge {judge}")
        axes.grid(axis="x", color="#e4e4e4", linewidth=0.8)
        axes.set_axisbelow(True)
        if any(row["paper"] for row, _ in rows):
            axes.legend(frameon=False, fontsize=8, loc="best")

    return panel


def _mark(axes: "Axes", place: int, point: Point, colour: str) -> None:
    axes.plot(point.values, [place] * len(point.values), marker="o", ms=3.5, color=colour, alpha=0.35, ls="", mew=0)
    axes.errorbar(
        point.mean, place, xerr=[[point.mean - point.low], [point.high - point.mean]], fmt="o", ms=6, color=colour,
        capsize=3,
    )  # fmt: skip


def _axis(content: Content, setting: str) -> str:
    if setting == "error_batch" and content["experiment"]["preset"] == "figure1":
        return "images in the optimizer's context"
    return AXES[setting]


def _metric(content: Content) -> str:
    return str(content["experiment"]["search"]["metric"]).replace("_", "-").replace("macro-f1", "macro-F1")


def _cycle(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def read_table(out: Path) -> dict[str, Any]:
    """The content of table.json of a finished experiment; raises `RunError` where there is none."""
    try:
        content: dict[str, Any] = json.loads((out / "table.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(f"{out} holds no table.json; finish the experiment first with blpo evals") from None
    return content


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the figure of each experiment named; the exit code is that of the command line tool."""
    parser = argparse.ArgumentParser(prog="python -m evals.figures", description="Draw the figure of an experiment.")
    parser.add_argument("out", nargs="+", type=Path, help="an experiment's folder")
    try:
        for out in parser.parse_args(arguments).out:
            print(write_figure(read_table(out), out))
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
