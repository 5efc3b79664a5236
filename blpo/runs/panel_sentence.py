"""Sentence about a panel: does it beat its best member?"""

from blpo.metrics.readings import SIGNIFICANT
from blpo.runs.wording import figure, metric_name, probability
from state.panel_metrics import PanelTest
from state.result import Result


def panel_sentence(result: Result) -> str:
    """Say if the panel is better than its best member on test; an empty text for one judge, and without a test."""
    panel = None if result["test"] is None else result["test"].get("panel")
    return "" if panel is None else sentence_of(panel, result["metric"], "The panel")


def sentence_of(panel: PanelTest, metric: str, judge: str) -> str:
    """Say if `judge`, a panel or several votes, is better than the best of its parts. Test and interval must agree."""
    low, high = panel["difference_ci95"]
    is_significant = panel["p_value"] < SIGNIFICANT
    if is_significant and low > 0:
        words = f"{judge} is better than"
    elif is_significant and high < 0:
        words = f"{judge} is worse than"
    else:
        words = f"{judge} could not be shown to be better than"
    best = next(each for each in panel["members"] if each["member"] == panel["best_member"])
    values = f"{metric_name(metric)} on test {figure(panel['panel'])} against {figure(best['test'])}"
    evidence = f"difference {panel['difference']:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    return (
        f"{words} {panel['best_member']}, the best alone on validation: {values} ({evidence},"
        f" {probability(panel['p_value'])})."
    )
