"""What people are asked before a new prompt is adopted, and what they may answer."""

from typing import Literal, NotRequired, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

Prompt = Literal["judge", "i2t"]
"""The judge prompt p, or the I2T prompt q."""
DecisionKind = Literal["approve", "edit", "reject"]


class Change(TypedDict):
    """A sample of the batch whose loss the new judge prompt changes."""

    id: str
    label: int | str | None
    """What people say."""
    before: int | str | None
    """The verdict under the prompt in use; None where there is no answer."""
    after: int | str | None
    """The verdict under the new one."""
    reason: str
    """The judge's own, under the new one."""


class Question(TypedDict):
    """What is put before a person; the value of the graph's interrupt, and `question` in result.json."""

    round: int
    prompt: Prompt
    """Which prompt is to be adopted."""
    old: str
    """The prompt in use."""
    new: str
    """The one to adopt."""
    diff: str
    """From old to new, unified."""
    score: float | None
    """Of the trial that the new prompt comes from, in [-1, 1]; higher is better."""
    judged: int
    """Samples of the batch that the score is a mean over."""
    fixes: list[Change]
    """Of these samples those whose loss falls: set right, or a rating brought nearer; `MOST_SHOWN` at most."""
    fixed: int
    """How many there are in all."""
    breaks: list[Change]
    """Those whose loss rises, `MOST_SHOWN` at most."""
    broken: int
    """How many there are in all."""
    max_prompt_tokens: int
    """Longest prompt that an edit may give."""
    problem: NotRequired[str]
    """What was wrong with the last answer."""


MOST_SHOWN = 20
"""Fixed and broken samples listed in a question."""
MOST_REASON = 2000
"""Longest reason, in characters."""


class Answer(BaseModel):
    """What a person decides. Approve it as it is, edit it, or reject it with a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, title="Answer")

    decision: DecisionKind = Field(title="Decision")
    """approve: adopt it. edit: adopt `text` in its place. reject: keep the prompt in use, for `reason`."""
    text: str | None = Field(default=None, title="Edited prompt")
    """The whole prompt to adopt instead; for edit alone."""
    reason: str | None = Field(default=None, max_length=MOST_REASON, title="Reason")
    """Why it is rejected; the next critiques see it."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.text is not None) != (self.decision == "edit"):
            raise ValueError("text must be given with the decision edit, and with no other")
        if self.decision == "reject" and not (self.reason or "").strip():
            raise ValueError("reason must be given with the decision reject: the next critique needs it")
        return self


class Objection(TypedDict):
    """Why a person rejected a prompt."""

    prompt: Prompt
    reason: str


class Decision(TypedDict):
    """What a person decided about a prompt that a round led to."""

    prompt: Prompt
    decision: DecisionKind
    reason: str | None
