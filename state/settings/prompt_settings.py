"""Section `prompts`."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from state.settings.section import Section

_SURROGATE = re.compile("[\ud800-\udfff]")


def _prompt(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write the prompt")
    if _SURROGATE.search(text):
        raise ValueError("holds half a character (a lone surrogate); write it again")
    return text


PromptText = Annotated[str, AfterValidator(_prompt)]
"""Text of a prompt, never blank."""


class PromptSettings(Section):
    """p_0 and q_0, of at most `search.max_prompt_tokens`; null: the defaults for the task."""

    judge: PromptText | None = None
    judge_file: str | None = None
    i2t: PromptText | None = None
    i2t_file: str | None = None
    parts: Literal["one", "per_task"] = "one"
    """Several tasks. one: an update rewrites the whole judge prompt. per_task: the part of each task is rewritten from
    the task's own cases, and the common part from all; the judge sees the common part and the part of the task."""
    examples: int = Field(default=0, ge=0, le=16)
    """Labelled examples that the judge sees before each item: so many samples of train (of each task), drawn from
    search.seed with each label in turn. They no longer serve the search."""
    examples_as: Literal["images", "descriptions"] = "images"
    """Form of the examples: the images, or their descriptions by the first I2T prompt."""
    reference: Literal["both", "judge", "verbalizer"] = "both"
    """Models that see `data.reference` and `data.reference_text`: judge and verbalizer, or one of the two."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        for name in ("judge", "i2t"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"give {name} or {name}_file, not both")
        return self
