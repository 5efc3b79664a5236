"""The end of a run in words: the reason of the stop with its numbers, and the calls by purpose."""

from itertools import takewhile

from blpo.metrics.gain import Gain
from blpo.runs.wording import STOP_REASONS, single_line
from state.result import Result

_PURPOSES = {
    "train_and_validation": "judging train and validation",
    "descriptions": "descriptions",
    "optimizer": "optimizer",
    "test": "test",
    "other": "trials and repairs",
}


def stopped(result: Result) -> str:
    """Return the reason why the search ended. A stop for want of gain tells the gains and their standard error."""
    reason = result["stop_reason"]
    gains = [record["gain"] for record in result["rounds"] if "gain" in record]
    last = list(takewhile(lambda gain: not Gain(**gain).is_clear, reversed(gains)))
    if reason == "budget" and len(result["rounds"]) < 2:
        return "the budget pays for no round (limits); blpo estimate says what a round costs"
    if reason != "patience" or not last:
        return STOP_REASONS.get(reason, single_line(reason))
    best = max(last, key=lambda gain: gain["difference"] - gain["noise"])
    return (
        f"{len(last)} rounds gained no more than noise, {best['difference']:+.3f} at best with a standard error of"
        f" {best['noise']:.3f} (search.patience)"
    )


def spent(result: Result) -> str:
    """Return the answered calls by purpose; empty for an older or unfinished run."""
    calls = result.get("spent", {})
    return ", ".join(f"{_PURPOSES[name]} {count:,}" for name, count in calls.items() if count and name in _PURPOSES)
