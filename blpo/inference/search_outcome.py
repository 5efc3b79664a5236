"""Facts at the end of a search: calls by purpose, and advice to label more."""

from collections.abc import Mapping, Sequence

from blpo.inference.open_run import OpenRun
from blpo.storage.role_counts import RoleCounts
from state.loops import RoundRecord
from state.result import StopReason


def calls_by_purpose(
    run: OpenRun, rounds: Sequence[RoundRecord], tested: int, calls: Mapping[str, RoleCounts]
) -> dict[str, int]:
    """Return the answered calls by purpose. `tested` are the prompts that the test split was judged by.

    The judge's calls for train, validation and test are one a prompt and sample; the rest of the judge's calls are
    batches of scored trials and repairs. Failed and lost calls are left out: a resumed run counts as a clean run.
    """
    answered = {role: counts.answered for role, counts in calls.items()}
    judge = answered.get("judge", 0)
    prompts = {record["judge_prompt_sha256"] for record in rounds}
    test = min(judge, tested * len(run.split("test")))
    labelled = min(judge - test, len(prompts) * (len(run.split("train")) + len(run.split("validation"))))
    return {
        "train_and_validation": labelled,
        "descriptions": answered.get("verbalizer", 0),
        "optimizer": answered.get("optimizer", 0),
        "test": test,
        "other": judge - test - labelled,
    }


def advice(run: OpenRun, rounds: Sequence[RoundRecord], reason: StopReason | None) -> str | None:
    """Return advice for a run that ended although calls were left; None for a run that more calls may help."""
    search, train = run.settings.search, len(run.split("train"))
    if search.trials == "scored" or reason not in ("patience", "rounds") or len(rounds) < 2:
        return None
    usable = search.batch_size * (len(rounds) - 1) - train
    if usable <= 0:
        return None
    return (
        f"More calls would hardly help, because every round drew from the same {train} train samples. More labels"
        f" would: so many rounds can use {usable} more train samples"
    )
