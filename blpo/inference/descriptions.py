"""g(x; q): descriptions by the verbalizer. They serve only to update prompts; the judge never sees them."""

from collections.abc import Callable, Sequence

from blpo.inference.failure_rate import check_failures, explained
from blpo.inference.fan_out import fan_out
from blpo.inference.progress import uncounted
from blpo.inference.question import question
from blpo.inference.session import Session
from blpo.models.thinking import without_thinking
from state.response import Failure
from state.sample import Sample
from state.verdict import Description

MAX_WORDS = 120
"""Longest description asked for: with 10 errors and 10 anchors about 3,000 tokens a critique."""


async def describe_samples(
    session: Session, i2t_prompt: str, samples: Sequence[Sample], count: Callable[[], None] = uncounted
) -> list[Description]:
    """g(x; q) for each sample, in order; raises `TooManyFailures` and `BudgetSpent`. `count` is called for each."""
    width = session.width("verbalizer")
    descriptions = await fan_out(lambda sample: describe_sample(session, i2t_prompt, sample), samples, width, count)
    check_failures("verbalizer", descriptions, session.settings.limits)
    return descriptions


async def describe_sample(session: Session, i2t_prompt: str, sample: Sample) -> Description:
    """g(x; q) for one sample; a failure is a description with that status."""
    model = session.settings.models.of("verbalizer")
    asked = await question(session, sample, model, "verbalize", i2t_prompt=i2t_prompt, max_words=str(MAX_WORDS))
    response = await session.calls.ask("verbalizer", [asked])
    if isinstance(response, Failure):
        return Description(sample.id, "error", explained(response, "verbalizer"))
    text = without_thinking(response.text)
    if response.refused or not text:
        return Description(sample.id, "refused" if response.refused else "unparseable", "")
    return Description(sample.id, "ok", text)
