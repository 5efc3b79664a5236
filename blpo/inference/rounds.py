"""Trials and rounds in the state: the q's behind an update, the round records, and earlier objections.

A trial of the current round holds prompts as text. A past round must stay small, so the round's record holds digests of
prompts; `past_trials` turns the record back into trials.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from blpo.metrics.agreement import value
from blpo.metrics.task_metrics import task_value
from blpo.storage.response_store import ResponseStore
from state.approval import PromptName
from state.loops import OuterState, RoundRecord, Trial, TrialDigest, UpdateState
from state.settings import SearchSettings


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the argmax of score over H, the earlier on a tie; the first trial (q_0) if no trial has a score."""
    return max(trials, key=lambda trial: -2.0 if trial["score"] is None else trial["score"])


def is_adopted(trial: Trial, adopt: Literal["clear", "improving", "always"]) -> bool:
    """Return true if a scored trial is good enough: above its noise, above 0, or with any score (`search.adopt`)."""
    if trial["score"] is None or adopt == "always":
        return trial["score"] is not None
    return trial["score"] > (trial.get("noise", 0.0) if adopt == "clear" else 0)


def is_pooled(trial: Trial) -> bool:
    """Return true for a trial without a score that has not failed: descriptions by q."""
    return trial["score"] is None and trial["failure"] is None


def pooled_prompts(trials: Sequence[Trial]) -> list[str]:
    """Return the distinct I2T prompts of pooled trials, oldest first."""
    return list(dict.fromkeys(trial["i2t_prompt"] for trial in trials if trial["i2t_prompt"] is not None))


def prompts_of_update(state: UpdateState, search: SearchSettings) -> list[str]:
    """Return the I2T prompts with descriptions for J: all of pooled trials, else q alone; empty without a prompt."""
    if search.trials == "pooled":
        return pooled_prompts(state.get("trials", []))
    q = state["i2t_prompt"]
    return [] if q is None else [q]


def is_new(i2t_prompt: str, rounds: Sequence[RoundRecord]) -> bool:
    """Return true if no trial of past rounds had the I2T prompt."""
    digest = sha256(i2t_prompt.encode()).hexdigest()
    return all(trial["i2t_prompt_sha256"] != digest for record in rounds for trial in record["trials"])


def selecting_values(rounds: Sequence[RoundRecord], search: SearchSettings) -> list[float]:
    """Return the metric that selects, by round: on train and validation if all rounds have it, else on validation."""
    measured = [record.get("labelled") for record in rounds]
    on_validation = any(each is None for each in measured) or search.select_on == "validation"
    return [
        value(record["validation"] if on_validation or each is None else each, search.metric)
        for record, each in zip(rounds, measured, strict=True)
    ]


def fallen_tasks(record: RoundRecord, rounds: Sequence[RoundRecord], search: SearchSettings) -> list[str]:
    """Return the tasks of a new round whose value above chance is more than `search.floor` below the best round's."""
    if not rounds:
        return []
    best = rounds[best_round(rounds, search)]
    before, after = (each.get("labelled", each["validation"]).get("by_task", {}) for each in (best, record))
    return [name for name in before if task_value(before[name]) - task_value(after[name]) > search.floor]


def selected_round(rounds: Sequence[RoundRecord], search: SearchSettings) -> int:
    """Return the selected round: the best by the metric (the earlier on a tie), or the last that was adopted."""
    if search.select == "last":
        return max((t for t, record in enumerate(rounds) if not record.get("fallen")), default=0)
    return best_round(rounds, search)


def best_round(rounds: Sequence[RoundRecord], search: SearchSettings) -> int:
    """Return the best adopted round by the metric that selects, the earlier on a tie; 0 without a round."""
    values = selecting_values(rounds, search)
    adopted = [t for t, record in enumerate(rounds) if not record.get("fallen")]
    return max(adopted, key=lambda t: values[t], default=0)


async def closed_rounds(state: OuterState, store: ResponseStore) -> list[RoundRecord]:
    """Return the round records, with batch and trials of the current round written into the last record.

    Texts go to the store; the records keep SHA-256 digests.
    """
    rounds = state.get("rounds", [])
    if not rounds:
        return []
    last: RoundRecord = {
        **rounds[-1],
        "errors": state.get("errors") or [],
        "anchors": state.get("anchors", []),
        "trials": [await _digest(trial, store) for trial in state.get("trials", [])],
    }
    if state.get("scored_on"):
        last["scored_on"] = state["scored_on"]
    failure = state.get("failure")
    if failure is not None and state.get("candidate") is None and any(map(is_pooled, state.get("trials", []))):
        last["failure"] = failure
    if state.get("decisions"):
        last["decisions"] = state["decisions"]
    return [*rounds[:-1], last]


async def past_trials(record: RoundRecord, store: ResponseStore) -> list[Trial]:
    """Return the trials of a past round with texts, oldest first."""
    return [await _past_trial(trial, store) for trial in record["trials"]]


def objections_to(state: UpdateState, prompt: PromptName) -> list[str]:
    """Return people's reasons against earlier judge or I2T prompts, oldest first."""
    return [objection["reason"] for objection in state.get("objections", []) if objection["prompt"] == prompt]


async def _digest(trial: Trial, store: ResponseStore) -> TrialDigest:
    i2t_prompt, judge_prompt = trial["i2t_prompt"], trial["judge_prompt"]
    digest = TrialDigest(
        i2t_prompt_sha256=None if i2t_prompt is None else await store.put_text(i2t_prompt),
        judge_prompt_sha256=None if judge_prompt is None else await store.put_text(judge_prompt),
        score=trial["score"],
        failure=trial["failure"],
    )
    if "noise" in trial:
        digest["noise"] = trial["noise"]
    return digest


async def _past_trial(digest: TrialDigest, store: ResponseStore) -> Trial:
    trial = Trial(
        i2t_prompt=await _text(digest["i2t_prompt_sha256"], store),
        judge_prompt=await _text(digest["judge_prompt_sha256"], store),
        score=digest["score"],
        failure=digest["failure"],
    )
    if "noise" in digest:
        trial["noise"] = digest["noise"]
    return trial


async def _text(digest: str | None, store: ResponseStore) -> str | None:
    return None if digest is None else await store.text(digest)
