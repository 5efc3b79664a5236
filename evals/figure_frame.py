"""What all figures share: colours that colour-blind readers tell apart, names of axes, title and caption."""

import textwrap
from typing import TYPE_CHECKING

from evals.experiment_settings import EvalSettings
from evals.figure_data import Content
from evals.table import YARDSTICK
from evals.table_text import budget_in_words, is_offline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, GREY, RED = "#0072b2", "#5f5f5f", "#d55e00"
OTHERS = (RED, "#009e73", "#cc79a7", GREY, "#56b4e9", "#b8860b")
"""With blue the palette of Okabe and Ito, its yellow darkened for a light background."""
MARKS = ("s", "^", "D", "v", "P", "X")
_NAMES = {"macro_f1": "macro-F1", "kappa": "Cohen's kappa", "spearman": "Spearman's rho"}
_LETTERS_AN_INCH = 15


def look(method: str, place: int) -> tuple[str, str]:
    """Colour and mark of the method at this place: always the same for BLPO."""
    if method == YARDSTICK:
        return BLUE, "o"
    return OTHERS[place % len(OTHERS)], MARKS[place % len(MARKS)]


def metric(content: Content) -> str:
    """What is measured, in words; all metrics are better when higher, and at most 1."""
    name = content["experiment"]["search"]["metric"]
    return f"{_NAMES.get(name, name.replace('_', ' '))} on the test split"


def within_range(content: Content, axes: "Axes", axis: str) -> None:
    """End the `x` or `y` axis where the metric does, though an interval may go beyond."""
    least = -1.0 if content["experiment"]["search"]["metric"] in ("kappa", "quadratic_kappa", "spearman") else 0.0
    low, high = axes.get_xlim() if axis == "x" else axes.get_ylim()
    set_limits = axes.set_xlim if axis == "x" else axes.set_ylim
    set_limits(max(low, least), min(high, 1.0))


def frame(figure: "Figure", content: Content, title: str, notes: str) -> None:
    """Put the title above and the caption below; `notes` are the caption's own sentences."""
    evals = EvalSettings.model_validate(content["experiment"])
    seeds = len(evals.seeds)
    caption = (
        f"Small dots: {seeds} seed{'s' if seeds != 1 else ''}, each a run of its own. {notes} Budget of each run:"
        f" {budget_in_words(evals.budget)}."
    )
    if is_offline(evals):
        caption += " Embedded models: this does not show how multimodal LLMs behave."
    wide = int(_LETTERS_AN_INCH * figure.get_figwidth())
    figure.suptitle(title, x=0.012, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(textwrap.fill(caption, wide), x=0.012, ha="left", fontsize=8.5, color="#444444")
