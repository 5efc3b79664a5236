"""Sentences about the human ceiling: the judge beside one rater."""

from collections.abc import Iterator

from blpo.runs.wording import counted, figure, metric_name
from state.metrics_on_test import TestMetrics
from state.rater_metrics import HumanCeiling
from state.result import Result


def ceiling_of(test: TestMetrics | None) -> HumanCeiling | None:
    """Return the human ceiling; None for a run without a test, without raters, and of an older version."""
    return None if test is None else test.get("human_ceiling")


def ceiling_sentence(result: Result) -> str:
    """Say if the judge is as good as one rater; an empty text without raters."""
    ceiling, metric = ceiling_of(result["test"]), metric_name(result["metric"])
    if ceiling is None:
        return ""
    if ceiling["value"] is None or ceiling["judge"]["best"] is None:
        return f"No comparison with one rater: {ceiling.get('undefined', 'the metric is undefined')}."
    values = f"{metric} {figure(ceiling['judge']['best'])} against {figure(ceiling['value'])} of one rater"
    interval = ceiling["difference_ci95"]
    if interval is None:
        return f"As good as one rater? {values}, by the other raters; too few samples or raters for an interval."
    low, high = interval
    words = "Better than one rater" if low > 0 else "Below one rater" if high < 0 else "As good as one rater, as far as"
    words += " the test can tell" if low <= 0 <= high else ""
    difference = ceiling["judge"]["best"] - ceiling["value"]
    return (
        f"{words}: {values} (both by the other raters; difference {difference:+.3f}, 95 % interval {low:+.3f} to "
        f"{high:+.3f}, over samples and raters)."
    )


def ceiling_notes(ceiling: HumanCeiling) -> Iterator[str]:
    """Yield sentences about raters, ties and the way of counting."""
    alpha = ceiling["alpha"]
    yield (
        f"{counted(ceiling['raters'], 'rater')} on {counted(ceiling['samples'], 'test sample')}, Krippendorff's alpha "
        f"{'undefined' if alpha is None else figure(alpha)}."
    )
    if ceiling["pooled"]:
        yield "Too few raters have ten ratings each, so all ratings count together as those of one rater."
    if ceiling["left_out"]:
        yield f"{counted(ceiling['left_out'], 'rater')} with fewer than ten ratings left out of the mean over raters."
    if ceiling["ties"]:
        yield f"{counted(ceiling['ties'], 'tie')} of the other raters broken by the seed."
