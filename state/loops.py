"""The state of both loops: a cursor of prompts, sample ids, trials and round records.

Plain JSON only, and small (at most 64 kB a superstep whatever the dataset's size): LangGraph's savers write the whole
state at every superstep. Images, descriptions and verdicts live in the response store; reading them again is free.
"""

from typing import Annotated, NotRequired, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Decision, Objection
from state.result import Metrics, Result, StopReason

T = TypeVar("T")


def described(state: type[T]) -> type[T]:
    """Give each field its docstring as description, for the schemas that Studio shows."""
    documented = with_config(ConfigDict(use_attribute_docstrings=True))(state)
    schema = TypeAdapter(documented).json_schema()
    for name, field in schema["properties"].items():
        if "description" in field:
            description = Field(description=field["description"])
            state.__annotations__[name] = Annotated[state.__annotations__[name], description]
    return state


class Trial(TypedDict):
    """One entry of the inner history H: (q, J(q, p), score)."""

    i2t_prompt: str | None
    """q_k; None where the optimizer gave none."""
    judge_prompt: str | None
    """p' = J(q_k, p); None where the optimizer gave none."""
    score: float | None
    """score(q_k; p) in [-1, 1], higher is better; None for a failed trial."""
    failure: str | None
    """Why the trial failed; None for one that has a score."""


class TrialRecord(TypedDict):
    """A past trial; the texts behind the SHA-256 digests are in the response store."""

    i2t_prompt_sha256: str | None
    judge_prompt_sha256: str | None
    score: float | None
    failure: str | None


class RoundRecord(TypedDict):
    """A judged round: p_t, its validation metrics, and the trials that led to p_{t+1}."""

    round: int
    judge_prompt_sha256: str
    i2t_prompt_sha256: str
    validation: Metrics
    errors: list[str]
    """Ids of I_B; empty until drawn."""
    anchors: list[str]
    trials: list[TrialRecord]
    decisions: NotRequired[list[Decision]]
    """What people decided about the prompts that the trials led to; absent where nobody was asked."""


@described
class UpdateState(TypedDict, total=False):
    """What J(q, p) reads and writes, at both levels: critique_judge and update_judge run on this."""

    round: int
    """t, from 0."""
    judge_prompt: str
    """p_t, fixed while the inner loop runs."""
    i2t_prompt: str | None
    """q: the one on trial inside the inner loop, q* outside it; None where the optimizer gave none."""
    errors: list[str] | None
    """Ids of I_B, the batch of wrong verdicts under p_t; None until drawn in this round."""
    anchors: list[str]
    """Ids of rightly judged samples shown and scored beside I_B."""
    critique: str | None
    """What the optimizer found wrong with p_t; None where it gave no usable critique."""
    candidate: str | None
    """p' = J(q, p_t); None where the optimizer gave no usable prompt."""
    failure: str | None
    """Why critique or candidate is None."""
    objections: list[Objection]
    """Why people rejected earlier prompts, oldest first; `nodes.approve` bounds them."""
    stop_reason: StopReason | None
    """Why the search stopped; None while it goes on."""


@described
class InnerState(UpdateState, total=False):
    """State of the inner loop (learning q while p_t is fixed)."""

    trials: list[Trial]
    """H, oldest first."""
    i2t_critique: str | None
    """What the optimizer found lacking in the descriptions; None where it gave no usable critique."""


class InnerInput(TypedDict, total=False):
    """What a round hands to the inner loop: p_t, q_0 and the batch."""

    round: int
    judge_prompt: str
    i2t_prompt: str | None
    errors: list[str] | None
    anchors: list[str]
    objections: list[Objection]


class InnerOutput(TypedDict, total=False):
    """What the inner loop hands back: q*, H, and whether the budget ran out."""

    i2t_prompt: str | None
    trials: list[Trial]
    stop_reason: StopReason | None


@described
class OuterState(UpdateState, total=False):
    """State of the outer loop (learning p)."""

    trials: list[Trial]
    """H of this round, oldest first."""
    decisions: list[Decision]
    """What people decided in this round."""
    answered: bool
    """Whether a person has just answered, so that there may be more to ask."""
    problem: str | None
    """What was wrong with that answer."""
    rounds: list[RoundRecord]
    """All rounds judged so far, the current one last."""
    result: Result
    """The content of result.json, once the test split is judged."""


class OuterInput(TypedDict):
    """Nothing: everything a run needs is in its context (`Settings`)."""


class OuterOutput(TypedDict, total=False):
    """The content of result.json."""

    result: Result
