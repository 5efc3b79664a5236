"""One question to the optimizer, whose answer must stand between tags; an unusable reply is repaired, then given up."""

from collections.abc import Callable
from dataclasses import dataclass

from blpo.inference.failure_rate import explained
from blpo.inference.session import Session
from blpo.models.messages import Message, assistant, user
from blpo.models.thinking import without_thinking
from blpo.prompts.delimiters import tagged
from blpo.prompts.template import render
from state.errors import TooManyFailures
from state.response import Failure

REPAIRS = 2
"""How often an unusable reply is asked for again."""

CHARACTERS_A_TOKEN = 4
"""Estimate for English text; no tokenizer of a served model is at hand."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the optimizer wrote, or why it is of no use: exactly one of both is set."""

    text: str | None
    problem: str | None


async def consult(
    session: Session, question: str | Message, tag: str, objection: Callable[[str], str | None]
) -> Answer:
    """Ask for a text inside `<tag>`; `objection` says what is wrong with a text, or None.

    Each repair repeats the conversation, so it is another request than the one that failed. Raises `TooManyFailures`
    where the optimizer can't be reached, and `BudgetSpent`.
    """
    messages = [user(question) if isinstance(question, str) else question]
    problem: str | None = None
    for _ in range(1 + REPAIRS):
        response = await session.calls.ask("optimizer", messages)
        if isinstance(response, Failure):
            raise TooManyFailures(
                f"the optimizer did not answer: {explained(response, 'optimizer')}. Resume when the server is well"
            )
        reply = without_thinking(response.text)
        text = None if response.refused else tagged(reply, tag)
        problem = f"it has no text inside <{tag}> and </{tag}>" if text is None else objection(text)
        if problem is None:
            return Answer(text, None)
        reply = reply or "(no answer)"  # servers refuse empty messages
        messages = [*messages, assistant(reply), user(render("repair", problem=problem))]
    return Answer(None, problem)


def too_long(text: str, max_tokens: int) -> str | None:
    """Object to a text of more than `max_tokens` tokens (estimated)."""
    tokens = -(-len(text) // CHARACTERS_A_TOKEN)
    return f"it has about {tokens} tokens, and {max_tokens} are allowed" if tokens > max_tokens else None


def copies(text: str, sources: list[str], shortest: int = 40) -> str | None:
    """Object to a text that holds one of `sources` (of at least `shortest` characters) word for word."""
    plain = " ".join(text.split())
    found = any(len(source) >= shortest and " ".join(source.split()) in plain for source in sources)
    return "it copies a case; state general criteria instead" if found else None
