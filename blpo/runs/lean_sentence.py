"""Sentences about a judge's answers to pairs: consistency, and the lean to a position."""

from collections.abc import Iterator

from blpo.metrics.readings import strict_reading
from state.metrics import Metrics
from state.result import Result


def lean_sentences(result: Result) -> Iterator[str]:
    """Yield sentences about the selected prompt on the test split; none without a test and for tasks without pairs."""
    test = result["test"]
    if test is None or "first_rate" not in test["best"]:
        return
    best = test["best"]
    if "consistency" not in best:
        yield "Each pair was asked in one order, which can't tell a lean to a position (task.order: both can)."
        return
    yield consistency_sentence(best)
    yield lean_sentence(best["first_rate"], best.get("first_rate_ci95"))


def lean_sentence(first_rate: float | None, interval: list[float] | None) -> str:
    """Say how many answers about pairs in both orders are "first", and if the judge leans to a position."""
    if first_rate is None:
        return 'No answer is "first" or "second", so there is no lean to a position.'
    share = f'{first_rate:.1%} of the answers "first" and "second" are "first"'
    if interval is None:
        return f"{share} (too few pairs for an interval)."
    low, high = interval
    lean = "leans to the first" if low > 0.5 else "leans to the second" if high < 0.5 else "shows no lean to a position"
    return f"The judge {lean}: {share} (95 % interval {low:.1%} to {high:.1%})."


def consistency_sentence(measured: Metrics) -> str:
    """Say on which share of pairs the two orders agree, and which share is right in both orders."""
    values = [strict_reading(measured, name) for name in ("consistency", "consistent_accuracy")]
    same, right = ("an undefined share" if value is None else f"{value:.1%}" for value in values)
    return f"In both orders the answer is the same for {same} of the pairs, and right for {right}."
