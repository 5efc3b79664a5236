"""verbalize: g(x; q). Put the images of the batch into words by the I2T prompt on trial.

The words serve only to update prompts; the judge never sees them. They go to the response store, where critique_judge
and critique_i2t read them again at no cost.
"""

from collections.abc import Callable, Sequence

from langgraph.runtime import Runtime

from models.response import Failure, without_thinking
from nodes.failures import check_failures, explained
from nodes.fan_out import fan_out
from nodes.progress import counter, report, uncounted
from nodes.question import question
from nodes.session import Session, session_of
from state.loops import InnerState
from state.sample import Sample
from state.settings import Settings
from state.verdict import Description

MAX_WORDS = 120
"""Longest description asked for: with 10 errors and 10 anchors about 3,000 tokens a critique."""


async def verbalize(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Describe I_B and the anchors by q; nothing to do where the optimizer gave no q."""
    q = state["i2t_prompt"]
    if q is None:
        return {}
    async with session_of(runtime) as session:
        step = len(state.get("trials", []))
        report(runtime, "phase", state, step=step, phase="verbalize", usage=await session.calls.usage())
        samples = session.samples([*(state["errors"] or []), *state["anchors"]])
        await describe_samples(session, q, samples, counter(runtime, state, len(samples), session.budget))
    return {}


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
