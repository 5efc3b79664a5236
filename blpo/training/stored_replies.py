"""Replies of a run's judge from the run's store: right reasons, and wrong answers to the same question.

Nothing is asked. A reply counts only in the reasoning-first form. Repeats of a question are the votes of a judge
(`models.judge.votes`), or further repeats of other commands over the same store.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

from blpo.inference.answer_forms import answer_form
from blpo.inference.answers import judge_messages
from blpo.inference.open_models import OpenModels, open_recall
from blpo.training.examples import Question
from blpo.training.reward import fields_in_form
from blpo.training.sources import Source
from state.response import Response

MOST_REPEATS = 100
"""Repeats of a question that are looked for."""

Answer = dict[str, Any]
"""Answer in the reasoning-first form: the reason, then the labels by key."""


@dataclass(frozen=True, slots=True)
class StoredReplies:
    """Open store of a source that is a run."""

    source: Source
    models: OpenModels
    """Models that answer from the store."""

    @classmethod
    async def open(cls, source: Source, stack: AsyncExitStack) -> Self | None:
        """Open the store until the stack closes; None for a configuration. Raises `RunError` for a missing store."""
        if source.store is None:
            return None
        return cls(source, await stack.enter_async_context(open_recall(source.settings, source.store)))

    async def reason_for(self, question: Question) -> str:
        """Return the judge's reason of a right answer, under the first prompt that has one; empty without."""
        for prompt in self.source.prompts:
            async for answer in self._answers(question, prompt):
                if question.is_right(answer) and answer["reason"]:
                    return str(answer["reason"])
        return ""

    async def preferences(self, question: Question) -> list[tuple[Answer, Answer]]:
        """Return (right answer, wrong answer) for each different wrong label under the prompt of the export."""
        answers = [answer async for answer in self._answers(question, self.source.prompts[0])]
        right = next((answer for answer in answers if question.is_right(answer)), None)
        wrong = {str(_labels(answer)): answer for answer in answers if not question.is_right(answer)}
        return [] if right is None else [(right, answer) for answer in wrong.values()]

    async def _answers(self, question: Question, prompt: str) -> AsyncIterator[Answer]:
        """Yield the answers in form to a question under a prompt, repeat by repeat."""
        schema = answer_form(self.models.settings, question.sample).schema
        messages = await judge_messages(self.models, prompt, question.sample, question.view)
        for repeat in range(MOST_REPEATS):
            reply = await self.models.caller.ask("judge", messages, schema, repeat)
            answer = fields_in_form(reply.text, question.right) if isinstance(reply, Response) else None
            if answer is not None:
                yield answer
            elif repeat and not isinstance(reply, Response):
                return


def _labels(answer: Answer) -> Answer:
    return {key: label for key, label in answer.items() if key != "reason"}
