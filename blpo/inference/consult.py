"""Questions to the optimizer, answered between tags. An unusable reply is repaired twice, then given up.

Failures of the question (too long, refused, cut off) belong to the trial: the trial fails with the reason, and the run
goes on. Failures of the server end the run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from blpo.inference.cut_off import cut_off
from blpo.inference.failure_rate import failure_detail
from blpo.inference.open_models import OpenModels
from blpo.models.messages import Message, assistant, user
from blpo.models.sentences import sentence
from blpo.models.thinking import without_thinking
from blpo.prompts.delimiters import tagged
from blpo.prompts.template import render
from state.errors import TooManyFailures
from state.response import Failure

REPAIRS = 2
"""Repairs of an unusable reply."""

CHARACTERS_A_TOKEN = 4
"""Estimate for English text; no tokenizer of a served model is at hand."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The optimizer's text, or the problem of an unusable reply: exactly one field is set."""

    text: str | None
    problem: str | None


async def consult(
    models: OpenModels, question: str | Message, tag: str, objection: Callable[[str], str | None]
) -> Advice:
    """Ask for a text inside `<tag>`; `objection` returns the problem of a text, or None.

    A repair repeats the whole conversation, so the request differs from the failed request. A refusal and a cut-off
    reply are not repaired. Raises `TooManyFailures` if the optimizer can't be reached, and `BudgetSpent`.
    """
    messages = [user(question) if isinstance(question, str) else question]
    problem: str | None = None
    for _ in range(1 + REPAIRS):
        response = await models.caller.ask("optimizer", messages)
        if isinstance(response, Failure):
            return Advice(None, _problem_of_question(response))
        if response.refused:
            return Advice(None, f"the optimizer refused: {_short(response.text)} Another optimizer may answer")
        reply = without_thinking(response.text)
        text = tagged(reply, tag)
        cut = cut_off(response, models.settings.models, "optimizer")
        if text is None and cut is not None:
            return Advice(None, f"the reply was {cut}: raise it, or lower models.optimizer.reasoning_effort")
        problem = f"it has no text inside <{tag}> and </{tag}>" if text is None else objection(text)
        if problem is None:
            return Advice(text, None)
        reply = reply or "(no answer)"  # servers refuse empty messages
        messages = [*messages, assistant(reply), user(render("repair", problem=problem))]
    return Advice(None, problem)


def _problem_of_question(failure: Failure) -> str:
    """Return the reason of the trial's failure; raises `TooManyFailures` for a failure of the server."""
    detail = failure_detail(failure, "optimizer")
    if failure.kind == "too_long":
        return (
            f"the question is longer than the optimizer's context: {sentence(detail)} Lower search.error_batch,"
            " search.anchors or models.optimizer.max_tokens, or serve the model with a longer context"
        )
    if failure.kind in ("too_large", "rejected"):
        return f"the server refused the question: {detail}"
    raise TooManyFailures(f"the optimizer did not answer: {sentence(detail)} Resume when the server is well")


def _short(text: str) -> str:
    return sentence(" ".join(text.split())[:200] or "(no reason)")


def too_long(text: str, max_tokens: int) -> str | None:
    """Object to a text of more than `max_tokens` tokens (estimated)."""
    tokens = -(-len(text) // CHARACTERS_A_TOKEN)
    return f"it has about {tokens} tokens, and {max_tokens} are allowed" if tokens > max_tokens else None


def copies(text: str, sources: list[str], shortest: int = 40) -> str | None:
    """Object to a text with a word-for-word copy of any of `sources` (of at least `shortest` characters)."""
    plain = " ".join(text.split())
    copied = any(len(source) >= shortest and " ".join(source.split()) in plain for source in sources)
    return "it copies a case; state general criteria instead" if copied else None
