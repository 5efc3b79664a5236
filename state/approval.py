"""Approval: the question to a person before a new prompt is adopted, and the person's answer."""

from typing import Literal, NotRequired, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

PromptName = Literal["judge", "i2t"]
"""The judge prompt p, or the I2T prompt q."""
DecisionKind = Literal["approve", "edit", "reject"]


class Change(TypedDict):
    """A sample of the batch with a changed loss under the new judge prompt."""

    id: str
    label: int | str | None
    """Human label."""
    before: int | str | None
    """Verdict under the prompt in use; None without an answer. For a pair with different answers in its two orders, the
    answers in words."""
    after: int | str | None
    """Verdict under the new prompt; None without an answer."""
    reason: str
    """The judge's own reason, under the new prompt."""


class Question(TypedDict):
    """Question to a person; the value of the graph's interrupt, and `question` in result.json."""

    round: int
    prompt: PromptName
    """Prompt to be adopted."""
    old: str
    """Text of the prompt in use."""
    new: str
    """Text of the prompt to adopt."""
    diff: str
    """Unified diff from old to new."""
    score: float | None
    """Score of the trial that the new prompt comes from, in [-1, 1]; higher is better. None where trials are pooled."""
    judged: int
    """Samples that the score was measured on; 0 where trials are pooled."""
    fixes: list[Change]
    """Samples whose loss falls: set right, or a rating nearer to the label; at most `MOST_CHANGES`."""
    fixed: int
    """Number of all samples whose loss falls."""
    breaks: list[Change]
    """Samples whose loss rises; at most `MOST_CHANGES`."""
    broken: int
    """Number of all samples whose loss rises."""
    max_prompt_tokens: int
    """Longest prompt that an edit may give."""
    problem: NotRequired[str]
    """Problem of the last answer."""


MOST_CHANGES = 20
"""Fixes, and breaks, listed in a question."""
MOST_REASON = 2000
"""Longest reason, in characters."""


class Answer(BaseModel):
    """A person's decision: approve the new prompt, edit the prompt, or reject the prompt with a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, title="Answer")

    decision: DecisionKind = Field(title="Decision")
    """approve: adopt it. edit: adopt `text` in its place. reject: keep the prompt in use, for `reason`."""
    text: str | None = Field(default=None, title="Edited prompt")
    """The whole prompt to adopt instead; for edit alone."""
    reason: str | None = Field(default=None, max_length=MOST_REASON, title="Reason")
    """Reason of a rejection; the next critiques see it."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.text is not None) != (self.decision == "edit"):
            raise ValueError("text must be given with the decision edit, and with no other")
        if self.decision == "reject" and not (self.reason or "").strip():
            raise ValueError("reason must be given with the decision reject: the next critique needs it")
        return self


class Objection(TypedDict):
    """Reason of a person against a prompt."""

    prompt: PromptName
    reason: str


class Decision(TypedDict):
    """A person's decision about a new prompt of a round."""

    prompt: PromptName
    decision: DecisionKind
    reason: str | None
