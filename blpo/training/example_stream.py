"""Examples of an export, one at a time: messages of the judge with images, and the answers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Self

from blpo.inference.answers import judge_messages
from blpo.inference.image_cache import ImageCache
from blpo.inference.open_models import OpenModels
from blpo.models.budget import Budget
from blpo.models.recall import Recall
from blpo.storage.response_store import ResponseStore
from blpo.storage.sqlite_connection import TEMPORARY
from blpo.training.examples import Question, TrainingExample, completion_of
from blpo.training.held_out import HeldOut
from blpo.training.recipe import Stage
from blpo.training.sources import Source
from blpo.training.stored_replies import StoredReplies
from state.settings import LimitSettings, Settings


class ExampleStream:
    """Examples about the questions of a source. Open with `open`; no model is called."""

    def __init__(
        self, source: Source, models: OpenModels, replies: StoredReplies | None, exclusions: HeldOut, stage: Stage
    ) -> None:
        self._source, self._models, self._replies = source, models, replies
        self._exclusions, self._stage = exclusions, stage
        self.left_out: set[str] = set()
        """Ids of samples without examples, because an image of theirs is held out."""

    @classmethod
    async def open(
        cls, source: Source, settings: Settings, exclusions: HeldOut, stage: Stage, stack: AsyncExitStack
    ) -> Self:
        """Open the store of the source until the stack closes. `settings` are the source's, with the pixel limit."""
        store = await ResponseStore.open(TEMPORARY)
        stack.push_async_callback(store.close)
        models = OpenModels(settings, Recall(settings.models, store), ImageCache(), Budget(LimitSettings()))
        return cls(source, models, await StoredReplies.open(source, stack), exclusions, stage)

    async def of(self, question: Question) -> AsyncIterator[TrainingExample]:
        """Yield the examples of a question: one; for preferences, one for each wrong answer of the judge.

        Raises `DataError` for an unreadable image.
        """
        images = await self._models.images.of(question.sample, self._models.settings.models.of("judge"))
        hashes = tuple(image.sha256 for image in images)
        sample_id = self._source.id_of(question.sample.id)
        if self._exclusions.holds(sample_id, hashes):
            self.left_out.add(sample_id)
            return
        pairs = await self._completions(question)
        message = (await judge_messages(self._models, self._source.prompts[0], question.sample, question.view))[0]
        for completion, rejected in pairs:
            yield TrainingExample(question, sample_id, message.parts, completion, rejected, hashes)

    async def _completions(self, question: Question) -> list[tuple[str, str | None]]:
        """Return the right answer, and for preferences a wrong one beside."""
        if self._stage == "dpo":
            preferences = await self._replies.preferences(question) if self._replies else []
            return [(completion_of(right), completion_of(wrong)) for right, wrong in preferences]
        reason = await self._replies.reason_for(question) if self._replies and self._stage == "sft" else ""
        return [(question.right_completion(reason), None)]
