"""The state of both loops: a cursor of prompts, sample ids, trials and round records.

The state is plain JSON and small: at most 64 kB a superstep for any size of the dataset, because LangGraph's savers
write the whole state at every superstep. Images, descriptions and verdicts are in the response store, and free to read.
"""

from typing import Annotated, NotRequired, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Decision, Objection
from state.metrics import Metrics
from state.result import Result, StopReason
from state.round_result import GainResult

_T = TypeVar("_T")


def described(state: type[_T]) -> type[_T]:
    """Add the docstrings of the fields as descriptions, for the schemas in Studio."""
    documented = with_config(ConfigDict(use_attribute_docstrings=True))(state)
    schema = TypeAdapter(documented).json_schema()
    for name, field in schema["properties"].items():
        if "description" in field:
            description = Field(description=field["description"])
            state.__annotations__[name] = Annotated[state.__annotations__[name], description]
    return state


class Trial(TypedDict):
    """Entry of the inner history H: (q, J(q, p), score). A pooled trial is (q): it has no judge prompt and no score."""

    i2t_prompt: str | None
    """q_k; None if the optimizer gave no usable prompt."""
    judge_prompt: str | None
    """p' = J(q_k, p); None if the optimizer gave no usable prompt, and in a pooled trial."""
    score: float | None
    """score(q_k; p), higher is better: the fall of the loss on the batch, in [-1, 1], or the gain of the search metric
    on other samples. None for a failed trial, and in a pooled trial."""
    noise: NotRequired[float]
    """Standard error of the score; absent for a score on the batch."""
    failure: str | None
    """Reason of a failed trial; None for any other trial."""


class TrialDigest(TypedDict):
    """A trial of a past round, with SHA-256 digests for prompts; the texts are in the response store."""

    i2t_prompt_sha256: str | None
    judge_prompt_sha256: str | None
    score: float | None
    noise: NotRequired[float]
    failure: str | None


class RoundRecord(TypedDict):
    """A judged round: p_t, validation metrics, and the trials before p_{t+1}."""

    round: int
    judge_prompt_sha256: str
    i2t_prompt_sha256: str
    validation: Metrics
    errors: list[str]
    """Ids of I_B; empty before the draw."""
    anchors: list[str]
    scored_on: NotRequired[list[str]]
    """Ids of the samples outside the batch that scored the trials; absent if the batch scored, or trials are pooled."""
    trials: list[TrialDigest]
    labelled: NotRequired[Metrics]
    """Metrics on train and validation together; absent where validation alone selects."""
    gain: NotRequired[GainResult]
    """Gain over the best prompt before, where train and validation select; absent in round 0."""
    fallen: NotRequired[list[str]]
    """Tasks that fall by more than `search.floor` under the prompt, which is then not adopted; absent without one."""
    failure: NotRequired[str]
    """Reason of a failed update of p_t from pooled trials; absent if the update did not fail."""
    decisions: NotRequired[list[Decision]]
    """People's decisions about the new prompts; absent if nobody was asked."""


@described
class UpdateState(TypedDict, total=False):
    """State of J(q, p) at both levels, for critique_judge and update_judge."""

    round: int
    """t, from 0."""
    judge_prompt: str
    """p_t, fixed while the inner loop runs."""
    i2t_prompt: str | None
    """q: the prompt on trial in the inner loop; outside of it q*, or the last q of pooled trials. None if the optimizer
    gave no usable prompt."""
    i2t_is_new: bool
    """True if no batch was described by q before the round: q_0, or a prompt by a person."""
    inner_steps: int
    """K of the round: `search.steps_of_round`, or less where the budget asks for less."""
    errors: list[str] | None
    """Ids of I_B, the batch of wrong verdicts under p_t; None before the draw of this round."""
    anchors: list[str]
    """Ids of rightly judged samples beside I_B."""
    scored_on: list[str]
    """Ids of the samples outside the batch that score a trial; empty: the batch scores, or trials are pooled."""
    trials: list[Trial]
    """H of the round, oldest first."""
    critique: str | None
    """The optimizer's critique of p_t; None if the optimizer gave no usable critique."""
    candidate: str | None
    """p' = J(q, p_t); None if the optimizer gave no usable prompt."""
    failure: str | None
    """Reason of a missing critique or candidate."""
    objections: list[Objection]
    """People's reasons against earlier prompts, oldest first; `nodes.approve` bounds their number."""
    stop_reason: StopReason | None
    """Reason to stop; None while the search goes on."""


@described
class InnerState(UpdateState, total=False):
    """State of the inner loop: learning q while p_t is fixed."""

    i2t_critique: str | None
    """The optimizer's critique of the descriptions; None if the optimizer gave no usable critique."""


class InnerInput(TypedDict, total=False):
    """Input of the inner loop: p_t, q_0 and the batch."""

    round: int
    judge_prompt: str
    i2t_prompt: str | None
    i2t_is_new: bool
    inner_steps: int
    errors: list[str] | None
    anchors: list[str]
    scored_on: list[str]
    objections: list[Objection]


class InnerOutput(TypedDict, total=False):
    """Output of the inner loop: q* or the last q, H, and the reason to stop if the budget is spent."""

    i2t_prompt: str | None
    trials: list[Trial]
    stop_reason: StopReason | None


@described
class OuterState(UpdateState, total=False):
    """State of the outer loop: learning p."""

    decisions: list[Decision]
    """People's decisions in this round."""
    answered: bool
    """True if a person has just answered, so that another question may follow."""
    problem: str | None
    """Problem of the last answer."""
    rounds: list[RoundRecord]
    """All rounds judged so far, the current one last."""
    result: Result
    """The content of result.json, once the test split is judged."""


class OuterInput(TypedDict):
    """No input: the context (`Settings`) holds the whole configuration of a run."""


class OuterOutput(TypedDict, total=False):
    """The content of result.json."""

    result: Result
