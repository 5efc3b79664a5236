"""Facts at the end of a search: calls by purpose, and advice to label more."""

from collections.abc import Mapping, Sequence

from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun
from blpo.inference.reserve import answered_verdicts
from blpo.inference.rounds import selected_round
from blpo.metrics.readings import strict_value
from blpo.storage.role_counts import RoleCounts
from state.loops import OuterState, RoundRecord
from state.metrics import Metrics
from state.result import Result, StopReason

_PERFECT = 1 - 1e-9
"""Search metric of full agreement. A kappa of 1 may be computed a little lower."""


def calls_by_purpose(
    run: OpenRun, rounds: Sequence[RoundRecord], tested: int, unfinished: int, calls: Mapping[str, RoleCounts]
) -> dict[str, int]:
    """Return the answered calls by purpose. `tested` are the prompts that the test split was judged by.

    The judge's calls for train, validation and test are one a prompt and sample (two for a pair in both orders), and
    `unfinished` calls for a prompt whose judging the budget ended. The rest of the judge's calls are batches of scored
    trials and repairs. Failed and lost calls are left out: a resumed run counts as a clean run.
    """
    answered = {role: counts.answered for role, counts in calls.items()}
    judge = answered.get("judge", 0)
    prompts = {record["judge_prompt_sha256"] for record in rounds}
    test = min(judge, tested * run.questions("test"))
    complete = len(prompts) * run.questions("train", "validation")
    labelled = min(judge - test, complete + unfinished)
    return {
        "train_and_validation": labelled,
        "descriptions": answered.get("verbalizer", 0),
        "optimizer": answered.get("optimizer", 0),
        "test": test,
        "other": judge - test - labelled,
    }


async def unfinished_verdicts(run: OpenRun, state: OuterState) -> int:
    """Return the answered verdicts on train and validation under a prompt whose judging the budget ended."""
    prompt = state.get("candidate") if state.get("rounds") else initial_prompts(run.settings)[0]
    if state.get("stop_reason") != "budget" or prompt is None:
        return 0
    return await answered_verdicts(run, prompt, run.labelled)


def advice(run: OpenRun, rounds: Sequence[RoundRecord], result: Result, reason: StopReason | None) -> str | None:
    """Return advice for a run that ended although calls were left; None for a run that more calls may help.

    None also for full agreement on train and validation or on test: more labels would show nothing better.
    """
    search, samples = run.settings.search, len(run.batch_samples)
    if search.trials == "scored" or reason not in ("patience", "rounds") or len(rounds) < 2:
        return None
    usable = search.batch_size * (len(rounds) - 1) - samples
    if usable <= 0 or any(strict_value(each, search.metric) > _PERFECT for each in _of_selected(run, rounds, result)):
        return None
    return (
        f"More labels would help more than more calls: all rounds drew from the same {samples} samples of"
        f" {' and '.join(search.batch_splits)}, and can use {usable} more"
    )


def _of_selected(run: OpenRun, rounds: Sequence[RoundRecord], result: Result) -> list[Metrics]:
    """Return the metrics of the selected prompt: on train and validation, else on validation; and on test."""
    record = rounds[selected_round(rounds, run.settings.search)]
    return [record.get("labelled", record["validation"]), *([result["test"]["best"]] if result["test"] else [])]
