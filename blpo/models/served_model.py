"""A model with a connection: chat model, limits, retries."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from langchain_core.exceptions import ModelInvalidRequestError

from blpo.models.fail_fast import CallQueue
from blpo.models.failures import outcome_of
from blpo.models.limiter import Limiter
from blpo.models.messages import Role, to_langchain
from blpo.models.named_model import NamedModel
from blpo.models.rejections import Rejections
from blpo.models.replies import read_reply
from blpo.models.request import Request
from blpo.models.retries import Backoff, CallOutcome, with_retries
from blpo.models.schema_support import SchemaSupport
from blpo.models.server_errors import may_refuse_schema
from blpo.models.verdict_format import labels_of
from state.errors import ModelError
from state.response import Failure, Response

if TYPE_CHECKING:  # takes half a second to import
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

_AFTER_REFUSAL = 0.01
"""Seconds; a server that closes the connection after an error needs a moment, else the next request is lost."""
_SHARE_OF_TEXT = 8
"""Part of `max_reply_bytes` for the text: 1 in 8. Texts of many answers are in memory at once, bodies are not."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model with everything needed to send requests. It belongs to one event loop."""

    model: NamedModel
    chat: "BaseChatModel"
    limiter: Limiter
    schemas: SchemaSupport
    backoff: Backoff
    rejections: Rejections = field(default_factory=Rejections)

    async def send(self, request: Request, role: Role, queue: CallQueue) -> CallOutcome:
        """Send the request until an answer or a failure; raises `ModelError` if no request can succeed.

        A failed request is not sent again after the end of `queue`.
        """
        if self.model.provider.local:
            return CallOutcome(await self._answer_in_process(request), attempts=1)
        attempt = partial(self._attempt, request)
        try:
            outcome = await with_retries(attempt, self.model.settings, self.backoff, self.limiter, queue)
        except ModelError as error:
            raise ModelError(str(error).replace("models.ROLE", f"models.{role}")) from error
        self.rejections.note(outcome.result, role=role)
        return outcome

    async def close(self) -> None:
        """Close the connections of the chat model."""
        if self.model.provider.close is not None:
            await self.model.provider.close(self.chat)

    async def _attempt(self, request: Request, seconds: float) -> Response:
        try:
            async with asyncio.timeout(seconds):
                return await self._answer_with_schema(request)
        except TimeoutError as error:
            notes = getattr(error.__cause__, "__notes__", ())
            raise TimeoutError("; ".join((f"no answer within timeout ({seconds:g} s)", *notes))) from error

    async def _answer_in_process(self, request: Request) -> Response | Failure:
        """Answer by a model inside the process; an invalid request fails as at a server."""
        try:
            return await self._answer(request, request.constraint)
        except ModelInvalidRequestError as error:
            outcome = outcome_of(error, self.model.settings)
            if not isinstance(outcome, Failure):
                raise
            return outcome

    async def _answer_with_schema(self, request: Request) -> Response:
        """Answer with the request's constraint, or without if the server refuses schemas; note the support."""
        settings = self.model.settings
        if request.schema is None or not request.constraint or self.schemas.is_refused_by(settings):
            return await self._answer(request, {})
        try:
            response = await self._answer(request, request.constraint)
        except Exception as error:
            if not may_refuse_schema(error, is_known=self.schemas.is_known_of(settings)):
                raise
            await asyncio.sleep(_AFTER_REFUSAL)
            response = await self._answer(request, {})  # an error again: the schema was not the matter
            await self.schemas.note_refusal(settings, error)
            return response
        await self.schemas.note_answer(settings, response, request.schema)
        return response

    async def _answer(self, request: Request, constraint: Mapping[str, Any]) -> Response:
        labels = labels_of(request.schema) if request.schema and self.model.settings.logprobs else ()
        reply = await self._reply(to_langchain(request.messages), {**constraint, **request.sampling})
        response = read_reply(reply, request.messages, labels)
        most = self.model.settings.max_reply_bytes // _SHARE_OF_TEXT
        if getsizeof(response.text) > most:  # an emoji makes every character of a text take 4 bytes
            raise ValueError(f"its text has {len(response.text)} characters, too many for max_reply_bytes")
        if labels and request.schema:
            self.schemas.note_scores(self.model.settings, response, request.schema)
        return response

    async def _reply(self, messages: list["BaseMessage"], arguments: Mapping[str, Any]) -> "AIMessage":
        """Call LangChain's callbacks only if somebody listens (tracing, Studio): callbacks cost more than a call."""
        from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager
        from langchain_core.runnables.config import ensure_config

        from blpo.models.untraced_chat import UntracedChat

        callbacks = ensure_config().get("callbacks")
        if not isinstance(callbacks, BaseCallbackManager):  # inside a node the graph has configured the callbacks
            callbacks = AsyncCallbackManager.configure(callbacks)
        if callbacks.handlers or not isinstance(self.chat, UntracedChat):
            return await self.chat.ainvoke(messages, **arguments)
        return await self.chat.reply(messages, **arguments)
