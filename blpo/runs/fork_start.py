"""start.json: the state before the first round of a fork, from the parent's rounds."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from blpo.runs.rounds import Round
from state.approval import Objection
from state.loops import OuterState


class ForkStart(TypedDict):
    """Content of start.json."""

    answers: str | None
    """Response store to copy answers from; None for a shared store."""
    texts: list[str]
    """Prompts behind the digests in the records."""
    state: OuterState | None
    """State before the round; None: begin at the beginning."""


def state_before(
    rounds: Sequence[Round], t: int, judge_prompt: str | None, i2t_prompt: str | None
) -> tuple[OuterState, list[str]]:
    """Return the state before round t, and all texts behind the digests in the state.

    The prompts, unless None, take the place of p_t and q_t.
    """
    past, before = rounds[:t], rounds[max(t - 1, 0)]
    decisions = [decision for earlier in past for decision in earlier.record.get("decisions", [])]
    state = OuterState(
        round=t - 1,
        judge_prompt=(judge_prompt or rounds[t].judge_prompt).strip(),
        i2t_prompt=(i2t_prompt or rounds[t].i2t_prompt).strip(),
        rounds=[earlier.record for earlier in past],
        errors=before.record["errors"],
        anchors=before.anchors,
        trials=[trial.in_state for trial in before.trials],
        decisions=before.record.get("decisions", []),
        objections=[
            Objection(prompt=decision["prompt"], reason=decision["reason"] or "")
            for decision in decisions
            if decision["decision"] == "reject"
        ],
    )
    return state, list(dict.fromkeys(text for earlier in past for text in _texts(earlier)))


def _texts(round: Round) -> list[str]:
    texts = [text for trial in round.trials for text in (trial.i2t_prompt, trial.judge_prompt) if text is not None]
    return [round.judge_prompt, round.i2t_prompt, *texts]
