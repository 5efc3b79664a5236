"""The outcome of a run in one sentence, for summaries, reports and the deployed judge."""

from blpo.metrics.readings import strict_reading
from blpo.runs.wording import in_groups, metric_name, probability
from state.result import Result, TestMetrics

SIGNIFICANT = 0.05
"""Level of the paired test."""


def verdict(result: Result) -> str:
    """Say in one sentence if the best prompt is better on the test split, or why nobody knows."""
    test, metric = result["test"], result["metric"]
    if test is None:
        return f"Not tested: {why_not_tested(result)}."
    before, after = (strict_reading(test[side], metric) for side in ("initial", "best"))
    labels = result.get("lineage", {}).get("labels")
    corrected = 0 if labels is None else labels["test"]
    n = test["best"]["n"]
    size = in_groups(n, test.get("groups"), "sample" if corrected else "untouched sample")
    place = f"on {size}, {corrected} relabelled" if corrected else f"on {size}"
    initial, best = judge_prompts(result)
    if initial == best:
        return f"The initial prompt stays: no other was selected ({metric_name(metric)} {after:z.3f} {place})."
    numbers = f"{metric_name(metric)} {before:z.3f} -> {after:z.3f} {place}"
    if test["p_value"] >= SIGNIFICANT:
        return f"No improvement could be shown: {numbers} ({_evidence(test, after - before)})."
    return f"{'Better' if after > before else 'Worse'}: {numbers} ({_evidence(test, after - before)})."


def judge_prompts(result: Result) -> tuple[str, str]:
    """Return the initial and the best judge prompt; two empty texts for a run without a judged round."""
    rounds = result["rounds"]
    return (rounds[0]["judge_prompt"], rounds[result["best_round"]]["judge_prompt"]) if rounds else ("", "")


def _evidence(test: TestMetrics, difference: float) -> str:
    low, high = test["difference_ci95"]
    shared = min(test["initial"]["coverage"], test["best"]["coverage"]) < 1
    note = "; interval and p over samples answered under both prompts" if shared else ""
    interval = f"95 % interval {low:+.3f} to {high:+.3f}"
    return f"difference {difference:+.3f}, {interval}, {probability(test['p_value'])}{note}"


def why_not_tested(result: Result) -> str:
    """Return the reason for a result without a test."""
    if result["status"] in ("interrupted", "failed"):
        return "the test split is judged once, at the end of the search"
    return "what limits left did not suffice to judge the test split under both prompts"
