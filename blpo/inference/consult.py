"""Questions to the optimizer, answered between tags. An unusable reply is repaired twice, then given up."""

from collections.abc import Callable
from dataclasses import dataclass

from blpo.inference.failure_rate import failure_detail
from blpo.inference.open_models import OpenModels
from blpo.models.messages import Message, assistant, user
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

    A repair repeats the whole conversation, so the request differs from the failed request. Raises `TooManyFailures` if
    the optimizer can't be reached, and `BudgetSpent`.
    """
    messages = [user(question) if isinstance(question, str) else question]
    problem: str | None = None
    for _ in range(1 + REPAIRS):
        response = await models.caller.ask("optimizer", messages)
        if isinstance(response, Failure):
            raise TooManyFailures(
                f"the optimizer did not answer: {failure_detail(response, 'optimizer')}. Resume when the server is well"
            )
        reply = without_thinking(response.text)
        text = None if response.refused else tagged(reply, tag)
        problem = f"it has no text inside <{tag}> and </{tag}>" if text is None else objection(text)
        if problem is None:
            return Advice(text, None)
        reply = reply or "(no answer)"  # servers refuse empty messages
        messages = [*messages, assistant(reply), user(render("repair", problem=problem))]
    return Advice(None, problem)


def too_long(text: str, max_tokens: int) -> str | None:
    """Object to a text of more than `max_tokens` tokens (estimated)."""
    tokens = -(-len(text) // CHARACTERS_A_TOKEN)
    return f"it has about {tokens} tokens, and {max_tokens} are allowed" if tokens > max_tokens else None


def copies(text: str, sources: list[str], shortest: int = 40) -> str | None:
    """Object to a text with a word-for-word copy of any of `sources` (of at least `shortest` characters)."""
    plain = " ".join(text.split())
    copied = any(len(source) >= shortest and " ".join(source.split()) in plain for source in sources)
    return "it copies a case; state general criteria instead" if copied else None
