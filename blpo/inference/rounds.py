"""Round records, trials and objections: how the current ones become past ones, which trial is best, who objected."""

from collections.abc import Sequence

from blpo.storage.response_store import ResponseStore
from state.approval import Prompt
from state.loops import OuterState, RoundRecord, Trial, TrialRecord, UpdateState


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Argmax of score over H, the earlier on a tie; the first trial (q_0) where none has a score."""
    return max(trials, key=lambda trial: -2.0 if trial["score"] is None else trial["score"])


async def closed_rounds(state: OuterState, store: ResponseStore) -> list[RoundRecord]:
    """The round records with the batch and trials of the round at hand written into the last one.

    Texts go to the store; the records keep their SHA-256.
    """
    rounds = state.get("rounds", [])
    if not rounds:
        return []
    trials = [await _record(trial, store) for trial in state.get("trials", [])]
    last: RoundRecord = {
        **rounds[-1],
        "errors": state.get("errors") or [],
        "anchors": state.get("anchors", []),
        "trials": trials,
    }
    if state.get("decisions"):
        last["decisions"] = state["decisions"]
    return [*rounds[:-1], last]


def objections_to(state: UpdateState, prompt: Prompt) -> list[str]:
    """Why people rejected earlier judge or I2T prompts, oldest first."""
    return [objection["reason"] for objection in state.get("objections", []) if objection["prompt"] == prompt]


async def _record(trial: Trial, store: ResponseStore) -> TrialRecord:
    i2t_prompt, judge_prompt = trial["i2t_prompt"], trial["judge_prompt"]
    return TrialRecord(
        i2t_prompt_sha256=None if i2t_prompt is None else await store.put_text(i2t_prompt),
        judge_prompt_sha256=None if judge_prompt is None else await store.put_text(judge_prompt),
        score=trial["score"],
        failure=trial["failure"],
    )
